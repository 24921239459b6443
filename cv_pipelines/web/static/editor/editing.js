/** The labels of one image while they are edited: what is selected, each step, and the way back. No page in it. */

import * as history from "./history.js";
import { LEAST, alike, boxBetween, moved, resized } from "./shapes.js";

/** @typedef {import("./shapes.js").Annotation} Annotation */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Size} Size */
/** @typedef {import("./shapes.js").Handle} Handle */
/** @typedef {{annotation: Annotation, selected: number}} Step */

/**
 * Of an image that nobody has said anything of: told by what it is, for `nothing is on it` looks the same.
 * @type {Annotation}
 */
export const UNLABELLED = { classes: [], boxes: [] };

/** Small moves by keys that follow each other within this time are one step. */
const TOGETHER = 700; // ms

export class Editing {
  #history = history.begin(/** @type {Step} */ ({ annotation: UNLABELLED, selected: -1 }));
  /** @type {Annotation | null} */
  #preview = null;
  #nudged = -Infinity;
  /** @type {Size} */
  size = { width: 1, height: 1 };
  selected = -1;
  /** Whether nothing may be changed. */
  locked = false;

  /**
   * @param {(annotation: Annotation, words: string, nudge: boolean) => void} saved is told of each finished step
   * @param {() => number} [clock] ms
   */
  constructor(saved, clock = () => performance.now()) {
    this.saved = saved;
    this.clock = clock;
  }

  /** What is to be shown. */
  get annotation() {
    return this.#preview ?? this.#history.present.annotation;
  }

  /** Whether a gesture goes on. */
  get previewing() {
    return this.#preview !== null;
  }

  /** The steps, to come back to. */
  get steps() {
    return this.#history;
  }

  get canUndo() {
    return this.#history.past.length > 0;
  }

  get canRedo() {
    return this.#history.future.length > 0;
  }

  /** @returns {Shape | null} */
  get shape() {
    return this.annotation.boxes[this.selected] ?? null;
  }

  /**
   * Take up an image. Steps of earlier are gone on with where they lead to what stands; else that is one more step.
   * @param {Annotation} annotation @param {Size} size @param {history.History<Step>} [steps]
   */
  open(annotation, size, steps) {
    const step = { annotation, selected: -1 };
    if (steps) this.#history = same(steps.present.annotation, annotation) ? steps : history.advance(steps, step);
    else this.#history = history.begin(step);
    this.#preview = null;
    this.size = size;
    this.selected = -1;
  }

  /** Show what a gesture would lead to; null: nothing came of it. @param {number} place @param {Shape | null} shape */
  preview(place, shape) {
    this.#preview = shape ? withBox(this.#history.present.annotation, place, shape) : null;
  }

  /** @param {number} place -1: nothing */
  select(place) {
    this.selected = place < this.annotation.boxes.length ? place : -1;
    this.#nudged = -Infinity;
  }

  /** Select the one after (or before) the selected one, around the end. @param {1 | -1} step */
  selectNext(step) {
    const count = this.annotation.boxes.length;
    if (count) this.select(this.selected < 0 ? (step > 0 ? 0 : count - 1) : (this.selected + step + count) % count);
  }

  /** @param {Shape} shape @param {string} words what has been done, for people */
  add(shape, words) {
    const { classes, boxes } = this.#history.present.annotation;
    this.#step({ classes, boxes: [...boxes, shape] }, boxes.length, words);
  }

  /** Change the object at a place; null takes it away. @param {number} place @param {Shape | null} shape @param {string} words */
  change(place, shape, words) {
    const { classes, boxes } = this.#history.present.annotation;
    if (shape) this.#step(withBox({ classes, boxes }, place, shape), place, words);
    else this.#step({ classes, boxes: boxes.filter((_, at) => at !== place) }, -1, words);
  }

  remove() {
    if (this.shape) this.change(this.selected, null, "Deleted");
  }

