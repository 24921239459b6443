/** Where the picture is on the stage, and how large: what is chosen, and more pixels of it when they can be seen. */

import { fit, panned, zoomed } from "./view.js";

const MOST_PIXELS = 8192; // of a side of a picture, as the server makes them

export class Viewing {
  view = { scale: 1, left: 0, top: 0 };
  #fitted = true;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLImageElement} picture on it
   * @param {{image: () => string, size: () => import("./shapes.js").Size, picture: (image: string) => string}} shown the image: its id, its size, the address of a picture
   * @param {() => void} changed
   */
  constructor(stage, picture, shown, changed) {
    this.stage = stage;
    this.picture = picture;
    this.shown = shown;
    this.changed = changed;
    new ResizeObserver(() => (this.#fitted ? this.fit() : changed())).observe(stage);
  }

  get room() {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  /** All of it. */
  fit() {
    this.view = fit(this.shown.size(), this.room);
    this.#fitted = true;
    this.changed();
  }

  /** @param {number} across @param {number} down pixels of the screen */
  pan(across, down) {
    this.view = panned(this.view, across, down, this.shown.size(), this.room);
  }

  /** @param {number} factor @param {import("./shapes.js").Point} [around] */
  zoom(factor, around) {
    const { width, height } = this.room;
    this.view = zoomed(this.view, factor, around ?? [width / 2, height / 2]);
    this.pan(0, 0);
    this.#fitted = false;
    this.#sharpen();
    this.changed();
  }

  /** More pixels of a picture that was made smaller, once they can be seen. */
  #sharpen() {
    const { picture } = this;
    const image = this.shown.image();
    const address = `${this.shown.picture(image)}?size=${MOST_PIXELS}`;
    const { width } = this.shown.size();
    const missing = picture.naturalWidth > 0 && picture.naturalWidth < width;
    if (!missing || this.view.scale * devicePixelRatio < picture.naturalWidth / width || picture.src.endsWith(address)) return;
    const sharper = new Image();
    sharper.onload = () => {
      if (image === this.shown.image()) picture.src = address;
    };
    sharper.src = address;
  }
}
