/** Which key does what: a table, without a page. */

/**
 * @typedef {{key: string, code: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean}} Press
 * @typedef {"box" | "polygon" | "select" | "close" | "back" | "stop" | "delete" | "undo" | "redo" | "duplicate" | "choose"
 *   | "following" | "preceding" | "names" | "hide" | "larger" | "smaller" | "fit" | "help" | "accept" | "empty" | "previous"
 *   | "next" | "earlier" | "later" | "grid" | "pan"} Simple
 * @typedef {{does: Simple} | {does: "class" | "toggle", digit: number} | {does: "move" | "grow", across: number, down: number}} Action
 */

/** @type {Record<string, Simple>} */
const PLAIN = {
  b: "box", p: "polygon", v: "select", enter: "close", backspace: "back", escape: "stop", delete: "delete", c: "choose",
  j: "following", k: "preceding", l: "names", h: "hide", "+": "larger", "=": "larger", "-": "smaller", "0": "fit", "?": "help",
  a: "accept", e: "empty", pageup: "previous", pagedown: "next", ",": "earlier", ".": "later", g: "grid", " ": "pan",
};

/** @type {Record<string, Simple>} */
const WITH_CTRL = { z: "undo", y: "redo", d: "duplicate" };

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What goes on while its key is held. */
export const REPEATS = ["undo", "redo", "larger", "smaller", "following", "preceding", "next", "previous", "earlier", "later"];

/** @param {Press} press @returns {Action | null} */
export function actionOf({ key, code, ctrlKey, metaKey, shiftKey, altKey }) {
  const ctrl = ctrlKey || metaKey;
  const arrow = ARROWS[key];
  if (altKey) return null;
  if (arrow) {
    const step = shiftKey ? 10 : 1;
    return { does: ctrl ? "grow" : "move", across: arrow[0] * step, down: arrow[1] * step };
  }
  const simple = ctrl ? WITH_CTRL[key.toLowerCase()] : PLAIN[key.toLowerCase()];
  if (ctrl) return simple ? { does: shiftKey && simple === "undo" ? "redo" : simple } : null;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1];
  if (digit && (shiftKey || key === digit)) return { does: shiftKey ? "toggle" : "class", digit: Number(digit) };
  return simple ? { does: simple } : null;
}
