import assert from "node:assert/strict";
import { test } from "node:test";
import { split } from "../../../../cv_pipelines/web/static/grid/pictures.js";
import { dice } from "../shelf.js";

/** @param {number[]} lengths */
function framed(lengths) {
  const bytes = lengths.flatMap((length, at) => [0, 0, length >> 8, length & 255, ...Array(length).fill(at + 1)]);
  return new Uint8Array(bytes);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {() => number} next the length of a chunk
 */
async function taken(bytes, next) {
  const chunks = [];
  for (let at = 0; at < bytes.length; ) {
    const length = next();
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  const found = [];
  for await (const picture of split(new Blob(chunks).stream())) found.push([picture.length, ...new Set(picture)]);
  return found;
}

test("pictures come out as they went in, wherever the stream is cut", async () => {
  const roll = dice(7);
  for (let n = 0; n < 200; n++) {
    const lengths = Array.from({ length: roll(6) }, () => roll(700));
    const found = await taken(framed(lengths), () => 1 + roll(300));
    assert.deepEqual(found, lengths.map((length, at) => (length ? [length, at + 1] : [0])));
  }
});

test("a stream that ends within a picture is no whole answer", async () => {
  await assert.rejects(taken(framed([3, 9]).slice(0, -1), () => 4), /part of a picture/);
});
