/** What the pointer does on the picture: drawing, moving, resizing, panning. One gesture at a time; Escape ends it. */

import { hit, nearestPoint, nearestSide } from "./hits.js";
import { handleAt } from "./layer.js";
import { boxBetween, moved, pointDeleted, pointInserted, pointMoved, polygonOf, resized, within } from "./shapes.js";
import { toImage, toScreen } from "./view.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {"select" | "box" | "polygon"} Tool */
/**
 * What a gesture works on.
 * @typedef {object} Bench
 * @property {import("./editing.js").Editing} editing
 * @property {() => import("./view.js").View} view
 * @property {(across: number, down: number) => void} pan
 * @property {(factor: number, around: Point) => void} zoom
 * @property {() => number} number of the class of what is drawn; -1: there is none
 * @property {(shape: Shape) => boolean} shown
 * @property {(shape: Shape) => void} drawn
 * @property {() => void} redraw
 */
/** @typedef {{move: (at: Point) => void, end: (at: Point) => void}} Gesture */

const REACH = 8; // screen pixels from a handle or a border
const CLICK = 4; // screen pixels that a click may move
const DOUBLE = 500; // ms, within which a second click belongs to the first

export class Gestures {
  /** @type {Tool} */
  tool = "select";
  /** Whether the space bar is held. */
  panning = false;
  /** @type {Point[]} */
  ring = [];
  /** @type {Point | null} */
  pointer = null;
  /** @type {[Point, Point] | null} */
  rubber = null;
  hovered = -1;
  /** @type {Gesture | null} */
  #gesture = null;
  /** Id of the pointer whose gesture it is: a second finger, or the palm beside a pen, has no part in it. */
  #by = -1;
  /** Where and when a click has closed a polygon. @type {{at: Point, time: number} | null} */
  #closed = null;

