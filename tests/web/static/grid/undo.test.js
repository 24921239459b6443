import assert from "node:assert/strict";
import { test } from "node:test";
import { UndoStack } from "../../../../cv_pipelines/web/static/grid/undo.js";
import { Shelf } from "../shelf.js";

const step = (...ops) => ({
  address: "/datasets/a",
  words: ops.join(),
  parts: ops.map((op) => ({ image_id: `image of ${op}`, op, before: null, seen: null })),
});

test("steps come back last first, after a reload too, with the versions that the server has told", () => {
  const shelf = new Shelf();
  const stack = new UndoStack(shelf, "u/");
  for (let n = 0; n < 12; n++) stack.push(step(`op${n}`));
  stack.saved("op11", 7);
  const again = new UndoStack(shelf, "u/");
  again.saved("op10", 3);
  assert.deepEqual(again.pop()?.parts[0]?.seen, 7);
  assert.deepEqual(again.pop()?.parts[0]?.seen, 3);
  assert.equal(again.pop()?.words, "op9");
  assert.equal(new UndoStack(shelf, "u/").size, 9);
});

test("what was refused is not undone", () => {
  const stack = new UndoStack(new Shelf(), "u/");
  stack.push(step("a", "b"));
  stack.push(step("c"));
  stack.refused("c");
  stack.refused("a");
  assert.equal(stack.size, 1);
  assert.deepEqual(stack.pop()?.parts.map((part) => part.op), ["b"]);
});

test("there are never more than two hundred, and the oldest go", () => {
  const shelf = new Shelf();
  const stack = new UndoStack(shelf, "u/");
  for (let n = 0; n < 250; n++) stack.push(step(`op${n}`));
  assert.deepEqual([stack.size, shelf.size], [200, 200]);
  while (stack.size > 1) stack.pop();
  assert.equal(stack.pop()?.words, "op50");
});

test("a full shelf forgets steps with the page, not before", () => {
  const shelf = new Shelf();
  shelf.full = true;
  const stack = new UndoStack(shelf, "u/");
  stack.push(step("a"));
  assert.equal(stack.pop()?.words, "a");
});
