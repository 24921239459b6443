/**
 * The objects over the picture, drawn as SVG: outlines in pixels of the image, handles and names in those of the screen.
 *
 * Objects are values that never change, so an object that is still the same keeps the elements that it has.
 */

import { makeSvg } from "../dom.js";
import { handlesOf } from "./shapes.js";
import { ringsOf } from "./hits.js";
import { toScreen } from "./view.js";

/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./view.js").View} View */
/** @typedef {{group: SVGGElement, tag: HTMLElement, looks: string}} Drawn the elements of an object, and how they look */
/**
 * @typedef {object} Scene
 * @property {View} view
 * @property {import("./shapes.js").Size} image
 * @property {Shape[]} shapes
 * @property {number} selected -1: none
 * @property {number} hovered -1: none
 * @property {(shape: Shape) => boolean} shown
 * @property {(number: number) => {name: string, colour: string}} classed
 * @property {boolean} names whether names of classes are shown
 * @property {boolean} handles whether the selected object can be changed
 * @property {Point[]} draft corners of what is being drawn, in pixels of the image
 * @property {boolean} rectangle the draft is a box: two corners
 * @property {string} colour of the draft
 * @property {Point | null} cross where the lines of the crosshair meet, on the screen
 */

/** Points of an outline that are shown with handles at a time: masks have thousands. */
export const MOST_HANDLES = 300;
/** Of more objects than this only those show their names that have so many screen pixels for them. */
const [CROWD, WIDE] = [40, 40];
/** More objects than this have one line each, not two: drawing them takes half the time. */
const MANY = 150;

export class Layer {
  /** @type {Map<Shape, Drawn>} */
  #drawn = new Map();

  /** @param {HTMLElement} stage with an image, an SVG and a place for names */
  constructor(stage) {
    this.picture = /** @type {HTMLImageElement} */ (stage.querySelector("img"));
    this.svg = /** @type {SVGSVGElement} */ (stage.querySelector("svg.layer"));
    this.tags = /** @type {HTMLElement} */ (stage.querySelector(".tags"));
    this.shapes = this.svg.appendChild(makeSvg("g", { class: "shapes" }));
    this.draft = this.svg.appendChild(makeSvg("g", { class: "draft" }));
    this.cross = this.svg.appendChild(makeSvg("path", { class: "cross" }));
    this.handles = this.svg.appendChild(makeSvg("g", { class: "handles" }));
  }

  /** @param {Scene} scene */
  draw(scene) {
    const { scale, left, top } = scene.view;
    const matrix = `matrix(${scale} 0 0 ${scale} ${left} ${top})`;
    this.picture.style.width = `${scene.image.width}px`;
    this.picture.style.height = `${scene.image.height}px`;
    this.picture.style.transform = `matrix(${scale}, 0, 0, ${scale}, ${left}, ${top})`;
    this.picture.style.imageRendering = scale >= 3 ? "pixelated" : "auto";
    this.shapes.setAttribute("transform", matrix);
    this.draft.setAttribute("transform", matrix);
    this.#drawShapes(scene);
    this.#drawDraft(scene);
    this.#drawHandles(scene);
    this.cross.setAttribute("d", scene.cross ? `M ${scene.cross[0]} 0 V 9999 M 0 ${scene.cross[1]} H 9999` : "");
  }

  /** @param {Scene} scene */
  #drawShapes(scene) {
    this.shapes.classList.toggle("many", scene.shapes.length > MANY);
    const gone = new Set(this.#drawn.keys());
    scene.shapes.forEach((shape, place) => {
      gone.delete(shape);
      this.#drawShape(scene, shape, place, this.#drawn.get(shape) ?? this.#make(shape));
    });
    for (const shape of gone) this.#remove(shape);
  }

