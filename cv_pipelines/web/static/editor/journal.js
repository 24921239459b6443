/** What is done, on its way to the server by the queue that the grid uses, too; and which versions are known. */

import { SaveQueue } from "../saving/queue.js";
import { Saver } from "../saving/saver.js";
import { UNLABELLED } from "./editing.js";

/** @typedef {import("./shapes.js").Annotation} Annotation */
/** @typedef {import("../saving/queue.js").Saying} Saying */
/** @typedef {import("../saving/queue.js").Conflict} Refused */

/** @typedef {{version: number, origin: string, who: string}} Author of what stood at a version */

const TOGETHER = 400; // ms: small moves by keys go out as one

export class Journal {
  /** @type {Map<string, number>} */
  #versions = new Map();
  /** @type {WeakMap<Annotation, Author>} what others have said: an undo leads back to it, and it stays theirs */
  #theirs = new WeakMap();
  #nudged = { image: "", op: "" };
  #timer = 0;

  /**
   * @param {string} prefix of the keys in the browser's store: one for each data set and person
   * @param {string} who says it
   * @param {string} address that takes changes
   * @param {{refused: (refused: Refused) => void, state: (state: import("../saving/saver.js").State) => void}} listener
   */
  constructor(prefix, who, address, listener) {
    this.who = who;
    this.queue = new SaveQueue(localStorage, prefix);
    this.saver = new Saver(this.queue, address, {
      saved: (_, { image_id, version }) => this.learn(image_id, version),
      refused: (_, refused) => listener.refused(refused), // what stands was not seen yet: it stays the old version
      counts: () => {},
      state: listener.state,
    });
    window.addEventListener("pagehide", () => this.saver.start());
  }

  /** @param {string} image @param {number} version that stands */
  learn(image, version) {
    this.#versions.set(image, Math.max(version, this.version(image)));
  }

  /** @param {string} image */
  version(image) {
    return this.#versions.get(image) ?? 0;
  }

  /** Note what stands, or stood. @param {Annotation} annotation @param {Author} author */
  note(annotation, { version, origin, who }) {
    if (origin !== "person" || who !== this.who) this.#theirs.set(annotation, { version, origin, who });
  }

  /** Who else has said just this, if it stood before. @param {Annotation} annotation */
  authorOf(annotation) {
    return this.#theirs.get(annotation);
  }

  /** Say something of an image, or go back to what somebody else has said of it. @param {string} image @param {Annotation} annotation all of it @param {boolean} [nudge] more of the same may come */
  say(image, annotation, nudge = false) {
    if (nudge && this.#nudged.image === image) this.queue.withdraw(this.#nudged.op);
    const theirs = this.authorOf(annotation);
    /** @type {Saying} */
    const what = annotation === UNLABELLED ? { delete: true } : theirs ? { restore: theirs.version } : { annotation };
    const { origin, who } = theirs ?? { origin: "person", who: this.who };
    const label = { classes: annotation.classes, boxes: annotation.boxes.length, origin, who, model: "", ...(theirs && { annotation }) };
    const entry = this.queue.add(image, this.version(image), what, annotation === UNLABELLED ? null : label);
    this.#nudged = nudge ? { image, op: entry.op } : { image: "", op: "" };
    clearTimeout(this.#timer);
    if (nudge) this.#timer = window.setTimeout(() => this.saver.start(), TOGETHER);
    else this.saver.start();
  }

  /** What is to be shown of an image: what was said last, or what stands. @param {string} image @param {Annotation | null} stands @returns {Annotation} */
  shown(image, stands) {
    const last = this.queue.lastOf(image);
    if (!last || "undoes" in last.what) return stands ?? UNLABELLED;
    return sayingOf(last.what, last.shows, stands);
  }
}

/** The annotation that a saying leads to; of an undo of the grid: what stands. @param {Saying} saying @param {import("../saving/queue.js").Label | null} shows @param {Annotation | null} stands @returns {Annotation} */
export function sayingOf(saying, shows, stands) {
  if ("annotation" in saying) return /** @type {Annotation} */ (saying.annotation);
  if ("classes" in saying) return { classes: saying.classes, boxes: stands?.boxes ?? [] };
  if ("restore" in saying) return /** @type {Annotation | undefined} */ (shows?.annotation) ?? stands ?? UNLABELLED;
  return UNLABELLED;
}
