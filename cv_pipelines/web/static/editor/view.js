/**
 * How the image lies on the screen: image pixel (x, y) is at screen pixel (x * scale + left, y * scale + top).
 *
 * @typedef {import("./shapes.js").Point} Point
 * @typedef {import("./shapes.js").Size} Size
 * @typedef {{scale: number, left: number, top: number}} View
 */

export const [SMALLEST, LARGEST] = [0.02, 64];

/** The whole image in the middle of the stage; small ones grow, to 16 screen pixels a pixel at most. @param {Size} image @param {Size} stage @returns {View} */
export function fit(image, stage) {
  const room = { width: Math.max(stage.width - 24, 8), height: Math.max(stage.height - 24, 8) };
  const scale = Math.min(room.width / image.width, room.height / image.height, 16);
  return { scale, left: (stage.width - image.width * scale) / 2, top: (stage.height - image.height * scale) / 2 };
}

/** Larger or smaller around a place on the screen, which stays over the same pixel. @param {View} view @param {number} factor @param {Point} around @returns {View} */
export function zoomed({ scale, left, top }, factor, [x, y]) {
  const next = Math.min(Math.max(scale * factor, Math.min(SMALLEST, scale)), LARGEST); // what fits may be smaller
  const ratio = next / scale;
  return { scale: next, left: x - (x - left) * ratio, top: y - (y - top) * ratio };
}

/** Moved, but never so far that nothing of the image is seen. @param {View} view @param {number} across @param {number} down @param {Size} image @param {Size} stage @returns {View} */
export function panned({ scale, left, top }, across, down, image, stage) {
  const seen = 40;
  const keep = (/** @type {number} */ start, /** @type {number} */ length, /** @type {number} */ room) =>
    Math.min(Math.max(start, seen - length), room - seen);
  return { scale, left: keep(left + across, image.width * scale, stage.width), top: keep(top + down, image.height * scale, stage.height) };
}

/** @param {View} view @param {Point} at on the screen @returns {Point} */
export const toImage = ({ scale, left, top }, [x, y]) => [(x - left) / scale, (y - top) / scale];

/** @param {View} view @param {Point} point of the image @returns {Point} */
export const toScreen = ({ scale, left, top }, [x, y]) => [x * scale + left, y * scale + top];
