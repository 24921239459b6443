/** What is said of images, on its way to the server. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Journal } from "../../../../cv_pipelines/web/static/editor/journal.js";
import { Shelf } from "../shelf.js";

const box = (left) => ({ class: 0, left, top: 10, width: 20, height: 20, outline: [], attributes: {} });
const at = (left) => ({ classes: [], boxes: [box(left)] });

beforeEach(() => {
  globalThis.localStorage = new Shelf();
  globalThis.window = Object.assign(new EventTarget(), { setTimeout: () => 0 }); // nothing is sent
  globalThis.document = Object.assign(new EventTarget(), { hidden: false });
});

function journal() {
  return new Journal("q/", "ann", "/labels", { refused: () => {}, state: () => {} });
}

test("small moves that follow each other go out as one", () => {
  const one = journal();
  for (const left of [1, 2, 3]) one.say("a", at(left), true);
  assert.deepEqual(one.queue.entries.map((entry) => entry.what.annotation), [at(3)]);
});

test("a small move on one image takes back nothing of the image before", () => {
  const one = journal();
  one.say("a", at(1), true);
  one.say("b", at(2), true);
  assert.deepEqual(one.queue.entries.map((entry) => entry.image_id), ["a", "b"]);
});
