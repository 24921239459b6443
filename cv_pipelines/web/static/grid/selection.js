/**
 * Which tiles are chosen, and which one is current: arithmetic over positions, without a page.
 *
 * The current tile is what keys act on, and where the focus is. It is chosen, too, unless it was taken out by hand.
 */

/**
 * @typedef {object} Selection
 * @property {number} current a position; -1 where there are no tiles
 * @property {number} anchor where a range begins
 * @property {ReadonlySet<number>} chosen positions
 *
 * @typedef {"left" | "right" | "up" | "down" | "first" | "last"} Direction
 */

/**
 * One tile, and nothing else.
 * @param {number} at
 * @returns {Selection}
 */
export function only(at) {
  return { current: at, anchor: at, chosen: new Set(at < 0 ? [] : [at]) };
}

/**
 * All from the anchor to a tile.
 * @param {Selection} before
 * @param {number} at
 * @returns {Selection}
 */
export function range(before, at) {
  const anchor = Math.max(0, before.anchor);
  const [start, end] = anchor < at ? [anchor, at] : [at, anchor];
  return { current: at, anchor, chosen: new Set(Array.from({ length: end - start + 1 }, (_, n) => start + n)) };
}

/**
 * One more, or one less.
 * @param {Selection} before
 * @param {number} at
 * @returns {Selection}
 */
export function toggle(before, at) {
  const chosen = new Set(before.chosen);
  if (!chosen.delete(at)) chosen.add(at);
  return { current: at, anchor: at, chosen };
}

/**
 * All tiles; the current one stays.
 * @param {Selection} before
 * @param {number} count of tiles
 * @returns {Selection}
 */
export function all(before, count) {
  return { ...before, chosen: new Set(Array.from({ length: count }, (_, n) => n)) };
}

/**
 * The tile that lies in a direction; at the edge the current one.
 *
 * @param {number} current
 * @param {Direction} direction
 * @param {number} columns of the grid
 * @param {number} count of tiles
 * @returns {number}
 */
export function neighbour(current, direction, columns, count) {
  if (!count) return -1;
  const steps = { left: -1, right: 1, up: -columns, down: columns, first: -Infinity, last: Infinity };
  const to = Math.max(0, current) + steps[direction];
  if (direction === "up" && to < 0) return current;
  if (direction === "down" && to >= count) {
    const inLastRow = Math.floor(current / columns) === Math.floor((count - 1) / columns);
    return inLastRow ? current : count - 1; // the last row may be short
  }
  return Math.min(count - 1, Math.max(0, to));
}

/**
 * What keys act on, in the order of the page.
 * @param {Selection} selection
 * @returns {number[]}
 */
export function affected({ chosen, current }) {
  if (chosen.size) return [...chosen].sort((a, b) => a - b);
  return current < 0 ? [] : [current];
}
