/**
 * An image with what somebody has drawn on it.
 */

import { makeSvg } from "../dom.js";

/** @import { Box, Dispute } from "./types.js" */

/**
 * @param {string} address of the picture
 * @param {Dispute} dispute whose image it is
 * @param {Box[]} boxes
 * @param {string} colour of their lines
 * @param {Map<number, string>} names of classes
 */
export function picture(address, dispute, boxes, colour, names) {
  const { width, height } = dispute;
  const image = makeSvg("image", { href: address, width, height });
  const shapes = boxes.map((box) => shape(box, colour, names.get(box.class) ?? "?"));
  const label = `${dispute.name}, ${boxes.length} ${boxes.length === 1 ? "box" : "boxes"}`;
  const view = { class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label };
  return makeSvg("svg", view, image, ...shapes);
}

/**
 * @param {Box} box
 * @param {string} colour
 * @param {string} name of its class
 */
function shape(box, colour, name) {
  const title = makeSvg("title");
  title.textContent = name;
  const place = { x: box.left, y: box.top, width: box.width, height: box.height };
  const outline = box.outline.map((ring) => `M${ring.map((point) => point.join(" ")).join("L")}Z`).join("");
  const form = outline ? makeSvg("path", { d: outline }) : makeSvg("rect", place);
  const lines = { class: "shape", stroke: colour, fill: colour };
  for (const [key, value] of Object.entries(lines)) form.setAttribute(key, value);
  form.append(title);
  return form;
}
