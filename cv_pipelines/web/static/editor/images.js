/** Images and their labels from the server; what comes next is fetched ahead. */

import { request } from "../api.js";

/** @typedef {import("./shapes.js").Annotation} Annotation */
/**
 * @typedef {object} Labelled what the server says of an image
 * @property {string} image_id
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {number} version
 * @property {Annotation | null} annotation
 * @property {string} origin
 * @property {string} who
 * @property {{class: number, probability: number} | null} suggestion
 * @property {string | null} previous
 * @property {string | null} next
 *
 * @typedef {{video: string, seconds: string, previous: string | null, next: string | null}} Frame
 */

/** What of the grid's address chooses which images follow each other. */
const CHOOSES = ["queue", "sort", "q", "label", "hide"];
const AHEAD = 4;

export class Images {
  /** @type {Map<string, Labelled>} */
  #ahead = new Map();

  /** @param {string} dataset @param {string} search the query of the grid */
  constructor(dataset, search) {
    this.grid = `/datasets/${encodeURIComponent(dataset)}`;
    this.search = search;
    const all = new URLSearchParams(search);
    const chosen = new URLSearchParams([...all].filter(([key]) => CHOOSES.includes(key)));
    this.queue = chosen.size ? `?${chosen}` : "";
  }

  /** The page of an image. @param {string} id */
  page(id) {
    return `${this.grid}/images/${id}${this.search}`;
  }

  /** The grid, from the image on that comes after another; as it was where there is none. @param {string | null} previous @param {string} id */
  gridFrom(previous, id) {
    if (!previous) return `${this.grid}${this.search}#${id}`;
    const query = new URLSearchParams(this.search);
    query.delete("before");
    query.set("after", previous);
    return `${this.grid}?${query}#${id}`;
  }

  /** @param {string} id */
  picture(id) {
    return `${this.grid}/images/${id}/picture`;
  }

  /** @param {string} id */
  thumbnail(id) {
    return `${this.grid}/images/${id}/thumbnail?size=256`;
  }

  /** What was fetched ahead; it may be old. @param {string} id @returns {Labelled | null} */
  known(id) {
    return this.#ahead.get(id) ?? null;
  }

  /** @param {string} id @returns {Promise<Labelled>} */
  label(id) {
    return request("GET", `${this.grid}/images/${id}/label${this.queue}`);
  }

  /** @param {string} id @returns {Promise<Frame | null>} */
  frame(id) {
    return request("GET", `${this.grid}/images/${id}/frame`);
  }

  /** Fetch an image that will be wanted, perhaps; whatever goes wrong is told when it is. @param {string | null} id */
  async fetchAhead(id) {
    if (!id) return;
    new Image().src = this.picture(id);
    try {
      this.#ahead.set(id, await this.label(id));
    } catch {
      return;
    }
    for (const old of [...this.#ahead.keys()].slice(0, -AHEAD)) this.#ahead.delete(old);
  }
}

/** An exact time as people read it: `1:02:03.367`. @param {string} seconds a fraction, `1001/30` */
export function clock(seconds) {
  const [above = 0, below = 1] = seconds.split("/").map(Number);
  const thousandths = Math.round((above / below) * 1000);
  const [hours, minutes] = [Math.floor(thousandths / 3_600_000), Math.floor(thousandths / 60_000) % 60];
  const rest = ((thousandths % 60_000) / 1000).toFixed(3).padStart(6, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