  /** @param {Scene} scene @param {Shape} shape @param {number} place @param {Drawn} drawn */
  #drawShape({ view, shapes, selected, hovered, shown, classed, names }, shape, place, drawn) {
    const { name, colour } = classed(shape.class);
    const marked = place === selected || place === hovered;
    const visible = shown(shape) || place === selected;
    const crowded = shapes.length > CROWD && shape.width * view.scale < WIDE;
    const named = visible && (marked || (names && !crowded));
    const looks = [name, colour, place, place === selected, place === hovered, visible, named].join();
    if (looks !== drawn.looks) {
      drawn.looks = looks; // thousands are drawn at each step of the wheel: only what changes is touched
      const { group, tag } = drawn;
      group.setAttribute("class", `shape${place === selected ? " selected" : ""}${place === hovered ? " hovered" : ""}`);
      group.setAttribute("data-place", String(place));
      group.setAttribute("fill", colour);
      group.setAttribute("stroke", colour);
      group.setAttribute("display", visible ? "" : "none");
      tag.hidden = !named;
      tag.textContent = name;
      tag.classList.toggle("selected", place === selected);
      tag.style.backgroundColor = colour;
      tag.style.color = inkOn(colour);
    }
    if (!named) return;
    const [x, y] = toScreen(view, [shape.left, shape.top]);
    drawn.tag.style.maxWidth = marked ? "" : `${Math.max(Math.round(shape.width * view.scale) + 2, 48)}px`; // many small ones stay apart
    drawn.tag.style.transform = `translate(${Math.max(Math.round(x) - 1, 0)}px, ${Math.max(Math.round(y), 18)}px) translateY(-100%)`;
  }

  /** @param {Shape} shape */
  #make(shape) {
    const group = makeSvg("g");
    const path = ringsOf(shape).map((ring) => `M ${ring.map(([x, y]) => `${x} ${y}`).join(" L ")} Z`).join(" ");
    group.append(makeSvg("path", { class: "under", d: path }), makeSvg("path", { class: "over", d: path, "fill-rule": "evenodd" }));
    this.shapes.append(group);
    const tag = document.createElement("span");
    this.tags.append(tag);
    const made = { group, tag, looks: "" };
    this.#drawn.set(shape, made);
    return made;
  }

  /** @param {Shape} shape */
  #remove(shape) {
    const drawn = this.#drawn.get(shape);
    drawn?.group.remove();
    drawn?.tag.remove();
    this.#drawn.delete(shape);
  }

  /** @param {Scene} scene */
  #drawDraft({ draft, rectangle, colour, view }) {
    this.draft.replaceChildren();
    if (draft.length < 2) return;
    const [[a, b], [c, d]] = [draft[0] ?? [0, 0], draft[1] ?? [0, 0]];
    const path = rectangle ? `M ${a} ${b} H ${c} V ${d} H ${a} Z` : `M ${draft.map(([x, y]) => `${x} ${y}`).join(" L ")}`;
    this.draft.append(makeSvg("path", { class: "under", d: path }), makeSvg("path", { class: "over", d: path, stroke: colour, fill: rectangle ? colour : "none" }));
    if (rectangle) return;
    for (const [x, y] of draft.slice(0, -1)) this.draft.append(makeSvg("circle", { cx: String(x), cy: String(y), r: String(4 / view.scale), fill: colour }));
  }

  /** @param {Scene} scene */
  #drawHandles({ shapes, selected, handles, view }) {
    this.handles.replaceChildren();
    const shape = shapes[selected];
    if (!shape || !handles) return;
    if (!shape.outline.length) {
      for (const { handle, at } of handlesOf(shape)) this.#handle(toScreen(view, at), handle);
      return;
    }
    const seen = shape.outline.flat().map((point) => toScreen(view, point)).filter((at) => this.#isSeen(at));
    if (seen.length > MOST_HANDLES) return;
    for (const at of seen) this.#handle(at, "point");
  }

  /** @param {Point} at */
  #isSeen([x, y]) {
    return x > -8 && y > -8 && x < this.svg.clientWidth + 8 && y < this.svg.clientHeight + 8;
  }

  /** @param {Point} at @param {string} kind */
  #handle([x, y], kind) {
    this.handles.append(makeSvg("rect", { class: `handle ${kind}`, x: String(x - 4.5), y: String(y - 4.5), width: "9", height: "9", rx: kind === "point" ? "4.5" : "1.5" }));
  }
}

/** The handle of a box that is under the pointer; the middle third of a small one is left to move it by. @param {Shape} shape @param {View} view @param {Point} at on the screen @param {number} reach */
export function handleAt(shape, view, [x, y], reach) {
  const near = handlesOf(shape)
    .map(({ handle, at }) => ({ handle, away: Math.hypot(...difference(toScreen(view, at), [x, y])) }))
    .sort((one, other) => one.away - other.away)[0];
  const [a, b] = toScreen(view, [shape.left, shape.top]);
  const [width, height] = [shape.width * view.scale, shape.height * view.scale];
  const inside = x > a && x < a + width && y > b && y < b + height;
  const most = inside ? Math.min(reach, width / 3, height / 3) : reach;
  return near && near.away <= most ? near.handle : null;
}

/** @param {Point} one @param {Point} other @returns {Point} */
const difference = ([a, b], [c, d]) => [a - c, b - d];

/** Black or white, whichever is read better on a colour `#rrggbb` (relative luminance, WCAG 2.2). @param {string} colour */
export function inkOn(colour) {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}
