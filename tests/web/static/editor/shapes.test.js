/** Geometry of the editor: what is drawn stays in the image, and what is not touched stays what it is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { hit, inRings, nearestSide, touches } from "../../../../cv_pipelines/web/static/editor/hits.js";
import * as shapes from "../../../../cv_pipelines/web/static/editor/shapes.js";
import { fit, panned, toImage, toScreen, zoomed } from "../../../../cv_pipelines/web/static/editor/view.js";

const size = { width: 100, height: 50 };
const box = (left, top, width, height) => ({ class: 1, left, top, width, height, outline: [], attributes: { difficult: true } });
const square = (left, top, side) => [[left, top], [left + side, top], [left + side, top + side], [left, top + side]];
const ring = { class: 2, left: 10, top: 10, width: 20, height: 20, outline: [square(10, 10, 20), square(15, 15, 5)], attributes: { id: "a" } };

/** Numbers that look random and are the same each time. */
function* numbers(count, seed = 7) {
  let state = seed;
  for (let at = 0; at < count; at++) yield (state = (state * 48271) % 2147483647) / 2147483647;
}

test("a box lies between its corners, in whatever order, within the image", () => {
  for (const [one, other] of [[[10, 20], [30, 45.5]], [[30, 45.5], [10, 20]], [[30, 20], [10, 45.5]]]) {
    assert.deepEqual(shapes.boxBetween(one, other, 4, size), { class: 4, left: 10, top: 20, width: 20, height: 25.5, outline: [], attributes: {} });
  }
  const all = shapes.boxBetween([-5, -5], [500, 500], 0, size);
  assert.deepEqual([all.left, all.top, all.width, all.height], [0, 0, 100, 50]);
  assert.equal(shapes.boxBetween([10, 10], [10.5, 40], 0, size), null);
});

test("what is moved keeps its form and stays in the image", () => {
  const draw = [...numbers(600)];
  for (let at = 0; at + 1 < draw.length; at += 2) {
    const [across, down] = [(draw[at] - 0.5) * 300, (draw[at + 1] - 0.5) * 300];
    for (const shape of [box(20.25, 10.5, 30, 20), ring]) {
      const after = shapes.moved(shape, across, down, size);
      assert.deepEqual([after.width, after.height, after.attributes], [shape.width, shape.height, shape.attributes]);
      assert.ok(after.left >= 0 && after.top >= 0 && after.left + after.width <= 100 + 1e-9 && after.top + after.height <= 50 + 1e-9);
      shape.outline.forEach((points, which) => points.forEach(([x, y], place) => {
        const [a, b] = after.outline[which][place];
        assert.ok(Math.abs(a - x - (after.left - shape.left)) < 1e-9 && Math.abs(b - y - (after.top - shape.top)) < 1e-9);
      }));
    }
  }
});

test("what an import has put over the border goes no farther, and may come back", () => {
  const outside = box(-10, 5, 20, 20);
  assert.equal(shapes.moved(outside, -50, 0, size).left, -10);
  assert.equal(shapes.moved(outside, 7, 0, size).left, -3);
});

test("each handle moves its own sides, and no box turns over", () => {
  const before = box(20, 10, 30, 20);
  const sides = { n: ["top"], s: ["bottom"], w: ["left"], e: ["right"] };
  for (const handle of shapes.HANDLES) {
    for (const to of [[25, 15], [0, 0], [100, 50], [-9, 99]]) {
      const [was, is] = [shapes.boundsOf(before), shapes.boundsOf(shapes.resized(before, handle, to, size))];
      const may = [...handle].flatMap((letter) => sides[letter]);
      for (const side of ["left", "top", "right", "bottom"]) if (!may.includes(side)) assert.equal(is[side], was[side], `${handle} ${side}`);
      assert.ok(is.right - is.left >= shapes.LEAST && is.bottom - is.top >= shapes.LEAST);
    }
  }
  assert.deepEqual(shapes.boundsOf(shapes.resized(before, "se", [60.129, 44.4], size)), { left: 20, top: 10, right: 60.13, bottom: 44.4 });
});

test("points of an outline are moved, added and deleted, and the box goes with them", () => {
  const moved = shapes.pointMoved(ring, 0, 2, [40, 45], size);
  assert.deepEqual([moved.width, moved.height], [30, 35]);
  assert.deepEqual(moved.outline[1], ring.outline[1]);
  const more = shapes.pointInserted(ring, 0, 3, [5, 20], size);
  assert.deepEqual(more.outline[0].at(-1), [5, 20]);
  assert.equal(more.left, 5);
  assert.deepEqual(shapes.pointDeleted(more, 0, 4).outline, ring.outline);
  const triangle = shapes.polygonOf([[1, 1], [9, 1], [9, 9]], 3, size);
  assert.equal(shapes.pointDeleted(triangle, 0, 0), null);
  const withoutHole = shapes.pointDeleted(shapes.pointDeleted(ring, 1, 0), 1, 0);
  assert.deepEqual(withoutHole.outline, [ring.outline[0]]);
});

test("a polygon needs an area", () => {
  assert.equal(shapes.polygonOf([[1, 1], [9, 1]], 0, size), null);
  assert.equal(shapes.polygonOf([[1, 1], [9, 1], [9, 1]], 0, size), null);
  assert.equal(shapes.polygonOf([[1, 1], [50, 1], [90, 1]], 0, size), null);
  assert.deepEqual(shapes.polygonOf([[1, 1], [9, 1], [9, 9], [1, 1]], 0, size).outline, [[[1, 1], [9, 1], [9, 9]]]);
});

test("a hole is not part of an object, its border is", () => {
  assert.ok(inRings([12, 12], ring.outline));
  assert.ok(!inRings([17, 17], ring.outline));
  assert.ok(touches(ring, [15.5, 17], 1) && !touches(ring, [17.5, 17.5], 1));
  assert.deepEqual(nearestSide(ring, [17, 15.2]), { ring: 1, after: 0, distance: 15.2 - 15 });
});

test("a click is meant for the smallest object under it", () => {
  const all = [box(10, 10, 20, 20), box(0, 0, 90, 45), box(12, 12, 4, 4)];
  assert.equal(hit(all, [13, 13], 1), 2);
  assert.equal(hit(all, [25, 25], 1), 0);
  assert.equal(hit(all, [60, 40], 1), 1);
  assert.equal(hit(all, [99, 49], 1), -1);
  assert.equal(hit(all, [13, 13], 1, (shape) => shape !== all[2]), 0);
});

test("zooming keeps the pixel under the pointer, and a place found on the screen is found again", () => {
  const stage = { width: 800, height: 600 };
  let view = fit(size, stage);
  for (const draw of numbers(200)) {
    const around = [draw * 800, (1 - draw) * 600];
    const before = toImage(view, around);
    view = zoomed(view, 0.5 + draw * 1.5, around);
    const after = toImage(view, around);
    assert.ok(Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-6);
    const back = toScreen(view, toImage(view, [3, 4]));
    assert.ok(Math.hypot(back[0] - 3, back[1] - 4) < 1e-6);
  }
  const away = panned(view, 1e6, -1e6, size, stage);
  assert.ok(away.left <= 800 && away.top + size.height * away.scale >= 0);
});

test("what says the same is alike, whatever the order of its attributes", () => {
  assert.ok(shapes.alike({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { d: 3, c: 2 }], a: 1 }));
  assert.ok(!shapes.alike({ a: [1, 2] }, { a: [2, 1] }));
});
