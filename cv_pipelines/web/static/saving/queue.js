/**
 * What a person has said of images and the server has not confirmed yet: pure, but for a storage that is given.
 *
 * Each thing that was said is an entry of its own in the storage, so tabs do not overwrite each other's. Entries of
 * one image are sent one after the other: the second is based on the version that the first has become.
 */

/**
 * @typedef {object} Label what stands of an image, in short
 * @property {number[]} classes numbers, of the image as a whole
 * @property {number} boxes how many there are
 * @property {string} origin `person`, `import` or `model`
 * @property {string} who has said it
 * @property {string} model its version, where it is a model's
 * @property {object} [annotation] all that it says, where an entry goes back to it
 *
 * @typedef {{ classes: number[] } | { annotation: object } | { delete: true } | { restore: number }} Saying
 *   the classes of the image as a whole, all that is said of it, nothing, or what stood at an earlier version
 *
 * @typedef {object} Entry
 * @property {string} op names it; later ones sort after earlier ones
 * @property {string} image_id
 * @property {Saying | { undoes: string }} what `undoes` an entry that has no answer yet
 * @property {number | null} seen the version that it is based on; null until the entry before it has an answer
 * @property {boolean} sent at least once: the answer may have been lost
 * @property {Label | null} shows how the image looks with it
 *
 * @typedef {object} Saved
 * @property {string} image_id
 * @property {number} version
 * @property {Label | null} label
 *
 * @typedef {object} Refusal
 * @property {string} image_id
 * @property {string} code `conflict`: somebody was quicker
 * @property {number} version that stands
 * @property {string} who has said what stands
 * @property {Label | null} label that stands
 * @property {string} [detail] what is wrong, where it is no conflict
 *
 * @typedef {{ what: Saying, shows: Label | null }} Mine what one has said
 * @typedef {Refusal & { mine: Mine | null }} Conflict what was refused: what stands, and what one has said
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Shelf
 */

let counted = 0;

/** A name for an entry that sorts after all names that were given before. */
function newOp() {
  const random = Math.floor(Math.random() * 2 ** 30).toString(36).padStart(6, "0");
  return `${Date.now().toString(36).padStart(9, "0")}-${(counted++).toString(36).padStart(5, "0")}-${random}`;
}

export class SaveQueue {
  /** @type {Map<string, Entry>} by op, in their order */
  #entries = new Map();
  /** @type {Map<string, string[]>} ops by image */
  #ofImage = new Map();

