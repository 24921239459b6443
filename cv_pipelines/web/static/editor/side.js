/** The lists beside the picture: classes of the image, the class that is drawn, the objects. */

import { byId, dot, make } from "../dom.js";

/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Annotation} Annotation */
/**
 * @typedef {object} Doing what a click on something does
 * @property {(number: number) => void} toggle whether the image has a class
 * @property {(number: number) => void} draw a class
 * @property {(place: number) => void} select an object
 * @property {(place: number) => void} hover
 * @property {(shape: Shape) => void} hide or show
 * @property {(purpose: "image" | "object") => void} choose from all classes
 * @property {() => void} accept the suggestion
 */

const FEW = 14; // classes that are all shown
const MOST_LISTED = 1000;

export class Side {
  /** @type {unknown[]} */
  #shown = [];

  /** @param {import("./classes.js").Classes} classes @param {boolean} mayEdit @param {Doing} doing */
  constructor(classes, mayEdit, doing) {
    this.classes = classes;
    this.mayEdit = mayEdit;
    this.doing = doing;
    this.ofImage = byId("classes", HTMLUListElement);
    this.palette = document.getElementById("palette");
    this.objects = byId("objects", HTMLUListElement);
    this.objects.addEventListener("pointerover", (event) => doing.hover(placeOf(event)));
    this.objects.addEventListener("pointerleave", () => doing.hover(-1));
    this.objects.addEventListener("click", (event) => {
      if (placeOf(event) >= 0) doing.select(placeOf(event));
    });
  }

  /** @param {Annotation} annotation @param {number} selected @param {(shape: Shape) => boolean} shown @param {string} empty what stands where there are no objects */
  draw(annotation, selected, shown, empty) {
    const visible = annotation.boxes.map(shown).join();
    const state = [annotation.classes, annotation.boxes, selected, this.classes.drawn, visible, empty];
    if (state.every((one, at) => one === this.#shown[at])) return;
    this.#shown = state;
    this.ofImage.replaceChildren(...this.#imageChips(annotation.classes));
    this.palette?.replaceChildren(...this.#drawChips());
    byId("count", HTMLElement).textContent = annotation.boxes.length ? `Objects (${annotation.boxes.length})` : "Objects";
    this.objects.dataset.empty = empty;
    this.objects.replaceChildren(...annotation.boxes.slice(0, MOST_LISTED).map((shape, place) => this.#object(shape, place, place === selected, shown(shape))));
    const current = this.objects.querySelector('[aria-selected="true"]');
    current?.scrollIntoView({ block: "nearest" });
    if (current) this.objects.setAttribute("aria-activedescendant", current.id);
    else this.objects.removeAttribute("aria-activedescendant");
  }

  /** @param {number} place */
  hover(place) {
    for (const row of this.objects.children) row.classList.toggle("hovered", row.getAttribute("data-place") === String(place));
  }

  /** @param {{class: number, probability: number} | null} suggestion */
  suggest(suggestion) {
    const section = byId("suggestion", HTMLElement);
    section.hidden = !suggestion;
    section.replaceChildren();
    if (!suggestion) return;
    const { name, colour } = this.classes.of(suggestion.class);
    const percent = ` ${Math.round(suggestion.probability * 100)}\u00a0%`;
    section.append(make("p", null, "The model suggests ", dot(colour), " ", make("strong", null, name), percent));
    if (!this.mayEdit) return;
    section.append(make("button", { type: "button", onclick: this.doing.accept }, "Accept (A)"));
  }

  /** @param {number[]} has @returns {HTMLLIElement[]} */
  #imageChips(has) {
    const all = this.classes.active.map((one) => one.number);
    const listed = all.length <= FEW && this.mayEdit ? [...new Set([...all, ...has])] : has;
    const chips = listed.map((number) => this.#chip(number, has.includes(number), this.mayEdit ? () => this.doing.toggle(number) : null, ""));
    if (!listed.length && (!this.mayEdit || !all.length)) chips.push(make("li", { className: "quiet" }, "of no class"));
    if (this.mayEdit && all.length > FEW) {
      chips.push(make("li", null, make("button", { type: "button", onclick: () => this.doing.choose("image") }, "Choose…")));
    }
    return chips;
  }

  /** @returns {HTMLLIElement[]} */
  #drawChips() {
    const all = this.classes.active.map((one) => one.number);
    byId("more", HTMLElement).hidden = all.length <= FEW;
    const { drawn } = this.classes;
    const listed = all.length <= FEW ? all : [...new Set([...all.slice(0, 9), ...(drawn < 0 ? [] : [drawn])])];
    const chips = listed.map((number) => this.#chip(number, number === drawn, () => this.doing.draw(number), this.classes.digitOf(number)));
    if (!all.length) chips.push(make("li", { className: "quiet" }, "There are no classes yet. Add one beside the grid."));
    return chips;
  }

  /** @param {number} number @param {boolean} on @param {(() => void) | null} click @param {string} key */
  #chip(number, on, click, key) {
    const { name, colour } = this.classes.of(number);
    const properties = { type: /** @type {const} */ ("button"), title: name, disabled: !click, onclick: click };
    const button = make("button", properties, dot(colour), make("span", null, name));
    button.setAttribute("aria-pressed", String(on));
    if (key) button.append(make("kbd", null, key));
    return make("li", null, button);
  }

  /** @param {Shape} shape @param {number} place @param {boolean} selected @param {boolean} shown */
  #object(shape, place, selected, shown) {
    const { name, colour } = this.classes.of(shape.class);
    const row = make("li", { className: shown ? "" : "off", id: `object-${place}`, title: wordsOf(shape) });
    row.dataset.place = String(place);
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(selected));
    const eye = make("button", { type: "button", tabIndex: -1 }, shown ? "hide" : "show");
    eye.setAttribute("aria-label", `${shown ? "Hide" : "Show"} ${name}`);
    eye.addEventListener("click", (event) => {
      event.stopPropagation();
      this.doing.hide(shape);
    });
    row.append(dot(colour), make("span", { className: "text" }, name), make("span", { className: "figure" }, sizeOf(shape)), eye);
    return row;
  }
}

/** @param {Shape} shape */
export const sizeOf = ({ width, height }) => `${figure(width)} × ${figure(height)}`;

/** What is known of an object. @param {Shape} shape */
function wordsOf(shape) {
  const kind = shape.outline.length ? `polygon, ${shape.outline.flat().length} points` : "box";
  const more = Object.entries(shape.attributes).map(([key, value]) => `\n${key}: ${value}`);
  return `${kind}, at ${figure(shape.left)}, ${figure(shape.top)}${more.join("")}`;
}

/** @param {number} value */
const figure = (value) => String(Math.round(value * 10) / 10);

/** @param {Event} event @returns {number} of the row that it is on */
function placeOf(event) {
  const row = event.target instanceof Element ? event.target.closest("[data-place]") : null;
  return row ? Number(row.getAttribute("data-place")) : -1;
}
