/**
 * Labelling: shown at once, kept in the browser, sent to the server; and taken back.
 */

import { SaveQueue } from "../saving/queue.js";
import { reasonOf } from "../saving/refusals.js";
import { Saver } from "../saving/saver.js";
import { Conflicts } from "./conflicts.js";
import { idOf, labelOf, show, suggestionOf, versionOf, wordsOf } from "./tile.js";
import { UndoStack } from "./undo.js";

/**
 * @typedef {import("../saving/queue.js").Label} Label
 * @typedef {import("../saving/queue.js").Saying} Saying
 * @typedef {import("../saving/queue.js").Entry} Entry
 *
 * @typedef {object} Surroundings
 * @property {string} name of the data set
 * @property {string} address of the data set
 * @property {string} who labels
 * @property {import("./board.js").Board} board
 * @property {import("./class_list.js").ClassList} classes
 * @property {(words: string) => void} say aloud, for those who do not see it
 * @property {(state: import("../saving/saver.js").State) => void} state
 * @property {(waiting: number) => void} undoable
 */

export class Labelling {
  /** @type {Map<string, { version: number, label: Label | null }>} what the server has said since the page was opened */
  #known = new Map();

  /** @param {Surroundings} around */
  constructor(around) {
    const of = `${around.name}/${around.who}/`;
    this.around = around;
    this.queue = new SaveQueue(localStorage, `cv.save/${of}`);
    this.steps = new UndoStack(sessionStorage, `cv.undo/${of}`);
    this.conflicts = new Conflicts(localStorage, `cv.conflict/${of}`, around.address, around.classes.of, {
      again: (imageId) => this.#sayAgain(imageId),
      settled: (imageId) => this.overlay(imageId),
    });
    this.saver = new Saver(this.queue, `${around.address}/labels`, {
      saved: (entry, saved) => this.#saved(entry, saved),
      refused: (entry, conflict) => this.#refused(entry, conflict),
      counts: (counts) => around.classes.count(counts),
      state: around.state,
    });
    this.around.undoable(this.steps.size);
  }

  /** Send what earlier pages have left. */
  start() {
    this.saver.start();
  }

  /**
   * Label images with one class, as a whole.
   * @param {HTMLElement[]} tiles
   * @param {import("./tile.js").Class} one
   */
  label(tiles, one) {
    this.#say(
      tiles.filter((tile) => !this.#isMine(labelOf(tile), [one.number])),
      one.name,
      () => [one.number],
    );
  }

