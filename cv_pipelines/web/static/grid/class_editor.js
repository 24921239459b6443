/**
 * The dialog in which classes are added, renamed, recoloured and retired.
 */

import { ask } from "../asking.js";
import { request } from "../api.js";
import { byId, counted, make } from "../dom.js";

/** @typedef {import("./tile.js").Class} Class */

export class ClassEditor {
  /**
   * @param {string} address of the data set's classes
   * @param {import("./class_list.js").ClassList} classes
   * @param {(classes: Class[]) => void} changed
   */
  constructor(address, classes, changed) {
    this.address = address;
    this.classes = classes;
    this.changed = changed;
    this.dialog = byId("class-editor", HTMLDialogElement);
    this.rows = byId("class-rows", HTMLUListElement);
    this.problem = byId("class-problem", HTMLParagraphElement);
    this.name = byId("class-new", HTMLInputElement);
    byId("class-add", HTMLButtonElement).addEventListener("click", () => this.#add());
    byId("class-form", HTMLFormElement).addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
      event.preventDefault(); // it would close the dialog
      if (event.target === this.name) this.#add();
      else event.target.blur();
    });
  }

  open() {
    this.problem.hidden = true;
    this.name.value = "";
    this.#fill();
    this.dialog.showModal();
    if (!this.classes.active.length) this.name.focus();
  }

  #add() {
    const name = this.name.value.trim();
    if (!name) return;
    void this.#change({ action: "add", name }).then((done) => {
      if (done) this.name.value = "";
      this.name.focus();
      this.rows.lastElementChild?.scrollIntoView({ block: "nearest" });
    });
  }

  #fill() {
    this.rows.replaceChildren(...this.classes.active.map((one) => this.#row(one)));
  }

  /** @param {Class} one */
  #row(one) {
    const colour = make("input", { type: "color", value: one.colour, ariaLabel: `Colour of ${one.name}` });
    colour.addEventListener("change", () => this.#change({ action: "recolour", name: one.name, colour: colour.value }));
    const name = make("input", { type: "text", value: one.name, ariaLabel: `Name of ${one.name}`, maxLength: 200 });
    name.spellcheck = false;
    name.addEventListener("change", () => {
      const renamed = name.value.trim();
      if (renamed && renamed !== one.name) void this.#change({ action: "rename", name: one.name, new: renamed });
      else name.value = one.name;
    });
    const images = make("span", { className: "figure" }, this.classes.imagesOf(one.number).toLocaleString("en"));
    images.title = "images that bear it";
    const retire = make("button", { type: "button", ariaLabel: `Retire ${one.name}` }, "Retire…");
    retire.addEventListener("click", () => this.#retire(one));
    return make("li", null, colour, name, images, retire);
  }

  /** @param {Class} one */
  async #retire(one) {
    try {
      const { images } = await request("GET", `${this.address}?name=${encodeURIComponent(one.name)}`);
      const bear = images === 1 ? "1 image bears it. That label counts" : `${counted(images, "image")} bear it. Those labels count`;
      const words = `${images ? bear : "No image bears it. It counts"} for nothing then, until the class is added again.`;
      if (await ask(`Retire '${one.name}'?`, words, "Retire")) await this.#change({ action: "retire", name: one.name });
    } catch (error) {
      this.#tell(error);
    }
  }

  /**
   * @param {{ action: string, name: string, new?: string, colour?: string }} body
   * @returns {Promise<boolean>} whether it was done
   */
  async #change(body) {
    this.problem.hidden = true;
    try {
      const { classes } = await request("POST", this.address, body);
      this.changed(classes);
      this.#fill();
      return true;
    } catch (error) {
      this.#fill();
      this.#tell(error);
      return false;
    }
  }

  /** @param {unknown} error */
  #tell(error) {
    this.problem.textContent = error instanceof Error ? error.message : String(error);
    this.problem.hidden = false;
  }
}
