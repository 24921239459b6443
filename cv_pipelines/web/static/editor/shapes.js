/**
 * What the editor edits: the objects of one image, as the server keeps them.
 *
 * Coordinates are pixels of the upright image: x to the right, y down, (0, 0) is the outer corner of the first pixel.
 * Nothing here is ever changed in place: each edit makes a new value, so that undoing is going back to the old one.
 *
 * @typedef {[number, number]} Point
 * @typedef {Point[]} Ring closed: the last point is not the first again
 * @typedef {Record<string, string | number | boolean>} Attributes
 * @typedef {{class: number, left: number, top: number, width: number, height: number, outline: Ring[], attributes: Attributes}} Shape
 *   an object; what lies within an odd number of rings of its outline belongs to it; no outline: only the box is known
 * @typedef {{classes: number[], boxes: Shape[]}} Annotation all that is said of an image
 * @typedef {{left: number, top: number, right: number, bottom: number}} Bounds
 * @typedef {{width: number, height: number}} Size
 * @typedef {"n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw"} Handle
 */

/** Pixels that an object has at least in each direction. */
export const LEAST = 1;

/** @type {Handle[]} */
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** Coordinates that are drawn are kept to a hundredth of a pixel. @param {number} value */
export const round = (value) => Math.round(value * 100) / 100;

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The nearest place within the image. @param {Point} point @param {Size} size @returns {Point} */
export const within = ([x, y], { width, height }) => [round(clamp(x, 0, width)), round(clamp(y, 0, height))];

/** @param {Shape} shape @returns {Bounds} */
export const boundsOf = ({ left, top, width, height }) => ({ left, top, right: left + width, bottom: top + height });

/** The smallest box around rings. @param {Ring[]} rings @returns {Bounds} */
export function boundsAround(rings) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of rings.flat()) {
    bounds.left = Math.min(bounds.left, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.right = Math.max(bounds.right, x);
    bounds.bottom = Math.max(bounds.bottom, y);
  }
  return bounds;
}

/** @param {Bounds} bounds */
const placed = ({ left, top, right, bottom }) => ({ left, top, width: right - left, height: bottom - top });

/**
 * The box between two corners, in any order; null where it is smaller than LEAST.
 * @param {Point} one @param {Point} other @param {number} number of its class @param {Size} size @returns {Shape | null}
 */
export function boxBetween(one, other, number, size) {
  const [[a, b], [c, d]] = [within(one, size), within(other, size)];
  const bounds = { left: Math.min(a, c), top: Math.min(b, d), right: Math.max(a, c), bottom: Math.max(b, d) };
  if (bounds.right - bounds.left < LEAST || bounds.bottom - bounds.top < LEAST) return null;
  return { class: number, ...placed(bounds), outline: [], attributes: {} };
}

/**
 * The object within a ring; null where that is no area.
 * @param {Ring} ring @param {number} number of its class @param {Size} size @returns {Shape | null}
 */
export function polygonOf(ring, number, size) {
  const inside = ring.map((point) => within(point, size));
  const points = inside.filter((point, place) => !same(point, inside[place + 1] ?? inside[0]));
  const shape = { class: number, left: 0, top: 0, width: 0, height: 0, outline: [points], attributes: {} };
  return withOutline(shape, [points]);
}

/** Another outline, and the box around it; null where it is no area any more. @param {Shape} shape @param {Ring[]} outline @returns {Shape | null} */
function withOutline(shape, outline) {
  if (!outline.length || outline.some((ring) => ring.length < 3)) return null;
  const bounds = boundsAround(outline);
  if (bounds.right - bounds.left < LEAST || bounds.bottom - bounds.top < LEAST) return null;
  return { ...shape, ...placed(bounds), outline };
}

/**
 * An object somewhere else. It stays within the image; one that already reaches out goes no farther.
 * @param {Shape} shape @param {number} across @param {number} down pixels @param {Size} size @returns {Shape}
 */
export function moved(shape, across, down, size) {
  const { left, top, right, bottom } = boundsOf(shape);
  const x = round(clamp(across, Math.min(0, -left), Math.max(0, size.width - right)));
  const y = round(clamp(down, Math.min(0, -top), Math.max(0, size.height - bottom)));
  const outline = shape.outline.map((ring) => ring.map(([a, b]) => /** @type {Point} */ ([a + x, b + y])));
  return { ...shape, left: left + x, top: top + y, outline };
}

/**
 * A box with some of its sides elsewhere; dragged past the opposite side it stays LEAST wide.
 * @param {Shape} shape without an outline @param {Handle} handle @param {Point} to @param {Size} size @returns {Shape}
 */
export function resized(shape, handle, to, size) {
  const [x, y] = within(to, size);
  const bounds = boundsOf(shape);
  if (handle.includes("w")) bounds.left = Math.min(x, bounds.right - LEAST);
  if (handle.includes("e")) bounds.right = Math.max(x, bounds.left + LEAST);
  if (handle.includes("n")) bounds.top = Math.min(y, bounds.bottom - LEAST);
  if (handle.includes("s")) bounds.bottom = Math.max(y, bounds.top + LEAST);
  return { ...shape, ...placed(bounds) };
}

/** Where the handles of a box are. @param {Shape} shape @returns {{handle: Handle, at: Point}[]} */
export function handlesOf(shape) {
  const { left, top, right, bottom } = boundsOf(shape);
  return HANDLES.map((handle) => {
    const x = handle.includes("w") ? left : handle.includes("e") ? right : (left + right) / 2;
    const y = handle.includes("n") ? top : handle.includes("s") ? bottom : (top + bottom) / 2;
    return { handle, at: /** @type {Point} */ ([x, y]) };
  });
}

/**
 * An outline with one point elsewhere; as it was where that leaves no area.
 * @param {Shape} shape @param {number} ring @param {number} place @param {Point} to @param {Size} size @returns {Shape}
 */
export function pointMoved(shape, ring, place, to, size) {
  const points = [...(shape.outline[ring] ?? [])];
  points[place] = within(to, size);
  return withOutline(shape, replaced(shape.outline, ring, points)) ?? shape;
}

/** One more point, right behind another. @param {Shape} shape @param {number} ring @param {number} after @param {Point} at @param {Size} size @returns {Shape} */
export function pointInserted(shape, ring, after, at, size) {
  const points = [...(shape.outline[ring] ?? [])];
  points.splice(after + 1, 0, within(at, size));
  return withOutline(shape, replaced(shape.outline, ring, points)) ?? shape;
}

/** One point less; a ring of fewer than three goes; null where none is left. @param {Shape} shape @param {number} ring @param {number} place @returns {Shape | null} */
export function pointDeleted(shape, ring, place) {
  const points = (shape.outline[ring] ?? []).filter((_, at) => at !== place);
  const outline = points.length < 3 ? shape.outline.filter((_, at) => at !== ring) : replaced(shape.outline, ring, points);
  return withOutline(shape, outline);
}

/** @param {Ring[]} rings @param {number} place @param {Ring} ring */
const replaced = (rings, place, ring) => rings.map((one, at) => (at === place ? ring : one));

/** @param {Point} one @param {Point | undefined} other */
const same = (one, other) => one[0] === other?.[0] && one[1] === other[1];

/** Whether two values say the same; attributes and all. @param {unknown} one @param {unknown} other */
export const alike = (one, other) => canonical(one) === canonical(other);

/** @param {unknown} value @returns {string} */
const canonical = (value) =>
  JSON.stringify(value, (_, held) =>
    held && typeof held === "object" && !Array.isArray(held)
      ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
      : held,
  );
