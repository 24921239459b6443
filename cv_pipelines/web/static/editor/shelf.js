/**
 * Unsaved work in the browser's own store: it outlives a reload, a crash and a server that is away.
 *
 * Each page that is open has a part of its own, and a lock that says so; what belongs to no open page is taken up.
 * The person is part of the name: nobody's work is ever sent under another one's.
 */

/** @typedef {import("./saving.js").Entry} Entry */

const PREFIX = "cv-editor";
const ABANDONED = 30_000; // ms without a change, where the browser has no locks (pages over http from elsewhere)

export class Shelf {
  #page = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
  #place;

  /** @param {string} who @param {string} dataset @param {Storage} storage */
  constructor(who, dataset, storage) {
    this.storage = storage;
    this.#place = `${PREFIX}\n${who}\n${dataset}\n`;
  }

  /** Say that this page is open, for as long as it is. */
  hold() {
    void navigator.locks?.request(this.#lock(this.#page), () => new Promise(() => {}));
  }

  /** @param {Entry} entry @returns {boolean} whether there was room for it */
  keep(entry) {
    try {
      this.storage.setItem(`${this.#place}${this.#page}\n${entry.image}`, JSON.stringify({ ...entry, at: Date.now() }));
      return true;
    } catch {
      return false;
    }
  }

  /** @param {string} image */
  forget(image) {
    this.storage.removeItem(`${this.#place}${this.#page}\n${image}`);
  }

  /** What pages have left that are not open any more: from now on this page's. @returns {Promise<Entry[]>} */
  async orphans() {
    const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
    /** @type {Entry[]} */
    const found = [];
    for (const key of Object.keys(this.storage).filter((one) => one.startsWith(this.#place))) {
      const page = key.slice(this.#place.length).split("\n")[0] ?? "";
      const text = this.storage.getItem(key);
      if (page === this.#page || held.has(this.#lock(page)) || text === null) continue;
      const { at, ...entry } = JSON.parse(text);
      if (!navigator.locks && Date.now() - at < ABANDONED) continue;
      this.storage.removeItem(key);
      this.keep(entry);
      found.push(entry);
    }
    return found;
  }

  /** @param {string} page */
  #lock(page) {
    return `${PREFIX}-${page}`;
  }
}
