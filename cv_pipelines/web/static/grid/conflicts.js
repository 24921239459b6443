/**
 * What the server has not taken: what stands instead, and the choice between the two. Kept until it is made.
 */

import { byId, counted, make } from "../dom.js";
import { mayBeSaidAgain, reasonOf } from "../saving/refusals.js";
import { idOf, wordsOf } from "./tile.js";

/** @typedef {import("../saving/queue.js").Conflict} Conflict */

export class Conflicts {
  /** @type {Map<string, Conflict>} by image */
  #open = new Map();

  /**
   * @param {import("../saving/queue.js").Shelf} shelf
   * @param {string} prefix of keys
   * @param {string} address of the data set
   * @param {import("./tile.js").Classes} classes
   * @param {{ again: (imageId: string) => void, settled: (imageId: string) => void }} choices
   */
  constructor(shelf, prefix, address, classes, choices) {
    this.shelf = shelf;
    this.prefix = prefix;
    this.address = address;
    this.classes = classes;
    this.choices = choices;
    this.dialog = byId("conflicts", HTMLDialogElement);
    this.rows = byId("conflict-rows", HTMLUListElement);
    this.news = byId("news", HTMLDivElement);
    byId("conflicts-theirs", HTMLButtonElement).onclick = () => this.#each((id) => this.drop(id));
    byId("conflicts-mine", HTMLButtonElement).onclick = () => this.#each((id) => this.#repeat(id));
    for (let at = 0; at < shelf.length; at++) {
      const key = shelf.key(at);
      const conflict = key?.startsWith(prefix) ? read(shelf.getItem(key)) : null;
      if (conflict) this.#open.set(conflict.image_id, conflict);
    }
    this.#tell();
  }

  /** @param {string} imageId */
  of(imageId) {
    return this.#open.get(imageId);
  }

  /** @param {Conflict} conflict */
  add(conflict) {
    this.#open.set(conflict.image_id, conflict);
    try {
      this.shelf.setItem(this.prefix + conflict.image_id, JSON.stringify(conflict));
    } catch {
      // a full shelf: it is shown until the page is left
    }
    this.#tell();
  }

  /**
   * It is settled: one has said something else, or has chosen.
   * @param {string} imageId
   */
  drop(imageId) {
    if (!this.#open.delete(imageId)) return;
    this.shelf.removeItem(this.prefix + imageId);
    this.#tell();
    this.choices.settled(imageId);
  }

  /**
   * Show on a tile whether there is a choice to make.
   * @param {HTMLElement} tile
   */
  mark(tile) {
    const conflict = this.#open.get(idOf(tile));
    tile.querySelector(".dispute")?.remove();
    tile.classList.toggle("conflict", Boolean(conflict));
    if (!conflict) return;
    const box = make("div", { className: "dispute" }, this.#stands(conflict), this.#buttons(conflict));
    tile.append(box);
  }

  show() {
    this.#fill();
    this.dialog.showModal();
  }

  /**
   * Say it again, where that may go well; else it stays to be looked at.
   * @param {string} imageId
   */
  #repeat(imageId) {
    const conflict = this.#open.get(imageId);
    if (conflict && mayBeSaidAgain(conflict)) this.choices.again(imageId);
  }

  /** @param {(imageId: string) => void} work */
  #each(work) {
    for (const imageId of [...this.#open.keys()]) work(imageId);
  }

  /** @param {Conflict} conflict */
  #stands(conflict) {
    return reasonOf(conflict) || `${conflict.who || "Somebody"} says: ${wordsOf(conflict.label, this.classes)}`;
  }

  /** @param {Conflict} conflict */
  #buttons(conflict) {
    const keep = make("button", { type: "button", onclick: () => this.drop(conflict.image_id) });
    keep.textContent = reasonOf(conflict) ? "Dismiss" : "Keep that";
    if (!mayBeSaidAgain(conflict)) return make("div", { className: "row" }, keep);
    const again = make("button", { type: "button", onclick: () => this.choices.again(conflict.image_id) });
    const mine = conflict.mine?.what;
    const words = mine && "restore" in mine ? "what was before" : wordsOf(conflict.mine?.shows ?? null, this.classes);
    again.textContent = `Say ${words}`;
    return make("div", { className: "row" }, keep, again);
  }

  #fill() {
    this.rows.replaceChildren(
      ...[...this.#open.values()].map((one) => {
        const picture = make("img", { alt: "", src: `${this.address}/images/${one.image_id}/thumbnail?size=96` });
        return make("li", null, picture, make("span", null, this.#stands(one)), this.#buttons(one));
      }),
    );
  }

  #tell() {
    const count = this.#open.size;
    this.news.hidden = count === 0;
    if (this.dialog.open) this.#fill();
    if (!count) {
      this.dialog.close();
      this.news.replaceChildren();
      return;
    }
    const words = `${counted(count, "label")} of yours ${count === 1 ? "was" : "were"} not taken.`;
    const look = make("button", { type: "button", onclick: () => this.show() }, "Look and choose…");
    this.news.replaceChildren(make("span", null, words), look);
  }
}

/**
 * What was kept; null where it is not ours, or was taken by another tab meanwhile.
 * @param {string | null} text
 * @returns {Conflict | null}
 */
function read(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