  /**
   * @param {Shelf} shelf keeps entries when the page is gone
   * @param {string} prefix of their keys: one per data set and person
   */
  constructor(shelf, prefix) {
    this.shelf = shelf;
    this.prefix = prefix;
    /** Whether the shelf has taken all entries: it may be full, or forbidden. */
    this.kept = true;
    for (const entry of this.#onShelf()) this.#take(entry);
  }

  get size() {
    return this.#entries.size;
  }

  /** @returns {Entry[]} all, in their order */
  get entries() {
    return [...this.#entries.values()];
  }

  /**
   * The last thing said of an image that has no answer yet.
   * @param {string} imageId
   */
  lastOf(imageId) {
    const op = this.#ofImage.get(imageId)?.at(-1);
    return op === undefined ? undefined : this.#entries.get(op);
  }

  /**
   * Add what was said.
   *
   * @param {string} imageId
   * @param {number} seen the version that the page shows
   * @param {Saying | { undoes: string }} what
   * @param {Label | null} shows how the image looks with it
   * @returns {Entry}
   */
  add(imageId, seen, what, shows) {
    const waits = this.#ofImage.has(imageId);
    const entry = { op: newOp(), image_id: imageId, what, seen: waits ? null : seen, sent: false, shows };
    this.#take(entry);
    this.#keep(entry);
    return entry;
  }

  /**
   * Take an entry back as if it had never been: only where it was never sent, and nothing came after it.
   * @param {string} op
   * @returns {boolean} whether it is gone
   */
  withdraw(op) {
    const entry = this.#entries.get(op);
    if (!entry || entry.sent || this.lastOf(entry.image_id) !== entry) return false;
    this.#drop(entry);
    return true;
  }

  /**
   * The next entries to send, each of another image; they are marked as sent.
   *
   * @param {number} most
   * @returns {Entry[]} empty when all are saved
   */
  next(most) {
    const batch = [];
    for (const [, [first]] of this.#ofImage) {
      const entry = first === undefined ? undefined : this.#entries.get(first);
      if (!entry || this.#isGone(entry)) continue;
      batch.push(entry);
      if (batch.length === most) break;
    }
    for (const entry of batch) {
      if (entry.sent) continue;
      entry.sent = true;
      this.#keep(entry);
    }
    return batch;
  }

  /**
   * An entry was saved: what was said next of its image is based on that.
   *
   * @param {Entry} entry
   * @param {number} version that it has become
   */
  saved(entry, version) {
    const [, ...later] = (this.#ofImage.get(entry.image_id) ?? []).map((op) => this.#entries.get(op));
    for (const [at, one] of later.entries()) {
      if (!one) continue;
      if (at === 0) one.seen = version;
      if ("undoes" in one.what && one.what.undoes === entry.op) one.what = { restore: entry.seen ?? 0 };
      this.#keep(one); // before the first one goes: whenever this ends, the oldest entry knows what it is based on
    }
    this.#drop(entry);
  }

  /**
   * An entry was refused: what was said after it of its image is not sent either.
   *
   * @param {Entry} entry
   * @returns {Mine | null} the last thing that the person has said; null where they have taken it back
   */
  refused(entry) {
    const last = this.lastOf(entry.image_id) ?? entry;
    for (const op of [...(this.#ofImage.get(entry.image_id) ?? [])].reverse()) {
      const one = this.#entries.get(op);
      if (one) this.#drop(one);
    }
    return "undoes" in last.what ? null : { what: last.what, shows: last.shows };
  }

  /**
   * Forget an entry that another tab has had saved.
   * @param {string} key of the storage
   */
  gone(key) {
    const entry = this.#entries.get(key.slice(this.prefix.length));
    if (entry && key.startsWith(this.prefix)) this.#forget(entry);
  }

  /** @returns {Entry[]} what earlier pages, and other tabs, have left */
  #onShelf() {
    const keys = [];
    for (let at = 0; at < this.shelf.length; at++) {
      const key = this.shelf.key(at);
      if (key?.startsWith(this.prefix)) keys.push(key);
    }
    return keys.sort().flatMap((key) => {
      try {
        return [/** @type {Entry} */ (JSON.parse(this.shelf.getItem(key) ?? ""))];
      } catch {
        return []; // not ours
      }
    });
  }

  /** @param {Entry} entry */
  #take(entry) {
    this.#entries.set(entry.op, entry);
    const ops = this.#ofImage.get(entry.image_id);
    if (ops) ops.push(entry.op);
    else this.#ofImage.set(entry.image_id, [entry.op]);
  }

  /** @param {Entry} entry */
  #keep(entry) {
    try {
      this.shelf.setItem(this.prefix + entry.op, JSON.stringify(entry));
    } catch {
      this.kept = false;
    }
  }

  /**
   * Whether another tab has had an entry saved: it has taken it from the shelf.
   * @param {Entry} entry
   */
  #isGone(entry) {
    const gone = this.kept && this.shelf.getItem(this.prefix + entry.op) === null;
    if (gone) {
      const [, second] = this.#ofImage.get(entry.image_id) ?? [];
      const after = second === undefined ? undefined : this.#entries.get(second);
      if (after) after.seen ??= (entry.seen ?? 0) + 1; // what it has become there; where not, the server refuses
      this.#forget(entry);
    }
    return gone;
  }

  /** @param {Entry} entry */
  #drop(entry) {
    this.shelf.removeItem(this.prefix + entry.op);
    this.#forget(entry);
  }

  /** @param {Entry} entry */
  #forget(entry) {
    this.#entries.delete(entry.op);
    const rest = (this.#ofImage.get(entry.image_id) ?? []).filter((op) => op !== entry.op);
    if (rest.length) this.#ofImage.set(entry.image_id, rest);
    else this.#ofImage.delete(entry.image_id);
  }
}
