/** What pointers do on the picture: on a stage that is as large as the image. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Editing } from "../../../../cv_pipelines/web/static/editor/editing.js";
import { Gestures } from "../../../../cv_pipelines/web/static/editor/gestures.js";
import { handleAt } from "../../../../cv_pipelines/web/static/editor/layer.js";
import { fit, zoomed } from "../../../../cv_pipelines/web/static/editor/view.js";

const size = { width: 200, height: 100 };
const view = { scale: 1, left: 0, top: 0 };
const box = (left, side = 30) => ({ class: 0, left, top: 10, width: side, height: side, outline: [], attributes: {} });

class Stage extends EventTarget {
  dataset = {};
  focus() {}
  setPointerCapture() {}
  getBoundingClientRect() {
    return { left: 0, top: 0 };
  }
}

function bench(tool, boxes = []) {
  const stage = new Stage();
  const editing = new Editing(() => {});
  editing.open({ classes: [], boxes }, size);
  const drawn = [];
  const gestures = new Gestures(stage, {
    editing,
    view: () => view,
    pan: () => {},
    zoom: () => {},
    number: () => 0,
    shown: () => true,
    drawn: (shape) => drawn.push(shape),
    redraw: () => {},
  });
  gestures.choose(tool);
  const at = (type, clientX, clientY, pointerId = 1, timeStamp = 0) => {
    const event = new Event(type);
    Object.defineProperties(event, {
      timeStamp: { value: timeStamp },
      clientX: { value: clientX },
      clientY: { value: clientY },
      pointerId: { value: pointerId },
      button: { value: 0 },
    });
    stage.dispatchEvent(event);
  };
  return { at, drawn, editing, gestures };
}

test("a second finger or a palm neither moves nor ends what the first one draws", () => {
  const { at, drawn } = bench("box");
  at("pointerdown", 10, 10, 1);
  at("pointermove", 40, 40, 1);
  at("pointerdown", 150, 80, 2);
  at("pointermove", 160, 90, 2);
  at("pointerup", 160, 90, 2);
  at("pointercancel", 160, 90, 2);
  assert.equal(drawn.length, 0);
  at("pointerup", 50, 60, 1);
  assert.deepEqual([drawn[0].left, drawn[0].top, drawn[0].width, drawn[0].height], [10, 10, 40, 50]);
});

test("an object that is deleted by a key while it is dragged takes none of the others with it", () => {
  const { at, editing } = bench("select", [box(10), box(100)]);
  at("pointerdown", 25, 25);
  at("pointermove", 35, 35);
  editing.remove();
  at("pointermove", 45, 45);
  at("pointerup", 45, 45);
  assert.deepEqual(editing.annotation.boxes, [box(100)]);
});

test("a double click on the first point of a polygon closes it and begins no other", () => {
  const { at, drawn, gestures } = bench("polygon");
  for (const [x, y] of [[10, 10], [60, 10], [60, 60]]) at("pointerdown", x, y, 1, 0);
  at("pointerdown", 11, 10, 1, 5000);
  at("pointerdown", 11, 10, 1, 5150);
  at("dblclick", 11, 10);
  assert.deepEqual([drawn.length, gestures.ring], [1, []]);
  at("pointerdown", 11, 10, 1, 9000);
  assert.equal(gestures.ring.length, 1);
});

test("a small box has a middle to move it by, and handles all the same", () => {
  const small = box(50, 9);
  assert.equal(handleAt(small, view, [54.5, 14.5], 8), null);
  assert.equal(handleAt(small, view, [50, 10], 8), "nw");
  assert.equal(handleAt(small, view, [62, 22], 8), "se");
});

test("a picture that fits only when it is tiny does not grow when one zooms out", () => {
  const fitted = fit({ width: 90_000, height: 900 }, { width: 800, height: 600 });
  assert.ok(fitted.scale < 0.02);
  assert.ok(zoomed(fitted, 0.8, [0, 0]).scale <= fitted.scale);
  assert.ok(zoomed(fitted, 1.25, [0, 0]).scale > fitted.scale);
});
