/**
 * What can be undone: steps of one or many images, kept while the tab is open, also over reloads.
 */

/**
 * @typedef {object} Part of a step: one image
 * @property {string} image_id
 * @property {string} op of the entry that said it (see saving/queue.js)
 * @property {import("../saving/queue.js").Label | null} before what stood
 * @property {number | null} seen the version of that; null while the server has not answered
 *
 * @typedef {object} Step
 * @property {string} address of the page that it was done on
 * @property {string} words what was done: "3 images: disc"
 * @property {Part[]} parts
 */

const MOST = 200;

export class UndoStack {
  /** @type {{ key: string, step: Step }[]} */
  #steps = [];
  /** @type {Map<string, { key: string, step: Step, part: Part }>} by op */
  #waiting = new Map();

  /**
   * @param {import("../saving/queue.js").Shelf} shelf of this tab
   * @param {string} prefix of keys
   */
  constructor(shelf, prefix) {
    this.shelf = shelf;
    this.prefix = prefix;
    const keys = Array.from({ length: shelf.length }, (_, at) => shelf.key(at) ?? "");
    for (const key of keys.filter((one) => one.startsWith(prefix)).sort()) this.#read(key);
  }

  get size() {
    return this.#steps.length;
  }

  /** @param {Step} step that was just done */
  push(step) {
    const last = this.#steps.at(-1)?.key ?? "";
    const number = Number(last.slice(this.prefix.length) || 0) + 1;
    this.#take(this.prefix + String(number).padStart(9, "0"), step);
    for (const { key, step: old } of this.#steps.splice(0, Math.max(0, this.#steps.length - MOST))) this.#drop(key, old);
  }

  /** @returns {Step | undefined} the last one, which is taken off */
  pop() {
    const last = this.#steps.pop();
    if (last) this.#drop(last.key, last.step);
    return last?.step;
  }

  /**
   * The server has answered: an undo of this asks for the version that stood before.
   * @param {string} op
   * @param {number} seen the version that the entry was based on
   */
  saved(op, seen) {
    const found = this.#waiting.get(op);
    if (!found) return;
    found.part.seen = seen;
    this.#waiting.delete(op);
    this.#keep(found.key, found.step);
  }

  /**
   * The server has refused: there is nothing to undo of that image.
   * @param {string} op
   */
  refused(op) {
    const found = this.#waiting.get(op);
    if (!found) return;
    this.#waiting.delete(op);
    found.step.parts = found.step.parts.filter((part) => part !== found.part);
    if (found.step.parts.length) {
      this.#keep(found.key, found.step);
      return;
    }
    this.#steps = this.#steps.filter(({ step }) => step !== found.step);
    this.#drop(found.key, found.step);
  }

  /** @param {string} key */
  #read(key) {
    try {
      this.#take(key, JSON.parse(this.shelf.getItem(key) ?? ""));
    } catch {
      this.shelf.removeItem(key); // not ours
    }
  }

  /**
   * @param {string} key
   * @param {Step} step
   */
  #take(key, step) {
    this.#steps.push({ key, step });
    for (const part of step.parts) if (part.seen === null) this.#waiting.set(part.op, { key, step, part });
    this.#keep(key, step);
  }

  /**
   * @param {string} key
   * @param {Step} step
   */
  #keep(key, step) {
    try {
      this.shelf.setItem(key, JSON.stringify(step));
    } catch {
      // a full shelf: the step can be undone until the page is left
    }
  }

  /**
   * @param {string} key
   * @param {Step} step
   */
  #drop(key, step) {
    this.shelf.removeItem(key);
    for (const part of step.parts) this.#waiting.delete(part.op);
  }
}
