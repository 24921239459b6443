/**
 * Figures and assignments, kept up to date without loading the page again.
 */

import { Problem, Unreachable, fragment, request } from "../api.js";
import { ask } from "../asking.js";

const SOON = 250; // ms after something was said
const AGAIN = 1000; // ms, while the server is still reading
const LATER = 5000; // ms, after a request that failed

export class Figures {
  /**
   * @param {HTMLElement} place
   * @param {string} address of the data set
   * @param {(problem: string) => void} tell what has gone wrong
   */
  constructor(place, address, tell) {
    this._place = place;
    this._address = address;
    this._tell = tell;
    this._timer = 0;
    this._turn = 0;
    place.addEventListener("click", (event) => this._takeBack(event));
    if (this._busy) this.refresh(AGAIN);
  }

  /**
   * Show what is known now, in a moment.
   *
   * @param {number} [after] ms
   */
  refresh(after = SOON) {
    clearTimeout(this._timer);
    this._timer = window.setTimeout(() => void this._load(), after);
  }

  get _busy() {
    return this._place.querySelector('[data-busy="yes"]') !== null;
  }

  async _load() {
    const turn = ++this._turn;
    try {
      const found = await fragment(`${this._address}/review`);
      if (turn !== this._turn) return; // a later one is on its way, or was quicker
      const open = this._place.querySelector("details")?.open ?? false;
      this._place.replaceChildren(found);
      const details = this._place.querySelector("details");
      if (details) details.open = open;
    } catch (error) {
      if (turn !== this._turn) return;
      this._tell(error instanceof Error ? error.message : String(error));
      if (error instanceof Unreachable || (error instanceof Problem && error.passes)) this.refresh(LATER);
      return;
    }
    if (this._busy) this.refresh(AGAIN);
  }

  /** @param {MouseEvent} event */
  async _takeBack(event) {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const who = target?.dataset["takeBack"];
    if (who === undefined) return;
    const words = `The ${target?.dataset["open"]} images that ${who} has not labelled yet can be given to others then.`;
    if (!(await ask("Take images back?", words, "Take back"))) return;
    try {
      await request("POST", `${this._address}/assignments/withdraw`, { who });
      this.refresh(0);
    } catch (error) {
      this._tell(error instanceof Error ? error.message : String(error));
    }
  }
}
