/** What is done, on its way to the server by the queue that the grid uses, too; and which versions are known. */

import { SaveQueue } from "../saving/queue.js";
import { Saver } from "../saving/saver.js";
import { UNLABELLED } from "./editing.js";

/** @typedef {import("./shapes.js").Annotation} Annotation */
/** @typedef {import("../saving/queue.js").Saying} Saying */
/** @typedef {import("../saving/queue.js").Conflict} Refused */

const TOGETHER = 400; // ms: small moves by keys go out as one

export class Journal {
  /** @type {Map<string, number>} */
  #versions = new Map();
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

  /** Say something of an image. @param {string} image @param {Annotation} annotation all of it @param {boolean} [nudge] more of the same may come */
  say(image, annotation, nudge = false) {
    if (nudge && this.#nudged.image === image) this.queue.withdraw(this.#nudged.op);
    /** @type {Saying} */
    const what = annotation === UNLABELLED ? { delete: true } : { annotation };
    const label = { classes: annotation.classes, boxes: annotation.boxes.length, origin: "person", who: this.who, model: "" };
    const entry = this.queue.add(image, this.version(image), what, annotation === UNLABELLED ? null : label);
    this.#nudged = nudge ? { image, op: entry.op } : { image: "", op: "" };
    clearTimeout(this.#timer);
    if (nudge) this.#timer = window.setTimeout(() => this.saver.start(), TOGETHER);
    else this.saver.start();
  }

  /** What is to be shown of an image: what was said last, or what stands. @param {string} image @param {Annotation | null} stands @returns {Annotation} */
  shown(image, stands) {
    const what = this.queue.lastOf(image)?.what;
    return what && !("undoes" in what) && !("restore" in what) ? sayingOf(what, stands) : (stands ?? UNLABELLED);
  }
}

/** The annotation that a saying leads to. @param {Saying} saying @param {Annotation | null} stands @returns {Annotation} */
export function sayingOf(saying, stands) {
  if ("annotation" in saying) return /** @type {Annotation} */ (saying.annotation);
  if ("classes" in saying) return { classes: saying.classes, boxes: stands?.boxes ?? [] };
  return UNLABELLED;
}