  /**
   * Give images a class more, or take it away where all have it.
   * @param {HTMLElement[]} tiles
   * @param {import("./tile.js").Class} one
   */
  toggle(tiles, one) {
    const bears = (/** @type {HTMLElement} */ tile) => labelOf(tile)?.classes.includes(one.number) ?? false;
    const away = tiles.every(bears);
    this.#say(
      tiles.filter((tile) => bears(tile) === away),
      away ? `not ${one.name}` : `${one.name}, too`,
      (before) => {
        const others = (before?.classes ?? []).filter((number) => number !== one.number);
        return away ? others : [...others, one.number].sort((a, b) => a - b);
      },
    );
  }

  /**
   * Let what the model says of images be one's own label: suggestions, and labels that are a model's.
   * @param {HTMLElement[]} tiles
   * @returns {number} of how many
   */
  accept(tiles) {
    const said = tiles.filter((tile) => {
      const label = labelOf(tile);
      return label ? label.origin === "model" : suggestionOf(tile);
    });
    const suggested = new Map(said.map((tile) => [idOf(tile), suggestionOf(tile)?.number]));
    this.#say(said, "as the model says", (before, tile) => before?.classes ?? [suggested.get(idOf(tile)) ?? 0]);
    return said.length;
  }

  /**
   * Take labels away.
   * @param {HTMLElement[]} tiles
   */
  unlabel(tiles) {
    this.#say(
      tiles.filter((tile) => labelOf(tile)),
      "unlabelled",
      () => null,
    );
  }

  /**
   * Take the last step back.
   * @returns {import("./undo.js").Step | undefined} undefined: there is none
   */
  undo() {
    const step = this.steps.pop();
    if (!step) return undefined;
    for (const part of step.parts) {
      const tile = this.around.board.tileOf(part.image_id);
      const shown = tile ? labelOf(tile) : (this.queue.lastOf(part.image_id)?.shows ?? null);
      if (this.queue.withdraw(part.op)) this.around.classes.settle(part.op);
      else {
        const what = part.seen === null ? { undoes: part.op } : { restore: part.seen };
        const seen = tile ? versionOf(tile) : (this.#known.get(part.image_id)?.version ?? (part.seen ?? 0) + 1);
        const entry = this.queue.add(part.image_id, seen, what, part.before);
        this.around.classes.expect(entry.op, shown, part.before);
      }
      if (tile) this.#show(tile, part.before, Boolean(this.queue.lastOf(part.image_id)));
    }
    this.around.classes.count(this.around.classes.counts);
    this.around.undoable(this.steps.size);
    this.around.say(`Undone: ${step.words}`);
    this.saver.start();
    return step;
  }

  /** Show on all tiles of a page what the server does not know yet, or did not when it made the page. */
  overlayAll() {
    for (const tile of this.around.board.tiles) this.overlay(idOf(tile));
  }

  /** @param {string} imageId */
  overlay(imageId) {
    const tile = this.around.board.tileOf(imageId);
    if (!tile) return;
    const known = this.#known.get(imageId);
    if (known && known.version > versionOf(tile)) {
      tile.dataset.version = String(known.version);
      this.#show(tile, known.label, false);
    }
    const last = this.queue.lastOf(imageId);
    if (last) this.#show(tile, last.shows, true);
    this.conflicts.mark(tile);
  }

  /**
   * @param {HTMLElement[]} tiles
   * @param {string} words
   * @param {(before: Label | null, tile: HTMLElement) => number[] | null} classesOf null: none, and no boxes
   */
  #say(tiles, words, classesOf) {
    if (!tiles.length) return;
    const parts = tiles.map((tile) => {
      const [imageId, before, version] = [idOf(tile), labelOf(tile), versionOf(tile)];
      const classes = classesOf(before, tile);
      const after = classes && { classes, boxes: before?.boxes ?? 0, origin: "person", who: this.around.who, model: "" };
      const entry = this.queue.add(imageId, version, classes ? { classes } : { delete: true }, after);
      this.around.classes.expect(entry.op, before, after);
      this.conflicts.drop(imageId);
      this.#show(tile, after, true);
      return { image_id: imageId, op: entry.op, before, seen: null };
    });
    const [first] = tiles;
    const which = tiles.length === 1 && first ? first.dataset.name : `${tiles.length} images`;
    this.steps.push({ address: location.pathname + location.search, words: `${which}: ${words}`, parts });
    this.around.undoable(this.steps.size);
    this.around.say(`${which}: ${words}`);
    this.saver.start();
  }

  /**
   * Whether saying it again would say nothing new.
   * @param {Label | null} label
   * @param {number[]} classes
   */
  #isMine(label, classes) {
    const same = label?.classes.length === classes.length && classes.every((one) => label.classes.includes(one));
    return same && label.boxes === 0 && label.origin === "person" && label.who === this.around.who;
  }

  /** @param {string} imageId */
  #sayAgain(imageId) {
    const conflict = this.conflicts.of(imageId);
    if (!conflict?.mine) return;
    this.conflicts.drop(imageId);
    const entry = this.queue.add(imageId, conflict.version, conflict.mine.what, conflict.mine.shows);
    this.around.classes.expect(entry.op, conflict.label, conflict.mine.shows);
    const part = { image_id: imageId, op: entry.op, before: conflict.label, seen: null };
    this.steps.push({ address: location.pathname + location.search, words: "said again", parts: [part] });
    this.around.undoable(this.steps.size);
    this.overlay(imageId);
    this.saver.start();
  }

  /**
   * @param {Entry} entry
   * @param {import("../saving/queue.js").Saved} saved
   */
  #saved(entry, saved) {
    this.around.classes.settle(entry.op);
    this.steps.saved(entry.op, entry.seen ?? 0);
    this.#takeNews(saved.image_id, saved.version, saved.label);
  }

  /**
   * @param {Entry} entry
   * @param {import("../saving/queue.js").Conflict} conflict
   */
  #refused(entry, conflict) {
    this.around.classes.settle(entry.op);
    this.steps.refused(entry.op);
    this.around.undoable(this.steps.size);
    if (conflict.mine) this.conflicts.add(conflict);
    if (conflict.code === "conflict") this.#takeNews(conflict.image_id, conflict.version, conflict.label);
    this.overlay(conflict.image_id);
    const stands = `${conflict.who || "somebody"} says ${wordsOf(conflict.label, this.around.classes.of)}`;
    this.around.say(`Not taken: ${reasonOf(conflict) || stands}`);
  }

  /**
   * @param {string} imageId
   * @param {number} version
   * @param {Label | null} label
   */
  #takeNews(imageId, version, label) {
    this.#known.set(imageId, { version, label });
    const tile = this.around.board.tileOf(imageId);
    if (!tile) return;
    tile.dataset.version = String(version);
    if (!this.queue.lastOf(imageId)) this.#show(tile, label, false);
  }

  /**
   * @param {HTMLElement} tile
   * @param {Label | null} label
   * @param {boolean} unsaved
   */
  #show(tile, label, unsaved) {
    show(tile, label, this.around.classes.of);
    tile.classList.toggle("unsaved", unsaved);
  }
}
