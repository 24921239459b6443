/** The curve of a training: loss and accuracy by epoch, as SVG. Colours and lines are the style sheet's. */

import { makeSvg } from "../dom.js";

/** @typedef {import("./types.js").Point} Point */
/** @typedef {"loss" | "accuracy"} Figure */

const WIDTH = 360;
const HEIGHT = 190;
const LEFT = 44;
const BOTTOM = 26;
const TOP = 22;
const RIGHT = 12;
const TICKS = 4;

/**
 * Draw both panels anew.
 *
 * @param {Element} place what they replace the content of
 * @param {Point[]} points in the order of their epochs
 */
export function drawCurve(place, points) {
  place.replaceChildren(panel("loss", "Loss", points), panel("accuracy", "Accuracy", points));
}

/**
 * The ends of an axis and where its ticks are: round numbers that hold all values (Heckbert, Graphics Gems, 1990).
 *
 * @param {number} least
 * @param {number} most
 * @param {number} [count] of ticks, about
 * @returns {number[]} two at least, rising
 */
export function ticks(least, most, count = TICKS) {
  const range = most - least || Math.abs(most) || 1;
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(least / step);
  const last = Math.max(Math.ceil(most / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/**
 * @param {Figure} figure
 * @param {string} title
 * @param {Point[]} points
 */
function panel(figure, title, points) {
  const all = points.flatMap((point) => [point[figure], point[`val_${figure}`]]).filter(isNumber);
  const [least, most] = figure === "accuracy" ? [0.9, 1] : [0, 0]; // that are seen in any case
  const marks = all.length ? ticks(Math.min(least, ...all), Math.max(most, ...all)) : [0, 1];
  const lastEpoch = Math.max(2, points.at(-1)?.epoch ?? 2);
  const [low, high] = [marks[0] ?? 0, marks.at(-1) ?? 1];
  const x = (/** @type {number} */ epoch) => LEFT + ((epoch - 1) / (lastEpoch - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said(title, figure, points) });
  svg.append(text(title, LEFT, 13, "title"));
  for (const mark of marks) {
    svg.append(makeSvg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(mark), y2: y(mark), class: "mark" }));
    svg.append(text(short(mark), LEFT - 6, y(mark) + 4, "value"));
  }
  for (const epoch of new Set([1, Math.round((lastEpoch + 1) / 2), lastEpoch])) {
    svg.append(text(String(epoch), x(epoch), HEIGHT - 8, "epoch"));
  }
  for (const [name, kind] of /** @type {const} */ ([[figure, "learned"], [`val_${figure}`, "held"]])) {
    svg.append(...line(points, name, kind, x, y));
  }
  return svg;
}

/**
 * A line, broken where there is no number; an epoch on its own is a dot.
 *
 * @param {Point[]} points
 * @param {Figure | "val_loss" | "val_accuracy"} name
 * @param {string} kind
 * @param {(epoch: number) => number} x
 * @param {(value: number) => number} y
 */
function line(points, name, kind, x, y) {
  let path = "";
  let pen = "M";
  for (const point of points) {
    const value = point[name];
    if (isNumber(value)) path += `${pen}${x(point.epoch).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = isNumber(value) ? "L" : "M";
  }
  const last = points.findLast((point) => isNumber(point[name]));
  const value = last?.[name];
  const parts = [makeSvg("path", { d: path, class: `line ${kind}` })];
  if (last && isNumber(value)) parts.push(makeSvg("circle", { cx: x(last.epoch), cy: y(value), r: 3, class: `dot ${kind}` }));
  return parts;
}

/**
 * What the panel says to who does not see it; all figures are in the table.
 *
 * @param {string} title
 * @param {Figure} figure
 * @param {Point[]} points
 */
function said(title, figure, points) {
  const last = points.at(-1);
  const value = last?.[`val_${figure}`];
  return last && isNumber(value) ? `${title}: ${short(value)} in validation after epoch ${last.epoch}` : title;
}

/** @param {number | null | undefined} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number";
}

/** @param {number} value */
function short(value) {
  return String(Number(value.toPrecision(3)));
}

/**
 * @param {string} words
 * @param {number} x
 * @param {number} y
 * @param {string} kind
 */
function text(words, x, y, kind) {
  const made = makeSvg("text", { x, y, class: kind });
  made.textContent = words;
  return made;
}
