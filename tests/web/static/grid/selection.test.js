import assert from "node:assert/strict";
import { test } from "node:test";
import { affected, all, neighbour, only, range, toggle } from "../../../../cv_pipelines/web/static/grid/selection.js";
import { dice } from "../shelf.js";

test("a range goes from the anchor, forwards and backwards, and the anchor stays", () => {
  const start = only(5);
  assert.deepEqual(affected(range(start, 8)), [5, 6, 7, 8]);
  assert.deepEqual(affected(range(range(start, 8), 3)), [3, 4, 5]);
});

test("taking the only one out leaves the current one for keys to act on", () => {
  assert.deepEqual(affected(toggle(only(2), 2)), [2]);
  assert.deepEqual(affected(toggle(only(2), 4)), [2, 4]);
  assert.deepEqual(affected(only(-1)), []);
  assert.deepEqual(affected(all(only(1), 3)), [0, 1, 2]);
});

test("down from above a short last row goes to its end, and stays there", () => {
  assert.equal(neighbour(8, "down", 6, 14), 13);
  assert.equal(neighbour(11, "down", 6, 14), 13);
  assert.equal(neighbour(13, "down", 6, 14), 13);
  assert.equal(neighbour(4, "up", 6, 14), 4);
});

test("no way leads out of the page", () => {
  const roll = dice(3);
  for (let n = 0; n < 2000; n++) {
    const [count, columns] = [1 + roll(40), 1 + roll(8)];
    const way = /** @type {const} */ (["left", "right", "up", "down", "first", "last"])[roll(6)];
    const to = neighbour(roll(count), way, columns, count);
    assert.ok(to >= 0 && to < count);
  }
  assert.equal(neighbour(-1, "right", 4, 0), -1);
});
