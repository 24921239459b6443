/**
 * Which images are shown, and how large.
 */

import { byId, later } from "../dom.js";

const WAIT = 300; // ms after the last key in the field that finds names
const PICTURES = [96, 160, 256]; // sizes of pictures that the server makes
const YEAR = 365 * 24 * 3600;

export class Chooser {
  /**
   * @param {(address: string) => void} go to another choice
   * @param {() => HTMLElement | null} grid
   * @param {() => void} resized pictures may have to be larger
   */
  constructor(go, grid, resized) {
    this.form = byId("choose", HTMLFormElement);
    this.slider = byId("size", HTMLInputElement);
    this.grid = grid;
    this.resized = resized;
    this.sides = (this.slider.dataset.sides ?? "").split(" ").map(Number);
    const choose = () => go(this.#address());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search.blur(); // keys are for the images again
      choose();
    });
    this.slider.addEventListener("input", () => this.resize());
    this.slider.addEventListener("change", () => this.slider.blur());
    const soon = later(WAIT, choose);
    this.form.addEventListener("input", ({ target }) => {
      if (target === this.search) soon();
      else choose();
    });
  }

  get search() {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem("q"));
  }

  /** Hide what is labelled, or show it again. */
  toggleHidden() {
    /** @type {HTMLInputElement} */ (this.form.elements.namedItem("hide")).click();
  }

  /** @param {number} steps */
  changeSize(steps) {
    this.slider.valueAsNumber += steps;
    this.resize();
  }

  /** Show pictures in the size of the slider, and remember it for the pages to come. */
  resize() {
    const side = this.sides[this.slider.valueAsNumber] ?? 160;
    document.cookie = `cv_side=${side}; path=/datasets; max-age=${YEAR}; samesite=lax`;
    this.apply();
    this.resized();
  }

  /** Lay out the present page for the size of the slider: it may have been fetched before. */
  apply() {
    const [grid, side] = [this.grid(), this.sides[this.slider.valueAsNumber] ?? 160];
    if (!grid || grid.dataset.side === String(side)) return;
    grid.dataset.side = String(side);
    const pixels = PICTURES.find((one) => one >= side) ?? 256;
    for (const image of grid.querySelectorAll("img"))
      if (Number(image.getAttribute("width")) < pixels) image.dataset.src = image.dataset.src?.replace(/size=\d+$/, `size=${pixels}`);
  }

  /** The address of what the form says, without what is usual. */
  #address() {
    const chosen = new URLSearchParams();
    for (const [key, value] of new FormData(this.form))
      if (typeof value === "string" && value && !(key === "queue" && value === "all")) chosen.set(key, value);
    return `${new URL(this.form.action).pathname}?${chosen}`;
  }

  /**
   * Let the form say what an address says, but for what is being typed.
   * @param {string} [query] of the address
   */
  read(query = location.search) {
    const chosen = new URLSearchParams(query);
    for (const element of this.form.elements) {
      if (element instanceof HTMLSelectElement)
        element.value = chosen.get(element.name) ?? (element.name === "queue" ? "all" : "");
      else if (element instanceof HTMLInputElement && element.type === "checkbox")
        element.checked = chosen.get(element.name) === element.value;
    }
    if (document.activeElement !== this.search) this.search.value = chosen.get("q") ?? "";
  }
}