  /** @param {number} number @param {string} name */
  reclass(number, name) {
    if (this.shape && this.shape.class !== number) this.change(this.selected, { ...this.shape, class: number }, `Is now ${name}`);
  }

  duplicate() {
    if (!this.shape) return;
    const there = moved(this.shape, 10, 10, this.size);
    this.add(alike(there, this.shape) ? moved(this.shape, -10, -10, this.size) : there, "Duplicated");
  }

  /** @param {number} across @param {number} down pixels */
  nudge(across, down) {
    if (this.shape) this.#nudge(moved(this.shape, across, down, this.size), "Moved");
  }

  /** Move the right and lower sides of a box. @param {number} across @param {number} down pixels */
  grow(across, down) {
    const shape = this.shape;
    if (!shape || shape.outline.length) return;
    const [x, y] = [shape.left + shape.width + across, shape.top + shape.height + down];
    this.#nudge(resized(shape, across && down ? "se" : across ? "e" : "s", [x, y], this.size), "Resized");
  }

  /** A new box around a place, as large as is handy. @param {import("./shapes.js").Point} middle @param {number} side @param {number} number @param {string} words */
  addAround([x, y], side, number, words) {
    const half = Math.max(side / 2, LEAST);
    const shape = boxBetween([x - half, y - half], [x + half, y + half], number, this.size);
    if (shape) this.add(shape, words);
  }

  /** Whether the image as a whole has a class is turned around. @param {number} number @param {string} words */
  toggleClass(number, words) {
    const { classes, boxes } = this.#history.present.annotation;
    const next = classes.includes(number) ? classes.filter((one) => one !== number) : [...classes, number];
    this.#step({ classes: next, boxes }, this.selected, words);
  }

  /** @param {number[]} classes of the image as a whole @param {string} words */
  setClasses(classes, words) {
    this.#step({ classes, boxes: this.#history.present.annotation.boxes }, this.selected, words);
  }

  /** Take what somebody else has saved, or both, as a step that can be undone. @param {Annotation} annotation @param {string} words @param {boolean} save */
  replace(annotation, words, save) {
    this.#step(annotation, -1, words, save);
  }

  undo() {
    this.#back(history.undo(this.#history), "Undone");
  }

  redo() {
    this.#back(history.redo(this.#history), "Done again");
  }

  /** @param {history.History<Step>} steps @param {string} words */
  #back(steps, words) {
    this.#preview = null;
    if (this.locked || steps === this.#history) return;
    this.#history = steps;
    this.#nudged = -Infinity;
    this.selected = steps.present.selected;
    this.saved(steps.present.annotation, words, false);
  }

  /** @param {Shape} shape @param {string} words */
  #nudge(shape, words) {
    const { annotation } = this.#history.present;
    if (this.locked || alike(shape, annotation.boxes[this.selected])) return;
    const step = { annotation: withBox(annotation, this.selected, shape), selected: this.selected };
    const now = this.clock();
    const again = now - this.#nudged < TOGETHER;
    this.#history = again ? history.amend(this.#history, step) : history.advance(this.#history, step);
    this.#nudged = now;
    this.saved(step.annotation, words, true);
  }

  /** @param {Annotation} annotation @param {number} selected @param {string} words @param {boolean} [save] */
  #step(annotation, selected, words, save = true) {
    this.#preview = null;
    if (this.locked) return;
    if (!same(annotation, this.#history.present.annotation)) {
      this.#history = history.advance(this.#history, { annotation, selected });
      this.#nudged = -Infinity;
      if (save) this.saved(annotation, words, false);
    }
    this.selected = selected;
  }
}

/** @param {Annotation} one @param {Annotation} other */
const same = (one, other) => alike(one, other) && (one === UNLABELLED) === (other === UNLABELLED);

/** @param {Annotation} annotation @param {number} place @param {Shape} shape @returns {Annotation} */
const withBox = ({ classes, boxes }, place, shape) => ({ classes, boxes: boxes.map((one, at) => (at === place ? shape : one)) });
