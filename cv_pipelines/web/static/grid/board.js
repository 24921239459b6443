/**
 * The tiles of a page, and which ones are chosen. Only tiles that change are touched.
 */

import { affected, all, neighbour, only, range, toggle } from "./selection.js";
import { idOf } from "./tile.js";

/** @typedef {import("./selection.js").Selection} Selection */

export class Board {
  /** @type {HTMLElement[]} */
  tiles = [];
  /** @type {Map<string, number>} positions by image */
  #places = new Map();
  /** @type {Selection} */
  #selection = only(-1);
  #columns = 0;
  #widths = new ResizeObserver(() => (this.#columns = 0));

  /**
   * @param {(count: number, current: HTMLElement | undefined) => void} chosen is told what is chosen now
   */
  constructor(chosen) {
    this.chosen = chosen;
  }

  get selection() {
    return this.#selection;
  }

  /** What keys act on, in the order of the page. */
  get affected() {
    return affected(this.#selection).flatMap((at) => this.tiles[at] ?? []);
  }

  get current() {
    return this.tiles[this.#selection.current];
  }

  get grid() {
    return this.tiles[0]?.parentElement ?? null;
  }

  /**
   * Take the tiles of a page.
   * @param {ParentNode} page
   * @param {string} [imageId] of the one that becomes current; else the first
   */
  take(page, imageId = "") {
    this.tiles = [...page.querySelectorAll(".tile")].filter((one) => one instanceof HTMLElement);
    this.#places = new Map(this.tiles.map((tile, at) => [idOf(tile), at]));
    this.#selection = only(-1);
    this.#columns = 0;
    this.#widths.disconnect();
    if (this.grid) this.#widths.observe(this.grid);
    this.choose(only(this.#places.get(imageId) ?? (this.tiles.length ? 0 : -1)), false);
  }

  /** @param {string} imageId */
  tileOf(imageId) {
    return this.tiles[this.#places.get(imageId) ?? -1];
  }

  /**
   * Choose other tiles.
   * @param {Selection} selection
   * @param {boolean} [focus] move the focus to the current one
   */
  choose(selection, focus = true) {
    const [before, after] = [this.#selection, selection];
    for (const at of before.chosen) if (!after.chosen.has(at)) this.tiles[at]?.setAttribute("aria-selected", "false");
    for (const at of after.chosen) if (!before.chosen.has(at)) this.tiles[at]?.setAttribute("aria-selected", "true");
    const [left, reached] = [this.tiles[before.current], this.tiles[after.current]];
    if (left !== reached) {
      left?.classList.remove("current");
      if (reached) for (const one of [left, this.tiles[0]]) one?.setAttribute("tabindex", "-1");
      reached?.classList.add("current");
      reached?.setAttribute("tabindex", "0");
    }
    this.#selection = selection;
    if (focus && reached) {
      reached.focus({ preventScroll: true });
      reached.scrollIntoView({ block: "nearest" });
    }
    this.chosen(selection.chosen.size, reached);
  }

  /**
   * Move in a direction.
   * @param {import("./selection.js").Direction} direction
   * @param {boolean} extend the range up to there
   */
  move(direction, extend) {
    const to = neighbour(this.#selection.current, direction, this.#countColumns(), this.tiles.length);
    if (to >= 0) this.choose(extend ? range(this.#selection, to) : only(to));
  }

  /**
   * Choose as a click does.
   * @param {HTMLElement} tile
   * @param {{ shiftKey: boolean, ctrlKey: boolean, metaKey: boolean }} event
   */
  click(tile, event) {
    const at = this.#places.get(idOf(tile)) ?? -1;
    if (at < 0) return;
    if (event.shiftKey) this.choose(range(this.#selection, at));
    else this.choose(event.ctrlKey || event.metaKey ? toggle(this.#selection, at) : only(at));
  }

  toggleCurrent() {
    if (this.current) this.choose(toggle(this.#selection, this.#selection.current));
  }

  chooseAll() {
    if (this.tiles.length) this.choose(all(this.#selection, this.tiles.length));
  }

  chooseOnlyCurrent() {
    this.choose(only(this.#selection.current));
  }

  /**
   * Go to one image of the page.
   * @param {string} imageId
   */
  goTo(imageId) {
    const at = this.#places.get(imageId);
    if (at !== undefined) this.choose(only(at));
  }

  /**
   * Go to the tile after all that are chosen.
   * @returns {boolean} false where the page ends
   */
  moveOn() {
    const next = Math.max(this.#selection.current, ...this.#selection.chosen) + 1;
    if (next >= this.tiles.length) return false;
    this.choose(only(next));
    return true;
  }

  /** Read once: the columns change with the width alone. */
  #countColumns() {
    if (!this.#columns && this.grid)
      this.#columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    return this.#columns || 1;
  }
}
