/**
 * Accepting what the model suggests, of all images of which it is sure enough.
 */

import { request } from "../api.js";
import { byId, counted, later } from "../dom.js";
import { withProgress } from "./work.js";

const WAIT = 200; // ms after the slider was moved

export class Suggestions {
  #images = 0;

  /**
   * @param {string} address of the suggestions
   * @param {(counts: import("../saving/saver.js").Counts) => void} counted
   * @param {(written: number) => void} done
   */
  constructor(address, counted, done) {
    this.address = address;
    this.counted = counted;
    this.done = done;
    this.dialog = byId("suggestions", HTMLDialogElement);
    this.slider = byId("above", HTMLInputElement);
    this.words = byId("above-words", HTMLOutputElement);
    this.count = byId("suggestions-count", HTMLParagraphElement);
    this.button = byId("suggestions-accept", HTMLButtonElement);
    const soon = later(WAIT, () => void this.#count());
    this.slider.addEventListener("input", () => {
      this.words.value = `${this.slider.value} %`;
      this.button.disabled = true;
      soon();
    });
    this.button.addEventListener("click", () => void this.#accept());
  }

  get above() {
    return this.slider.valueAsNumber / 100;
  }

  open() {
    this.dialog.showModal();
    void this.#count();
  }

  async #count() {
    const above = this.above;
    try {
      const { images } = await request("GET", `${this.address}?above=${above}`);
      if (above !== this.above) return; // it was moved on meanwhile
      this.#images = images;
      this.count.textContent = `${counted(images, "image")} without a label.`;
      this.button.textContent = `Accept ${images.toLocaleString("en")}`;
      this.button.disabled = images === 0;
    } catch (error) {
      this.count.textContent = String(error instanceof Error ? error.message : error);
    }
  }

  async #accept() {
    this.dialog.close();
    let written = 0;
    await withProgress("Accepting suggestions", this.#images, async (tell, stopped) => {
      for (let after = ""; after !== null && !stopped.aborted; ) {
        const answer = await request("POST", this.address, { above: this.above, after });
        written += answer.written;
        after = answer.after;
        this.counted(answer.counts);
        tell(written, `${written.toLocaleString("en")} of ${this.#images.toLocaleString("en")}`);
      }
    }).finally(() => this.done(written));
  }
}
