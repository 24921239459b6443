/**
 * Work on its way to the server: kept in the browser until the server has said that it is saved.
 *
 * For each image there is at most what is being sent, and what has been done since. What was sent is sent again,
 * unchanged, until an answer comes: only so the server can tell an answer that got lost from somebody else's work.
 *
 * @typedef {import("./shapes.js").Annotation} Annotation
 * @typedef {{version: number, who: string}} Conflict what stands instead, and whose it is
 * @typedef {{image: string, seen: number, sending: Annotation | null, waiting: Annotation | null, conflict: Conflict | null, problem: string}} Entry
 * @typedef {{image_id: string, seen: number, annotation: Annotation}} Change
 * @typedef {{saved: {image_id: string, version: number}[], refused: {image_id: string, code: string, version: number, who: string}[]}} Answer
 * @typedef {{saving: number, undecided: string[], problem: string, fragile: boolean}} State
 */

import { Problem } from "../api.js";

const MOST_BYTES = 900_000; // of the 1 MiB that a request may hold
const MOST = 200;
const PAUSES = [500, 1000, 2000, 4000, 8000]; // ms

export class Saving {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Map<string, number>} */
  #versions = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #busy = false;
  #failures = 0;
  #problem = "";
  #fragile = false;

  /**
   * @param {import("./shelf.js").Shelf} shelf where work is kept
   * @param {(changes: Change[]) => Promise<Answer>} send
   * @param {(state: State) => void} changed
   */
  constructor(shelf, send, changed) {
    this.shelf = shelf;
    this.send = send;
    this.changed = changed;
  }

  /** Take up what an earlier page has left. @param {Entry[]} entries */
  adopt(entries) {
    for (const entry of entries) {
      if (this.#entries.has(entry.image)) continue;
      this.#entries.set(entry.image, entry);
      this.#keep(entry);
    }
    this.#soon(0);
  }

  /** What is to be shown of an image though the server does not have it yet. @param {string} image @returns {Annotation | null} */
  pending(image) {
    const entry = this.#entries.get(image);
    return entry ? (entry.waiting ?? entry.sending) : null;
  }

  /** @param {string} image @returns {Conflict | null} */
  conflict(image) {
    return this.#entries.get(image)?.conflict ?? null;
  }

  /** The server has told which version stands. @param {string} image @param {number} version */
  known(image, version) {
    this.#versions.set(image, Math.max(version, this.#versions.get(image) ?? 0));
  }

  /** @param {string} image @param {Annotation} annotation all of it @param {number} [pause] ms, in which more may come */
  put(image, annotation, pause = 0) {
    const seen = this.#versions.get(image) ?? 0;
    const entry = this.#entries.get(image) ?? { image, seen, sending: null, waiting: null, conflict: null, problem: "" };
    entry.waiting = annotation;
    entry.problem = "";
    this.#entries.set(image, entry);
    this.#keep(entry);
    this.#soon(pause);
  }

  /** Mine shall stand, or both: over the version that I have now seen. @param {string} image @param {Annotation} annotation @param {number} version */
  insist(image, annotation, version) {
    this.#entries.delete(image);
    this.#versions.set(image, version);
    this.put(image, annotation);
  }

  /** Theirs shall stand. @param {string} image @param {number} version */
  yield(image, version) {
    this.#entries.delete(image);
    this.#versions.set(image, version);
    this.#forget(image);
    this.#tell();
  }

  /** Try now: the connection is back, perhaps. */
  hurry() {
    this.#soon(0);
  }

  /** @param {number} pause ms */
  #soon(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#flush(), pause);
    this.#tell();
  }

  async #flush() {
    if (this.#busy) return;
    const batch = this.#batch();
    if (!batch.length) return;
    this.#busy = true;
    this.#tell();
    let pause = 0;
    try {
      const changes = batch.map(({ image, seen, sending }) => ({ image_id: image, seen, annotation: /** @type {Annotation} */ (sending) }));
      this.#settle(await this.send(changes));
      this.#failures = 0;
      this.#problem = "";
    } catch (error) {
      pause = this.#failed(error, batch);
    }
    this.#busy = false;
    if (pause >= 0 && this.#batch().length) this.#soon(pause);
    this.#tell();
  }

  /** What goes out next; what is sent is noted as such before it is. @returns {Entry[]} */
  #batch() {
    /** @type {Entry[]} */
    const batch = [];
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      if (entry.conflict || entry.problem || !(entry.sending ?? entry.waiting)) continue;
      bytes += JSON.stringify(entry.sending ?? entry.waiting).length * 2;
      if (batch.length && (bytes > MOST_BYTES || batch.length >= MOST)) break;
      if (!entry.sending) {
        entry.sending = entry.waiting;
        entry.waiting = null;
        this.#keep(entry);
      }
      batch.push(entry);
    }
    return batch;
  }

  /** @param {Answer} answer */
  #settle({ saved, refused }) {
    for (const { image_id, version } of saved) {
      const entry = this.#entries.get(image_id);
      this.known(image_id, version);
      if (!entry) continue;
      entry.seen = version;
      entry.sending = null;
      if (entry.waiting) this.#keep(entry);
      else this.#drop(image_id);
    }
    for (const { image_id, code, version, who } of refused) {
      const entry = this.#entries.get(image_id);
      if (!entry) continue;
      if (code === "conflict") entry.conflict = { version, who };
      else entry.problem = `Not saved: ${code}.`;
      this.#keep(entry);
    }
  }

  /**
   * @param {unknown} error @param {Entry[]} batch
   * @returns {number} ms until the next try; -1: no more tries by itself
   */
  #failed(error, batch) {
    this.#problem = error instanceof Error ? error.message : String(error);
    if (error instanceof Problem && !error.passes) {
      if ([401, 403].includes(error.status)) return -1; // the work stays, until somebody who may comes back
      for (const entry of batch) {
        if (batch.length > 1) continue; // not to be told which one: each of them alone the next time
        entry.problem = error.message;
        this.#keep(entry);
      }
      return batch.length > 1 ? this.#alone(batch) : 0;
    }
    return PAUSES[Math.min(this.#failures++, PAUSES.length - 1)] ?? 0;
  }

  /** One image of a batch that was refused as a whole goes first, and alone. @param {Entry[]} batch */
  #alone(batch) {
    this.#entries = new Map([...this.#entries].sort(([a], [b]) => Number(batch.some(({ image }) => image === b)) - Number(batch.some(({ image }) => image === a))));
    return 0;
  }

  /** @param {Entry} entry */
  #keep(entry) {
    this.#fragile = !this.shelf.keep(entry);
  }

  /** @param {string} image */
  #drop(image) {
    this.#entries.delete(image);
    this.#forget(image);
  }

  /** @param {string} image */
  #forget(image) {
    this.shelf.forget(image);
  }

  #tell() {
    const entries = [...this.#entries.values()];
    const undecided = entries.filter((entry) => entry.conflict).map((entry) => entry.image);
    const problem = entries.find((entry) => entry.problem)?.problem ?? this.#problem;
    this.changed({ saving: entries.length - undecided.length, undecided, problem, fragile: this.#fragile && entries.length > 0 });
  }
}
