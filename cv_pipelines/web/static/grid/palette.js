/**
 * A list of classes that typing narrows: for data sets with more classes than keys.
 */

import { byId, dot, make } from "../dom.js";

/** @typedef {import("./tile.js").Class} Class */

export class Palette {
  /** @type {Class[]} */
  #found = [];
  #at = 0;

  /**
   * @param {import("./class_list.js").ClassList} classes
   * @param {(one: Class) => void} chosen
   */
  constructor(classes, chosen) {
    this.classes = classes;
    this.chosen = chosen;
    this.dialog = byId("palette", HTMLDialogElement);
    this.text = byId("palette-text", HTMLInputElement);
    this.list = byId("palette-list", HTMLUListElement);
    this.text.addEventListener("input", () => this.#find());
    this.text.addEventListener("keydown", (event) => this.#press(event));
    this.list.addEventListener("click", ({ target }) => {
      const row = target instanceof Element ? target.closest("li") : null;
      if (row) this.#choose([...this.list.children].indexOf(row));
    });
  }

  open() {
    this.text.value = "";
    this.#find();
    this.dialog.showModal();
  }

  #find() {
    const wanted = this.text.value.trim().toLocaleLowerCase();
    const starts = (/** @type {Class} */ one) => one.name.toLocaleLowerCase().startsWith(wanted);
    const held = this.classes.active.filter((one) => one.name.toLocaleLowerCase().includes(wanted));
    this.#found = [...held.filter(starts), ...held.filter((one) => !starts(one))];
    this.list.replaceChildren(...this.#found.map((one, at) => this.#row(one, at)));
    this.#mark(0);
  }

  /**
   * @param {Class} one
   * @param {number} at
   */
  #row(one, at) {
    const count = make("span", { className: "figure" }, this.classes.imagesOf(one.number).toLocaleString("en"));
    const row = make("li", { id: `palette-${at}` }, dot(one.colour), make("span", { className: "text" }, one.name), count);
    row.setAttribute("role", "option");
    return row;
  }

  /** @param {number} at */
  #mark(at) {
    this.#at = Math.max(0, Math.min(at, this.#found.length - 1));
    for (const [n, row] of [...this.list.children].entries()) row.setAttribute("aria-selected", String(n === this.#at));
    this.text.setAttribute("aria-activedescendant", this.#found.length ? `palette-${this.#at}` : "");
    this.list.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) this.#mark(this.#at + step);
    else if (event.key === "Enter") this.#choose(this.#at);
    else return;
    event.preventDefault();
  }

  /** @param {number} at */
  #choose(at) {
    const one = this.#found[at];
    if (!one) return;
    this.dialog.close();
    this.chosen(one);
  }
}
