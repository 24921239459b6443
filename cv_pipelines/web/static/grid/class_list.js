/**
 * The classes of the data set at the side, with how many images bear each.
 */

import { byId, dot, make } from "../dom.js";

/**
 * @typedef {import("./tile.js").Class} Class
 * @typedef {import("./tile.js").Label} Label
 * @typedef {import("../saving/saver.js").Counts} Counts
 */

const KEYS = 10;

export class ClassList {
  /** @type {Map<number, Class>} */
  #byNumber = new Map();
  /** @type {Map<string, { before: Label | null, after: Label | null }>} what is not in the counts yet, by op */
  #waiting = new Map();
  /** @type {Map<number, HTMLElement>} */
  #figures = new Map();

  /**
   * @param {Class[]} classes
   * @param {Counts} counts
   * @param {boolean} mayLabel
   */
  constructor(classes, counts, mayLabel) {
    this.list = byId("class-list", HTMLOListElement);
    this.labelled = byId("labelled", HTMLElement);
    this.bar = byId("labelled-bar", HTMLProgressElement);
    this.mayLabel = mayLabel;
    this.counts = counts;
    this.take(classes);
  }

  /** Those that labels may name, in the order of their keys. */
  get active() {
    return [...this.#byNumber.values()].filter((one) => one.state !== "retired");
  }

  /** @type {(number: number) => Class | undefined} */
  of = (number) => this.#byNumber.get(number);

  /**
   * The class of a key.
   * @param {number} key 1 to 9, and 0, which stands after them on keyboards
   */
  ofKey(key) {
    return this.active[(key + 9) % 10];
  }

  /**
   * Show other classes.
   * @param {Class[]} classes
   */
  take(classes) {
    this.#byNumber = new Map(classes.map((one) => [one.number, one]));
    byId("no-classes", HTMLElement).hidden = this.active.length > 0;
    this.#figures = new Map(this.active.map((one) => [one.number, make("span", { className: "figure" })]));
    this.list.replaceChildren(...this.active.map((one, at) => make("li", null, this.#button(one, at))));
    this.#show();
  }

  /**
   * The server has counted.
   * @param {Counts} counts
   */
  count(counts) {
    this.counts = counts;
    this.#show();
  }

  /**
   * Count something before the server does.
   * @param {string} op
   * @param {Label | null} before
   * @param {Label | null} after
   */
  expect(op, before, after) {
    this.#waiting.set(op, { before, after });
    this.#show();
  }

  /**
   * The server counts it now, or never will.
   * @param {string} op
   */
  settle(op) {
    this.#waiting.delete(op);
  }

  /**
   * How many images bear a class, as far as one knows.
   * @param {number} number
   */
  imagesOf(number) {
    let count = this.counts.classes[number] ?? 0;
    for (const { before, after } of this.#waiting.values())
      count += Number(after?.classes.includes(number) ?? false) - Number(before?.classes.includes(number) ?? false);
    return count;
  }

  #show() {
    let labelled = this.counts.labelled;
    for (const { before, after } of this.#waiting.values()) labelled += Number(after !== null) - Number(before !== null);
    write(this.labelled, labelled);
    this.bar.value = labelled;
    for (const [number, figure] of this.#figures) write(figure, this.imagesOf(number));
  }

  /**
   * @param {Class} one
   * @param {number} at
   */
  #button(one, at) {
    const button = make("button", { type: "button", disabled: !this.mayLabel });
    button.dataset.number = String(one.number);
    if (this.mayLabel) button.append(make("kbd", null, at < KEYS ? String((at + 1) % 10) : ""));
    const figure = this.#figures.get(one.number) ?? "";
    button.append(dot(one.colour), make("span", { className: "text", title: one.name }, one.name), figure);
    return button;
  }
}

/**
 * @param {HTMLElement} element
 * @param {number} value
 */
function write(element, value) {
  const text = value.toLocaleString("en");
  if (element.textContent !== text) element.textContent = text;
}
