import assert from "node:assert/strict";
import { test } from "node:test";
import { SaveQueue } from "../../../../cv_pipelines/web/static/saving/queue.js";
import { Shelf, dice } from "../shelf.js";

const shows = (n) => ({ classes: [n], boxes: 0, origin: "person", who: "ann", model: "" });
const says = (queue, image, seen, n) => queue.add(image, seen, { classes: [n] }, shows(n));

test("what is not confirmed is there again for the next page, in its order", () => {
  const shelf = new Shelf();
  const queue = new SaveQueue(shelf, "q/");
  for (let n = 0; n < 50; n++) says(queue, `i${n % 7}`, 3, n);
  queue.next(2);
  assert.deepEqual(new SaveQueue(shelf, "q/").entries, queue.entries);
  assert.equal(new SaveQueue(shelf, "other/").size, 0);
});

test("a batch has each image once, and the second of an image is based on what the first has become", () => {
  const queue = new SaveQueue(new Shelf(), "q/");
  const [first, second] = [says(queue, "a", 4, 1), says(queue, "a", 4, 2)];
  const other = says(queue, "b", 0, 1);
  assert.deepEqual(queue.next(10), [first, other]);
  queue.saved(first, 9);
  assert.deepEqual(queue.next(10), [second, other]);
  assert.equal(second.seen, 9);
});

test("what was never sent is taken back without a trace, what may have been sent by going back to the version before", () => {
  const queue = new SaveQueue(new Shelf(), "q/");
  const never = says(queue, "a", 4, 1);
  assert.ok(queue.withdraw(never.op));
  assert.equal(queue.size, 0);
  const sent = says(queue, "a", 4, 1);
  queue.next(10);
  assert.ok(!queue.withdraw(sent.op));
  const undo = queue.add("a", 4, { undoes: sent.op }, null);
  queue.saved(sent, 5);
  assert.deepEqual([undo.what, undo.seen], [{ restore: 4 }, 5]);
});

test("of what was refused all that was said after it goes, and the last word is told", () => {
  const shelf = new Shelf();
  const queue = new SaveQueue(shelf, "q/");
  const first = says(queue, "a", 0, 1);
  says(queue, "a", 0, 2);
  queue.next(1);
  assert.deepEqual(queue.refused(first), { what: { classes: [2] }, shows: shows(2) });
  assert.deepEqual([queue.size, shelf.size], [0, 0]);
  const again = says(queue, "a", 1, 1);
  queue.next(1);
  queue.add("a", 1, { undoes: again.op }, null);
  assert.equal(queue.refused(again), null);
});

test("a full shelf is told, and nothing is forgotten by the page", () => {
  const shelf = new Shelf();
  const queue = new SaveQueue(shelf, "q/");
  shelf.full = true;
  says(queue, "a", 0, 1);
  assert.ok(!queue.kept);
  assert.equal(queue.next(10).length, 1);
});

test("what another tab has had saved is not sent again", () => {
  const shelf = new Shelf();
  const [one, other] = [new SaveQueue(shelf, "q/"), null];
  const said = says(one, "a", 0, 1);
  const adopted = new SaveQueue(shelf, "q/");
  assert.equal(adopted.size, 1);
  one.next(1);
  one.saved(said, 1);
  assert.deepEqual(adopted.next(10), other ?? []);
  assert.equal(adopted.size, 0);
});

/** A server with the optimistic lock, whose answers may be lost. */
class Server {
  versions = new Map();
  /** @param {import("../../../../cv_pipelines/web/static/saving/queue.js").Entry} entry */
  take({ image_id, seen, what }) {
    const said = this.versions.get(image_id) ?? [null];
    const content = "restore" in what ? said[what.restore] : what.classes[0];
    if (seen !== said.length - 1) {
      assert.equal(seen, said.length - 2, "only an answer that was lost may come again");
      assert.equal(content, said.at(-1));
    } else said.push(content);
    this.versions.set(image_id, said);
    return said.length - 1;
  }
}

for (let seed = 0; seed < 200; seed++)
  test(`whatever is lost, closed and undone, the server ends with what the person saw last: ${seed}`, () => {
    const [roll, shelf, server] = [dice(seed), new Shelf(), new Server()];
    const [shown, versions, done] = [new Map(), new Map(), []];
    let queue = new SaveQueue(shelf, "q/");
    const send = () => {
      for (const entry of queue.next(1 + roll(3))) {
        const version = server.take(entry);
        if (roll(3) === 0) continue; // the answer is lost
        queue.saved(entry, version);
        versions.set(entry.image_id, version);
        for (const step of done) if (step.op === entry.op) step.seen = entry.seen;
      }
    };
    for (let n = 0; n < 60; n++) {
      const image = `i${roll(3)}`;
      const what = roll(6);
      if (what < 3) {
        const entry = queue.add(image, versions.get(image) ?? 0, { classes: [n] }, null);
        done.push({ op: entry.op, image, before: shown.get(image) ?? null, seen: null });
        shown.set(image, n);
      } else if (what === 3 && done.length) {
        const step = done.pop();
        if (!queue.withdraw(step.op))
          queue.add(step.image, versions.get(step.image) ?? 0, step.seen === null ? { undoes: step.op } : { restore: step.seen }, null);
        shown.set(step.image, step.before);
      } else if (what === 4) queue = new SaveQueue(shelf, "q/");
      else send();
    }
    while (queue.size) send();
    for (const [image, content] of shown) assert.equal(server.versions.get(image)?.at(-1) ?? null, content);
    assert.equal(shelf.size, 0);
  });
