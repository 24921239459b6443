/**
 * Sends what waits in a queue, batch by batch, and again until the server has answered.
 */

import { Problem, Unreachable, renew, request } from "../api.js";

/**
 * @typedef {import("./queue.js").Entry} Entry
 * @typedef {import("./queue.js").Saved} Saved
 * @typedef {import("./queue.js").Conflict} Conflict
 * @typedef {{ labelled: number, total: number, classes: Record<string, number> }} Counts of images
 *
 * @typedef {"saved" | "saving" | "away" | "login" | "refused"} Mood
 * @typedef {{ mood: Mood, waiting: number, words: string, kept: boolean }} State
 *
 * @typedef {object} Listener
 * @property {(entry: Entry, saved: Saved) => void} saved
 * @property {(entry: Entry, conflict: Conflict) => void} refused
 * @property {(counts: Counts) => void} counts
 * @property {(state: State) => void} state
 */

const MOST = 200;
const FIRST_PAUSE = 500; // ms
const LONGEST_PAUSE = 15_000; // ms

export class Saver {
  /** @type {Mood} */
  #mood = "saved";
  #words = "";
  #busy = false;
  #most = MOST;
  #pause = FIRST_PAUSE;
  #timer = 0;

  /**
   * @param {import("./queue.js").SaveQueue} queue
   * @param {string} address that takes changes
   * @param {Listener} listener
   */
  constructor(queue, address, listener) {
    this.queue = queue;
    this.address = address;
    this.listener = listener;
    window.addEventListener("online", () => this.start());
    window.addEventListener("storage", (event) => {
      if (event.key === null || event.newValue !== null) return;
      queue.gone(event.key);
      this.#tell();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.start(); // back from logging in again, perhaps
    });
    window.addEventListener("beforeunload", (event) => {
      if (queue.size && !queue.kept) event.preventDefault(); // only this page knows of it
    });
  }

  /** Send what waits, unless that is being done. Returns at once. */
  start() {
    window.clearTimeout(this.#timer);
    if (!this.#busy && this.queue.size) {
      this.#busy = true;
      window.setTimeout(() => void this.#work(), 0); // after the key press has been shown
    }
    this.#tell();
  }

  async #work() {
    try {
      while (this.queue.size && (await alone(`save ${this.queue.prefix}`, () => this.#send())));
    } finally {
      this.#busy = false;
      this.#tell();
    }
  }

  /** @returns {Promise<boolean>} whether to go on at once */
  async #send() {
    const batch = this.queue.next(this.#most);
    if (!batch.length) return false;
    this.#mood = this.#mood === "away" ? "away" : "saving";
    this.#tell();
    try {
      this.#take(batch, await request("POST", this.address, { changes: batch.map(asChange) }));
    } catch (error) {
      return await this.#fail(batch, error);
    }
    this.#pause = FIRST_PAUSE;
    this.#most = Math.min(MOST, this.#most * 2);
    this.#mood = this.queue.size ? "saving" : "saved";
    return true;
  }

  /**
   * @param {Entry[]} batch
   * @param {{ saved: Saved[], refused: import("./queue.js").Refusal[], counts: Counts }} answer
   */
  #take(batch, answer) {
    const entries = new Map(batch.map((entry) => [entry.image_id, entry]));
    for (const saved of answer.saved) {
      const entry = entries.get(saved.image_id);
      if (!entry) continue;
      this.queue.saved(entry, saved.version);
      this.listener.saved(entry, saved);
    }
    for (const refusal of answer.refused) {
      const entry = entries.get(refusal.image_id);
      if (entry) this.listener.refused(entry, { ...refusal, mine: this.queue.refused(entry) });
    }
    this.listener.counts(answer.counts);
  }

  /**
   * @param {Entry[]} batch
   * @param {unknown} error
   * @returns {Promise<boolean>} whether to go on at once
   */
  async #fail(batch, error) {
    if (error instanceof Unreachable || (error instanceof Problem && error.passes)) {
      this.#mood = "away";
      this.#words = error instanceof Problem && error.status !== 500 ? "the server is busy" : "not connected";
      this.#timer = window.setTimeout(() => this.start(), this.#pause * (0.75 + Math.random() / 2));
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
      return false;
    }
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) {
      this.#mood = "login";
      return false;
    }
    if (error.status === 403) {
      if (error.code === "csrf" && (await renew().catch(() => false))) return true;
      this.#mood = "refused";
      this.#words = error.message;
      return false;
    }
    if (batch.length > 1) {
      this.#most = 1; // to find the one that is wrong
      return true;
    }
    const [entry] = batch;
    if (entry) {
      const refusal = { image_id: entry.image_id, code: error.code, version: entry.seen ?? 0, who: "", label: null };
      this.listener.refused(entry, { ...refusal, detail: error.message, mine: this.queue.refused(entry) });
    }
    return true;
  }

  #tell() {
    const waiting = this.queue.size;
    const mood = waiting ? (this.#mood === "saved" ? "saving" : this.#mood) : "saved";
    this.listener.state({ mood, waiting, words: this.#words, kept: this.queue.kept });
  }
}

/** @param {Entry} entry */
function asChange(entry) {
  return { image_id: entry.image_id, seen: entry.seen ?? 0, ...entry.what };
}

/**
 * Do something that one tab does at a time; where the browser has no locks (a page that is not over https), at once.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(name, work) {
  return navigator.locks ? await navigator.locks.request(name, work) : await work();
}
