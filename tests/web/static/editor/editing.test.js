/** Steps of an edit: each can be undone, each is said once. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Editing, UNLABELLED } from "../../../../cv_pipelines/web/static/editor/editing.js";
import { MOST } from "../../../../cv_pipelines/web/static/editor/history.js";
import { clock } from "../../../../cv_pipelines/web/static/editor/images.js";
import { actionOf } from "../../../../cv_pipelines/web/static/editor/keys.js";
import { joined } from "../../../../cv_pipelines/web/static/editor/conflicts.js";
import { filterOf, recall, remember } from "../../../../cv_pipelines/web/static/editor/look.js";

const size = { width: 200, height: 100 };
const box = (left, number = 0) => ({ class: number, left, top: 10, width: 20, height: 20, outline: [], attributes: {} });

function begun(annotation = UNLABELLED) {
  const said = [];
  const time = { now: 0 };
  const editing = new Editing((what, words, nudge) => said.push({ what, words, nudge }), () => time.now);
  editing.open(annotation, size);
  return { editing, said, time };
}

test("undo leads back to the very beginning, where nothing was said, and redo to the end", () => {
  const { editing, said } = begun();
  editing.add(box(10), "Drawn");
  editing.nudge(5, 0);
  editing.reclass(3, "car");
  editing.duplicate();
  editing.remove();
  editing.toggleClass(2, "car");
  const all = said.map((one) => one.what);
  for (let step = 0; step < 6; step++) editing.undo();
  assert.equal(editing.annotation, UNLABELLED);
  assert.ok(!editing.canUndo);
  for (let step = 0; step < 6; step++) editing.redo();
  assert.deepEqual(editing.annotation, all.at(-1));
  assert.deepEqual(said.slice(6, 11).map((one) => one.what), all.slice(0, 5).reverse());
});

test("a new step ends what was undone; many steps are kept, not all", () => {
  const { editing } = begun();
  for (let step = 0; step < MOST + 20; step++) editing.toggleClass(step % 3, "x");
  editing.undo();
  editing.add(box(1), "Drawn");
  assert.ok(!editing.canRedo);
  let steps = 0;
  for (; editing.canUndo; steps++) editing.undo();
  assert.equal(steps, MOST);
});

test("small moves that follow each other are one step", () => {
  const { editing, said, time } = begun({ classes: [], boxes: [box(10), box(50)] });
  editing.select(0);
  for (let step = 0; step < 5; step++, time.now += 100) editing.nudge(1, 0);
  assert.equal(editing.shape.left, 15);
  time.now += 5000;
  editing.nudge(10, 0);
  editing.undo();
  assert.equal(editing.annotation.boxes[0].left, 15);
  editing.undo();
  assert.equal(editing.annotation.boxes[0].left, 10);
  assert.ok(said.slice(0, 6).every((one) => one.nudge) && !said.at(-1).nudge);
});

test("small moves of two objects are two steps", () => {
  const { editing, time } = begun({ classes: [], boxes: [box(10), box(50)] });
  time.now = 10;
  editing.select(0);
  editing.nudge(1, 0);
  editing.select(1);
  editing.nudge(1, 0);
  editing.undo();
  assert.deepEqual(editing.annotation.boxes.map((one) => one.left), [11, 50]);
});

test("nothing is said where nothing changes", () => {
  const { editing, said } = begun({ classes: [1], boxes: [box(0)] });
  editing.select(0);
  editing.nudge(-5, 0);
  editing.reclass(0, "x");
  editing.setClasses([1], "x");
  editing.undo();
  assert.deepEqual(said, []);
});

test("that nothing is on an image is something said", () => {
  const { editing, said } = begun();
  editing.replace({ classes: [], boxes: [] }, "nothing", true);
  assert.equal(said.length, 1);
  assert.notEqual(said[0].what, UNLABELLED);
  editing.undo();
  assert.equal(said[1].what, UNLABELLED);
});

test("who may not change anything does not", () => {
  const { editing, said } = begun({ classes: [], boxes: [box(0)] });
  editing.locked = true;
  editing.select(0);
  editing.nudge(5, 5);
  editing.remove();
  editing.toggleClass(1, "x");
  editing.add(box(3), "x");
  editing.undo();
  assert.deepEqual([said, editing.annotation.boxes], [[], [box(0)]]);
});

test("objects that are not changed are the very same values", () => {
  const outline = [[[0, 0], [9, 0], [9, 9]], [[2, 2], [3, 2], [3, 3]]];
  const held = { class: 1, left: 0.123456789, top: 0, width: 9, height: 9, outline, attributes: { group: 3 } };
  const { editing } = begun({ classes: [], boxes: [held, box(50)] });
  editing.select(1);
  editing.nudge(3, 3);
  editing.add(box(90), "Drawn");
  assert.equal(editing.annotation.boxes[0], held);
});

test("steps go on after one has been elsewhere, also where others have changed the image", () => {
  const { editing } = begun();
  editing.add(box(1), "Drawn");
  const { steps, annotation } = editing;
  editing.open(UNLABELLED, size);
  editing.open(structuredClone(annotation), size, steps);
  editing.undo();
  assert.equal(editing.annotation, UNLABELLED);
  editing.open({ classes: [7], boxes: [] }, size, editing.steps);
  editing.undo();
  assert.equal(editing.annotation, UNLABELLED);
});

test("a preview is shown and not said", () => {
  const { editing, said } = begun({ classes: [], boxes: [box(1)] });
  editing.preview(0, box(30));
  assert.equal(editing.annotation.boxes[0].left, 30);
  editing.preview(0, null);
  assert.deepEqual([editing.annotation.boxes[0].left, said], [1, []]);
});

test("both together are theirs, and of mine what they do not have", () => {
  const mine = { classes: [1], boxes: [box(1), box(2)] };
  const theirs = { classes: [2], boxes: [box(2), box(3)] };
  assert.deepEqual(joined(mine, theirs), { classes: [2, 1], boxes: [box(2), box(3), box(1)] });
});

test("keys", () => {
  const press = (key, more = {}) => actionOf({ key, code: more.code ?? "", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.deepEqual(press("b"), { does: "box" });
  assert.deepEqual(press("Z", { ctrlKey: true, shiftKey: true }), { does: "redo" });
  assert.deepEqual(press("z", { metaKey: true }), { does: "undo" });
  assert.deepEqual(press("3", { code: "Digit3" }), { does: "class", digit: 3 });
  assert.deepEqual(press("#", { code: "Digit3", shiftKey: true }), { does: "toggle", digit: 3 });
  assert.deepEqual(press("ArrowLeft", { shiftKey: true }), { does: "move", across: -10, down: 0 });
  assert.deepEqual(press("ArrowDown", { ctrlKey: true }), { does: "grow", across: 0, down: 1 });
  for (const left of [press("r", { ctrlKey: true }), press("ArrowLeft", { altKey: true }), press("F5"), press("c", { ctrlKey: true })]) assert.equal(left, null);
});

test("times are read as people write them, from exact ones", () => {
  assert.deepEqual(["1001/30", "0/1", "36001/10", "179999/3000"].map(clock), ["0:33.367", "0:00.000", "1:00:00.100", "1:00.000"]);
});

test("how a picture looks is kept, and a broken note of it is none", () => {
  const held = new Map();
  const storage = { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
  remember(storage, "a", { brightness: 1.5, contrast: 0.8, log: true });
  assert.equal(filterOf(recall(storage, "a")), "url(#log) brightness(1.5) contrast(0.8)");
  assert.equal(filterOf(recall(storage, "b")), "none");
  held.forEach((_, key) => held.set(key, '{"brightness": 1e9'));
  assert.equal(filterOf(recall(storage, "a")), "none");
});
