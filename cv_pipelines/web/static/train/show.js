/** What the page shows of a training that goes on, brought up to date in place. */

import { drawCurve } from "./curve.js";

/** @typedef {import("./types.js").Training} Training */
/** @typedef {import("./types.js").Stage} Stage */
/** @typedef {import("./types.js").Point} Point */

const FIGURES = /** @type {const} */ (["loss", "val_loss", "accuracy", "val_accuracy"]);

/**
 * @param {Element} place the part of the page
 * @param {Training} training
 */
export function show(place, training) {
  field(place, "seconds", (one) => write(one, duration(training.seconds)));
  field(place, "note", (one) => note(one, training));
  field(place, "stages", (one) => one.replaceChildren(...training.stages.map(stage)));
  showCurve(place, training.curve);
}

/**
 * @param {Element} place the part of the page
 * @param {Point[]} points of the curve
 */
export function showCurve(place, points) {
  field(place, "curve", (figure) => {
    figure.toggleAttribute("hidden", !points.length);
    const panels = figure.querySelector(".panels");
    if (panels) drawCurve(panels, points);
  });
  field(place, "epochs", (body) => body.replaceChildren(...points.map(row)));
}

/**
 * A length of time as people say it; the server says it in the same way.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/**
 * @param {Element} one
 * @param {Training} training
 */
function note(one, training) {
  const place = training.position === null ? "" : `Place ${training.position} in the queue. `;
  write(one, place + training.note);
  one.toggleAttribute("hidden", !(place + training.note));
}

/** @param {Stage} one */
function stage(one) {
  const item = document.createElement("li");
  const bar = document.createElement("progress");
  bar.max = one.total || 1;
  bar.value = one.total ? one.done : 0;
  bar.setAttribute("aria-label", one.step);
  const of = one.total ? ` of ${one.total.toLocaleString("en")}` : "";
  const done = one.total || one.done ? ` ${one.done.toLocaleString("en")}${of}` : "";
  item.append(span(one.step, ""), " ", bar, " ", span(one.stage + done, "quiet"));
  return item;
}

/** @param {Point} point */
function row(point) {
  const made = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = String(point.epoch);
  made.append(head);
  for (const name of FIGURES) {
    const cell = made.insertCell();
    cell.className = "figure";
    cell.textContent = point[name]?.toFixed(4) ?? "–";
  }
  return made;
}

/**
 * @param {string} words
 * @param {string} kind
 */
function span(words, kind) {
  const made = document.createElement("span");
  if (kind) made.className = kind;
  made.textContent = words;
  return made;
}

/**
 * Nothing is written that stands there already: who has it read out hears it once.
 *
 * @param {Element} one
 * @param {string} words
 */
function write(one, words) {
  if (one.textContent !== words) one.textContent = words;
}

/**
 * @param {Element} place
 * @param {string} name
 * @param {(found: Element) => void} work
 */
function field(place, name, work) {
  const found = place.querySelector(`[data-field="${name}"]`);
  if (found) work(found);
}
