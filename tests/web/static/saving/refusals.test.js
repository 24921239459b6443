import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBeSaidAgain, reasonOf } from "../../../../cv_pipelines/web/static/saving/refusals.js";

test("each refusal has a reason, but for a conflict, of which it is told what stands", () => {
  assert.match(reasonOf({ code: "no_class" }), /retired/);
  assert.match(reasonOf({ code: "no_version" }), /not kept/);
  assert.match(reasonOf({ code: "missing_image" }), /not there/);
  assert.equal(reasonOf({ code: "conflict" }), "");
  assert.match(reasonOf({ code: "new_of_the_server" }), /new_of_the_server/);
  assert.equal(reasonOf({ code: "no_class", detail: "what the server says" }), "what the server says");
});

test("what cannot go well is not offered again", () => {
  assert.deepEqual(["no_class", "no_version", "missing_image"].map((code) => mayBeSaidAgain({ code })), [false, false, false]);
  assert.ok(mayBeSaidAgain({ code: "conflict" }));
});
