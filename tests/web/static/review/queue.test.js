/** Disputes one after another: none is left out that nobody has looked at. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Queue } from "../../../../cv_pipelines/web/static/review/queue.js";

const dispute = (id) => ({ image_id: id, version: 1, settled: false });
const answers = [];

beforeEach(() => {
  answers.length = 0;
  globalThis.document = { querySelector: () => null };
  globalThis.fetch = async () => {
    const [status, body] = answers.shift();
    return new Response(JSON.stringify(body), { status });
  };
});

function queue(...ids) {
  return new Queue({ ready: true, fresh: true, total: ids.length, after: "x", disputes: ids.map(dispute) }, "/datasets/d");
}

test("one that cannot be read anew stays, and so does the one behind it", async () => {
  const one = queue("a", "b");
  answers.push([503, { code: "busy", detail: "Busy." }]);
  await assert.rejects(one.refresh(one.current));
  assert.deepEqual([one.current?.image_id, one.next.map((other) => other.image_id)], ["a", ["b"]]);
});

test("one that was skipped while it is read anew does not come back", async () => {
  const one = queue("a", "b", "c", "d");
  answers.push([200, { ...dispute("a"), version: 2 }]);
  const reading = one.refresh(one.current);
  void one.skip().catch(() => undefined); // there are no more
  await reading;
  assert.equal(one.current?.image_id, "b");
});

test("one that has changed is there again as it is now, one that is settled is gone", async () => {
  const one = queue("a", "b");
  answers.push([200, { ...dispute("a"), version: 2 }], [200, { ...dispute("a"), settled: true }]);
  await one.refresh(one.current);
  assert.equal(one.current?.version, 2);
  await one.refresh(one.current);
  assert.deepEqual([one.current?.image_id, one.total], ["b", 1]);
});

test("one that was not settled comes after the one that is looked at by now", async () => {
  const one = queue("a", "b", "c");
  answers.push([503, { code: "busy", detail: "Busy." }]);
  await assert.rejects(one.settle({ classes: [1] }));
  assert.deepEqual([one.current?.image_id, one.next.map((other) => other.image_id)], ["b", ["a", "c"]]);
  assert.deepEqual([one.total, one.canGoBack], [3, false]);
});

test("an answer without any that may be seen is not the last one", async () => {
  const one = queue();
  const page = { ready: true, fresh: true, total: 3 };
  answers.push([200, { ...page, disputes: [], after: "y" }], [200, { ...page, disputes: [dispute("z")], after: null }]);
  await one.fill();
  assert.equal(one.current?.image_id, "z");
});
