/**
 * One tile: what stands of its image is in its `data-` attributes; templates/tile.html makes them.
 */

import { counted, dot, make } from "../dom.js";

/**
 * @typedef {import("../saving/queue.js").Label} Label
 * @typedef {{ number: number, name: string, colour: string, state: string }} Class
 * @typedef {(number: number) => Class | undefined} Classes
 */

/**
 * What a tile shows.
 * @param {HTMLElement} tile
 * @returns {Label | null} null: it is not labelled
 */
export function labelOf(tile) {
  const { origin = "", who = "", model = "", boxes = "0", classes = "" } = tile.dataset;
  if (!origin) return null;
  return { origin, who, model, boxes: Number(boxes), classes: classes.split(" ").filter(Boolean).map(Number) };
}

/** @param {HTMLElement} tile */
export function versionOf(tile) {
  return Number(tile.dataset.version);
}

/** @param {HTMLElement} tile */
export function idOf(tile) {
  return tile.dataset.id ?? "";
}

/**
 * What the model sees in an image.
 * @param {HTMLElement} tile
 * @returns {{ number: number, probability: number } | null}
 */
export function suggestionOf(tile) {
  const [number, probability] = (tile.dataset.suggestion ?? "").split(" ");
  return number && probability ? { number: Number(number), probability: Number(probability) } : null;
}

/**
 * What stands, in words.
 * @param {Label | null} label
 * @param {Classes} classes
 */
export function wordsOf(label, classes) {
  if (!label) return "unlabelled";
  return label.classes.map((number) => classes(number)?.name ?? `class ${number}`).join(", ") || "empty";
}

/**
 * Show another label.
 *
 * @param {HTMLElement} tile
 * @param {Label | null} label
 * @param {Classes} classes
 */
export function show(tile, label, classes) {
  tile.dataset.origin = label?.origin ?? "";
  tile.dataset.who = label?.who ?? "";
  tile.dataset.model = label?.model ?? "";
  tile.dataset.boxes = String(label?.boxes ?? 0);
  tile.dataset.classes = label?.classes.join(" ") ?? "";
  const suggested = label ? null : suggestionOf(tile);
  const said = suggested ? classes(suggested.number) : undefined;
  const line = said && suggested ? suggestionLine(said, suggested.probability) : labelLine(label, classes);
  tile.querySelector(".label")?.replaceWith(line);
  const words = said ? `the model suggests ${said.name}` : wordsOf(label, classes);
  tile.setAttribute("aria-label", `${tile.dataset.name}, ${words}`);
}

/**
 * @param {Label | null} label
 * @param {Classes} classes
 */
function labelLine(label, classes) {
  if (!label) return make("p", { className: "label" }, make("span", { className: "text quiet" }, "unlabelled"));
  const words = wordsOf(label, classes);
  const dots = label.classes.map((number) => dot(classes(number)?.colour ?? "#888888"));
  const line = make(
    "p",
    {
      className: label.origin === "model" ? "label model" : "label",
      title: `${label.classes.length ? words : "nothing in it"} (${label.origin}: ${label.who})`,
    },
    make("span", { className: "dots" }, ...dots),
    make("span", { className: label.classes.length ? "text" : "text quiet" }, words),
  );
  if (label.boxes) line.append(make("span", { className: "boxes" }, counted(label.boxes, "box", "boxes")));
  return line;
}

/**
 * @param {Class} said
 * @param {number} probability
 */
function suggestionLine(said, probability) {
  return make(
    "p",
    { className: "label suggestion", title: `The model suggests ${said.name}` },
    make("span", { className: "dots" }, dot(said.colour)),
    make("span", { className: "text" }, `${said.name}?`),
    make("span", { className: "boxes" }, `${Math.round(probability * 100)} %`),
  );
}
