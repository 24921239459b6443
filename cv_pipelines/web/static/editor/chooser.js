/** A class out of many: a part of its name, arrows, Enter. */

import { byId, dot, make } from "../dom.js";

const MOST = 200;

export class Chooser {
  /** @type {(number: number) => void} */
  #chosen = () => {};
  #at = 0;

  /** @param {import("./classes.js").Classes} classes */
  constructor(classes) {
    this.classes = classes;
    this.dialog = byId("chooser", HTMLDialogElement);
    this.wanted = byId("wanted", HTMLInputElement);
    this.found = byId("found", HTMLUListElement);
    this.wanted.addEventListener("input", () => this.#list(0));
    this.wanted.addEventListener("keydown", (event) => this.#key(event));
    this.found.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest("li") : null;
      if (row) this.#take(Number(row.dataset.number));
    });
  }

  /** @param {string} title @param {(number: number) => void} chosen */
  open(title, chosen) {
    this.#chosen = chosen;
    byId("chooser-title", HTMLElement).textContent = title;
    this.wanted.value = "";
    this.#list(0);
    this.dialog.showModal();
    this.wanted.focus();
  }

  /** @param {number} at */
  #list(at) {
    const part = this.wanted.value.trim().toLowerCase();
    const matching = this.classes.active.filter(({ name }) => name.toLowerCase().includes(part)).slice(0, MOST);
    this.#at = Math.min(Math.max(at, 0), Math.max(matching.length - 1, 0));
    this.found.replaceChildren(
      ...matching.map(({ number, name, colour }, place) => {
        const row = make("li", { id: `class-${number}` }, dot(colour), make("span", null, name));
        row.dataset.number = String(number);
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(place === this.#at));
        return row;
      }),
    );
    if (!matching.length) this.found.append(make("li", { className: "quiet" }, "No class is called so."));
    const current = this.found.querySelector('[aria-selected="true"]');
    current?.scrollIntoView({ block: "nearest" });
    this.wanted.setAttribute("aria-activedescendant", current?.id ?? "");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps) this.#list(this.#at + steps);
    else if (event.key === "Enter") this.#take(Number(this.found.querySelector('[aria-selected="true"]')?.getAttribute("data-number") ?? NaN));
    else return;
    event.preventDefault();
  }

  /** @param {number} number */
  #take(number) {
    if (Number.isNaN(number)) return;
    this.dialog.close();
    this.#chosen(number);
  }
}