  /** @param {HTMLElement} stage @param {Bench} bench */
  constructor(stage, bench) {
    this.stage = stage;
    this.bench = bench;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#isOther(event) || this.cancel());
    stage.addEventListener("pointerleave", () => this.#leave());
    stage.addEventListener("dblclick", () => this.closeRing());
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  get active() {
    return this.#gesture !== null || this.ring.length > 0;
  }

  /** @param {Tool} tool */
  choose(tool) {
    this.cancel();
    this.tool = this.bench.editing.locked ? "select" : tool;
    this.stage.dataset.tool = this.tool;
    this.bench.redraw();
  }

  /** End what goes on, as if it had not begun. @returns {boolean} whether there was anything */
  cancel() {
    const was = this.active;
    this.#gesture = null;
    this.ring = [];
    this.rubber = null;
    this.bench.editing.preview(-1, null);
    if (was) this.bench.redraw();
    return was;
  }

  /** The corners of what is being drawn, with the one under the pointer. @returns {Point[]} */
  get draft() {
    if (this.rubber) return this.rubber;
    if (!this.ring.length || !this.pointer) return this.ring;
    return [...this.ring, within(toImage(this.bench.view(), this.pointer), this.bench.editing.size)];
  }

  /** End the polygon, if it has an area. */
  closeRing() {
    if (this.tool !== "polygon" || this.ring.length < 3) return;
    const shape = polygonOf(this.ring, this.bench.number(), this.bench.editing.size);
    this.ring = [];
    if (shape) this.bench.drawn(shape);
    this.bench.redraw();
  }

  /** Take the last point of a polygon back. @returns {boolean} whether there was one */
  stepBack() {
    const was = this.ring.pop() !== undefined;
    if (was) this.bench.redraw();
    return was;
  }

  /** Whether it is not the pointer whose gesture goes on. @param {PointerEvent} event */
  #isOther(event) {
    return this.#gesture !== null && event.pointerId !== this.#by;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const at = this.#place(event);
    this.stage.focus({ preventScroll: true });
    if (this.#gesture) return;
    const pans = event.button === 1 || (event.button === 0 && this.panning);
    if (!pans && event.button !== 0) return;
    event.preventDefault();
    this.#gesture = pans ? this.#pan(at) : this.#begin(at, event);
    if (this.#gesture) {
      this.#by = event.pointerId;
      this.stage.setPointerCapture(event.pointerId);
    }
    this.bench.redraw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#isOther(event)) return;
    this.pointer = this.#place(event);
    if (this.#gesture) this.#gesture.move(this.pointer);
    else if (this.tool === "select") this.hovered = this.#under(this.pointer);
    this.bench.redraw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#isOther(event)) return;
    const gesture = this.#gesture;
    this.#gesture = null;
    gesture?.end(this.#place(event));
    this.bench.redraw();
  }

  #leave() {
    if (this.#gesture) return;
    this.pointer = null;
    this.hovered = -1;
    this.bench.redraw();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0015; // with ctrl: two fingers on a trackpad
    this.bench.zoom(Math.exp(-event.deltaY * lines * speed), this.#place(event));
  }

  /** @param {Point} at @param {PointerEvent} event @returns {Gesture | null} */
  #begin(at, event) {
    const { editing } = this.bench;
    if (this.tool === "box") return this.#box(at);
    if (this.tool === "polygon") {
      this.#addPoint(at, event.timeStamp);
      return null;
    }
    const shape = editing.shape;
    const gesture = shape && !editing.locked ? this.#reshape(shape, at, event) : null;
    if (gesture) return gesture;
    editing.select(this.#under(at));
    if (editing.shape && !editing.locked) return this.#drag(editing.shape, at);
    return editing.shape ? null : this.#pan(at);
  }

  /** @param {Point} at @returns {Gesture | null} */
  #box(at) {
    if (this.bench.number() < 0) return null;
    const { size } = this.bench.editing;
    const from = within(this.#toImage(at), size);
    return {
      move: (to) => (this.rubber = [from, within(this.#toImage(to), size)]),
      end: (to) => {
        this.rubber = null;
        const far = Math.abs(to[0] - at[0]) >= CLICK && Math.abs(to[1] - at[1]) >= CLICK;
        const shape = far ? boxBetween(from, this.#toImage(to), this.bench.number(), size) : null;
        if (shape) this.bench.drawn(shape);
      },
    };
  }

  /** @param {Point} at @param {number} time ms */
  #addPoint(at, time) {
    const first = this.ring[0];
    if (this.bench.number() < 0) return;
    const closed = this.#closed;
    this.#closed = null;
    if (!first && closed && time - closed.time < DOUBLE && near(closed.at, at, CLICK)) return; // of a double click
    if (first && this.ring.length > 2 && near(toScreen(this.bench.view(), first), at, REACH)) {
      this.closeRing();
      this.#closed = { at, time };
      return;
    }
    const point = within(this.#toImage(at), this.bench.editing.size);
    const last = this.ring.at(-1);
    if (!last || last[0] !== point[0] || last[1] !== point[1]) this.ring.push(point);
  }

  /** By a handle of the selected object, or a point or side of its outline. @param {Shape} shape @param {Point} at @param {PointerEvent} event @returns {Gesture | null} */
  #reshape(shape, at, event) {
    const { size } = this.bench.editing;
    const here = this.#toImage(at);
    if (!shape.outline.length) {
      const handle = handleAt(shape, this.bench.view(), at, REACH);
      return handle ? this.#change((to) => resized(shape, handle, to, size), "Resized", at) : null;
    }
    const reach = REACH / this.bench.view().scale;
    const point = nearestPoint(shape, here);
    if (point.distance <= reach) {
      if (event.altKey) return this.#delete(pointDeleted(shape, point.ring, point.place));
      return this.#change((to) => pointMoved(shape, point.ring, point.place, to, size), "Point moved", at);
    }
    const side = nearestSide(shape, here);
    if (side.distance > reach / 2) return null;
    const more = pointInserted(shape, side.ring, side.after, here, size);
    return this.#change((to) => pointMoved(more, side.ring, side.after + 1, to, size), "Point added", at);
  }

  /** @param {Shape | null} shape without the point @returns {Gesture} */
  #delete(shape) {
    const { editing } = this.bench;
    const [place, stands] = [editing.selected, this.#standing()];
    return { move: () => {}, end: () => stands() && editing.change(place, shape, "Point deleted") };
  }

  /** @param {Shape} shape @param {Point} from @returns {Gesture} */
  #drag(shape, from) {
    const [a, b] = this.#toImage(from);
    return this.#change(([x, y]) => moved(shape, x - a, y - b, this.bench.editing.size), "Moved", from);
  }

  /** @param {(to: Point) => Shape} shape as it is where the pointer is, in pixels of the image @param {string} words @param {Point} from @returns {Gesture} */
  #change(shape, words, from) {
    const { editing } = this.bench;
    const [place, stands] = [editing.selected, this.#standing()];
    let begun = false; // a click that trembles moves nothing
    return {
      move: (to) => {
        begun ||= !near(from, to, CLICK - 1);
        if (begun && stands()) editing.preview(place, shape(this.#toImage(to)));
      },
      end: (to) => {
        if (begun && stands()) editing.change(place, shape(this.#toImage(to)), words);
      },
    };
  }

  /** Whether the objects are still those of now: keys, or somebody else, may change them while one is dragged. @returns {() => boolean} */
  #standing() {
    const { editing } = this.bench;
    const { annotation } = editing.steps.present;
    return () => editing.steps.present.annotation === annotation;
  }

  /** @param {Point} from @returns {Gesture} */
  #pan(from) {
    let last = from;
    return {
      move: (to) => {
        this.bench.pan(to[0] - last[0], to[1] - last[1]);
        last = to;
      },
      end: () => {},
    };
  }

  /** @param {Point} at @returns {number} */
  #under(at) {
    const { editing, view, shown } = this.bench;
    return hit(editing.annotation.boxes, this.#toImage(at), 4 / view().scale, shown);
  }

  /** @param {Point} at */
  #toImage(at) {
    return toImage(this.bench.view(), at);
  }

  /** @param {MouseEvent} event @returns {Point} on the stage */
  #place(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }
}

/** @param {Point} one @param {Point} other @param {number} reach */
const near = ([a, b], [c, d], reach) => Math.hypot(a - c, b - d) <= reach;
