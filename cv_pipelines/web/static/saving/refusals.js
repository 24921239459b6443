/** What the server says against a change, in words: the same on the grid and in the editor. */

/** @type {Record<string, string>} */
const REASONS = {
  no_class: "A class of it was retired. Choose another one.",
  no_version: "What stood before is not kept any more.",
  missing_image: "This image is not there any more.",
};

/**
 * Why a change was not taken.
 *
 * @param {Pick<import("./queue.js").Refusal, "code" | "detail">} refusal
 * @returns {string} a sentence; empty where somebody else was quicker: then it is told what they say
 */
export function reasonOf({ code, detail }) {
  return detail ?? REASONS[code] ?? (code === "conflict" ? "" : `The server has refused it (${code}).`);
}

/**
 * Whether the same may be said again: it was somebody else who was quicker, or something that passes.
 *
 * @param {Pick<import("./queue.js").Refusal, "code">} refusal
 */
export function mayBeSaidAgain({ code }) {
  return !(code in REASONS);
}
