/** What was refused because somebody else was quicker: kept in the browser until the person has chosen. */

import { byId, makeSvg } from "../dom.js";
import { ringsOf } from "./hits.js";
import { alike } from "./shapes.js";

/** @typedef {import("./shapes.js").Annotation} Annotation */
/** @typedef {import("../saving/queue.js").Conflict} Undecided */
/** @typedef {"mine" | "theirs" | "both"} Choice */

export class Conflicts {
  /** @param {Storage} storage @param {string} prefix of the keys: one for each person and data set */
  constructor(storage, prefix) {
    this.storage = storage;
    this.prefix = prefix;
  }

  /** Ids of the images that they are of. @returns {string[]} */
  get images() {
    const keys = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix));
    return keys.map((key) => key.slice(this.prefix.length)).filter((image) => this.of(image));
  }

  /** What is undecided of an image. That an undo of the grid came too late is for the grid. @param {string} image @returns {Undecided | null} */
  of(image) {
    /** @type {Undecided | null} */
    const found = JSON.parse(this.storage.getItem(this.prefix + image) ?? "null");
    return found?.code === "conflict" && found.mine && (!("restore" in found.mine.what) || found.mine.shows?.annotation) ? found : null;
  }

  /** @param {Undecided} undecided */
  keep(undecided) {
    this.storage.setItem(this.prefix + undecided.image_id, JSON.stringify(undecided));
  }

  /** @param {string} image */
  decided(image) {
    this.storage.removeItem(this.prefix + image);
  }
}

/**
 * Both together: theirs, and what of mine is not the same. @param {Annotation} mine @param {Annotation} theirs @returns {Annotation}
 */
export function joined(mine, theirs) {
  const more = mine.boxes.filter((box) => !theirs.boxes.some((other) => alike(box, other)));
  return { classes: [...new Set([...theirs.classes, ...mine.classes])], boxes: [...theirs.boxes, ...more] };
}

/**
 * Show both, and let the person choose; null: not now.
 * @param {{mine: Annotation, theirs: Annotation, who: string, size: import("./shapes.js").Size, picture: string, classes: import("./classes.js").Classes}} both
 * @returns {Promise<Choice | null>}
 */
export function ask({ mine, theirs, who, size, picture, classes }) {
  const dialog = byId("conflict", HTMLDialogElement);
  byId("conflict-words", HTMLElement).textContent = `${who} has saved other labels since you opened it. Nothing is lost: choose which ones stand.`;
  byId("whose", HTMLElement).textContent = `What ${who} has saved`;
  for (const [id, annotation] of /** @type {const} */ ([["mine", mine], ["theirs", theirs]])) {
    const svg = /** @type {SVGSVGElement} */ (dialog.querySelector(`#${id}`));
    draw(svg, annotation, size, picture, classes);
    const words = svg.nextElementSibling;
    if (words) words.textContent = inWords(annotation, classes);
    svg.setAttribute("aria-label", inWords(annotation, classes));
  }
  dialog.showModal();
  return new Promise((resolve) => {
    /** @type {Choice | null} */
    let choice = null;
    for (const one of /** @type {const} */ (["mine", "theirs", "both"])) {
      byId(`take-${one}`, HTMLButtonElement).onclick = () => {
        choice = one;
        dialog.close();
      };
    }
    dialog.onclose = () => resolve(choice);
  });
}

/** @param {SVGSVGElement} svg @param {Annotation} annotation @param {import("./shapes.js").Size} size @param {string} picture @param {import("./classes.js").Classes} classes */
function draw(svg, annotation, size, picture, classes) {
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const all = { width: String(size.width), height: String(size.height), preserveAspectRatio: "none" };
  svg.replaceChildren(makeSvg("image", { href: picture, ...all }));
  for (const shape of annotation.boxes) {
    const { colour } = classes.of(shape.class);
    const d = ringsOf(shape).map((ring) => `M ${ring.map(([x, y]) => `${x} ${y}`).join(" L ")} Z`).join(" ");
    svg.append(makeSvg("path", { d, fill: colour, stroke: colour, "fill-rule": "evenodd" }));
  }
}

/** @param {Annotation} annotation @param {import("./classes.js").Classes} classes */
function inWords({ classes: numbers, boxes }, classes) {
  const names = numbers.map((number) => classes.of(number).name).join(", ") || "no class";
  const count = new Map();
  for (const { class: number } of boxes) count.set(number, (count.get(number) ?? 0) + 1);
  const objects = [...count].map(([number, many]) => `${many} × ${classes.of(number).name}`).join(", ") || "no objects";
  return `The image: ${names}. Objects: ${objects}.`;
}
