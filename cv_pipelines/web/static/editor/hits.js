/** What lies under the pointer: by distance and by the even-odd rule, in pixels of the image. */

import { boundsOf } from "./shapes.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./shapes.js").Ring} Ring */
/** @typedef {import("./shapes.js").Shape} Shape */

/**
 * Whether a point lies within an odd number of rings: a ray to the right is counted across their sides.
 * @param {Point} point @param {Ring[]} rings
 */
export function inRings([x, y], rings) {
  let inside = false;
  for (const ring of rings) {
    let [c, d] = ring.at(-1) ?? [0, 0];
    for (const [a, b] of ring) {
      if (b > y !== d > y && x < a + ((y - b) * (c - a)) / (d - b)) inside = !inside;
      [c, d] = [a, b];
    }
  }
  return inside;
}

/** How far a point is from the line between two others. @param {Point} point @param {Point} from @param {Point} to */
export function toLine([x, y], [a, b], [c, d]) {
  const length = (c - a) ** 2 + (d - b) ** 2;
  const along = length ? Math.min(Math.max(((x - a) * (c - a) + (y - b) * (d - b)) / length, 0), 1) : 0;
  return Math.hypot(x - a - along * (c - a), y - b - along * (d - b));
}

/** @param {Shape} shape @returns {Ring[]} its outline, or that of its box */
export function ringsOf(shape) {
  if (shape.outline.length) return shape.outline;
  const { left, top, right, bottom } = boundsOf(shape);
  return [[[left, top], [right, top], [right, bottom], [left, bottom]]];
}

/** Whether a point is on an object, or within `reach` pixels of its border. @param {Shape} shape @param {Point} point @param {number} reach */
export function touches(shape, point, reach) {
  const { left, top, right, bottom } = boundsOf(shape);
  const [x, y] = point;
  if (shape.outline.length === 0 && (x < left - reach || x > right + reach || y < top - reach || y > bottom + reach)) return false;
  return inRings(point, ringsOf(shape)) || nearestSide(shape, point).distance <= reach;
}

/** The side of an object that is nearest to a point: between the point `after` of a ring and the next one. @param {Shape} shape @param {Point} point */
export function nearestSide(shape, point) {
  let nearest = { ring: 0, after: 0, distance: Infinity };
  ringsOf(shape).forEach((points, ring) => {
    points.forEach((from, after) => {
      const distance = toLine(point, from, points[after + 1] ?? points[0] ?? from);
      if (distance < nearest.distance) nearest = { ring, after, distance };
    });
  });
  return nearest;
}

/** The point of an outline that is nearest to a place. @param {Shape} shape @param {Point} point */
export function nearestPoint(shape, [x, y]) {
  let nearest = { ring: 0, place: 0, distance: Infinity };
  shape.outline.forEach((points, ring) => {
    points.forEach(([a, b], place) => {
      const distance = Math.hypot(x - a, y - b);
      if (distance < nearest.distance) nearest = { ring, place, distance };
    });
  });
  return nearest;
}

/**
 * The object that a click is meant for: of those under it the smallest, for large ones often lie around small ones.
 * @param {Shape[]} shapes @param {Point} point @param {number} reach @param {(shape: Shape) => boolean} shown
 * @returns {number} its place, -1: none
 */
export function hit(shapes, point, reach, shown = () => true) {
  let found = { place: -1, area: Infinity };
  shapes.forEach((shape, place) => {
    const area = shape.width * shape.height;
    if (area <= found.area && shown(shape) && touches(shape, point, reach)) found = { place, area };
  });
  return found.place;
}
