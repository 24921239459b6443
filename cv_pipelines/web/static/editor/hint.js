/** What the page says of what can be done now. */

import { sizeOf } from "./side.js";

/**
 * The line below the picture: what can be done, or what is selected.
 *
 * @param {import("./classes.js").Classes} classes
 * @param {import("./gestures.js").Gestures} gestures
 * @param {import("./editing.js").Editing} editing
 * @param {boolean} hidden whether objects are
 */
export function hintOf(classes, gestures, editing, hidden) {
  if (gestures.tool !== "select" && classes.drawn < 0) return "There are no classes yet: add one beside the grid first.";
  if (gestures.tool === "box") return `Drag a box: ${classes.of(classes.drawn).name}. Esc ends drawing.`;
  if (gestures.tool === "polygon" && gestures.ring.length) return `${gestures.ring.length} points. Enter closes, Backspace takes one back, Esc drops it.`;
  if (gestures.tool === "polygon") return `Click the points: ${classes.of(classes.drawn).name}. Esc ends drawing.`;
  const shape = editing.shape;
  if (hidden) return "Objects are hidden. H shows them.";
  if (!shape) return "";
  const outline = shape.outline.length && !editing.locked ? " Drag points or sides, Alt-click deletes a point." : "";
  return `${classes.of(shape.class).name}, ${sizeOf(shape)} at ${Math.round(shape.left)}, ${Math.round(shape.top)}.${outline}`;
}

/** In the place of objects where there are none. @param {boolean} locked */
export function emptyWords(locked) {
  if (locked) return "None.";
  return "None yet.\nB draws a box, P a polygon, E says that there is nothing.";
}
