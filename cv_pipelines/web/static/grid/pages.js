/**
 * Paging in place: the tiles of a page are replaced, so the document never grows; the next page is fetched ahead.
 */

import { fragment } from "../api.js";
import { PICTURES, warm } from "./pictures.js";

/**
 * @typedef {{ address: string, at: number, page: DocumentFragment }} Ahead
 */

const FRESH = 120_000; // ms for which a page that was fetched ahead may be shown
const STALE = 30_000; // ms after which it is better fetched once more

export class Pages {
  /** @type {Ahead | null} */
  #ahead = null;
  #fetching = new AbortController();
  #turning = new AbortController();
  busy = false;

  /**
   * @param {(page: HTMLElement, imageId: string) => void} shown takes what has come; the id is of the image to go to
   * @param {(error: Error) => void} failed
   */
  constructor(shown, failed) {
    this.shown = shown;
    this.failed = failed;
    window.addEventListener("popstate", () => void this.#turn(location.pathname + location.search, ""));
  }

  get tiles() {
    const found = document.getElementById("tiles");
    if (!found) throw new Error("This page has no tiles.");
    return found;
  }

  /**
   * Go to another page.
   * @param {string} address
   * @param {string} [imageId] of the image to go to
   */
  async go(address, imageId = "") {
    const target = new URL(address, location.href);
    if (await this.#turn(target.pathname + target.search, imageId, true)) return;
  }

  /** Show the present page as it is now. */
  async again(imageId = "") {
    this.#ahead = null;
    await this.#turn(location.pathname + location.search, imageId, false, true);
  }

  /**
   * Where a link of the page leads.
   * @param {"next" | "prev" | "first"} rel
   */
  addressOf(rel) {
    return this.tiles.querySelector(`.pages a[rel="${rel}"]`)?.getAttribute("href") ?? null;
  }

  /** Fetch the next page and its pictures, when there is time; again when what is there has grown old. */
  lookAhead() {
    const next = this.addressOf("next");
    if (!next || this.busy) return;
    const address = location.pathname + next;
    if (this.#ahead?.address === address && performance.now() - this.#ahead.at < STALE) return;
    this.#fetching.abort();
    const fetching = (this.#fetching = new AbortController());
    void (async () => {
      try {
        const page = await fragment(address, fetching.signal);
        if (fetching.signal.aborted) return;
        const known = this.#ahead?.address === address;
        this.#ahead = { address, at: performance.now(), page };
        if (!known) await warm(page.querySelectorAll(PICTURES), fetching.signal);
      } catch {
        // it is fetched when it is asked for
      }
    })();
  }

  /**
   * @param {string} address
   * @param {string} imageId
   * @param {boolean} [push] remember it in the history
   * @param {boolean} [stay] do not scroll
   * @returns {Promise<boolean>} whether it is shown
   */
  async #turn(address, imageId, push = false, stay = false) {
    this.#turning.abort();
    const turning = (this.#turning = new AbortController());
    const ahead = this.#ahead?.address === address && performance.now() - this.#ahead.at < FRESH ? this.#ahead : null;
    try {
      let page = ahead?.page;
      if (!page) {
        this.busy = true;
        this.tiles.setAttribute("aria-busy", "true");
        this.#fetching.abort();
        page = await fragment(address, turning.signal);
      }
      if (turning.signal.aborted) return false;
      this.#show(page, address, imageId, push, stay);
      return true;
    } catch (error) {
      if (turning.signal.aborted) return false;
      this.busy = false;
      this.tiles.removeAttribute("aria-busy");
      this.failed(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  /**
   * @param {DocumentFragment} page
   * @param {string} address
   * @param {string} imageId
   * @param {boolean} push
   * @param {boolean} stay
   */
  #show(page, address, imageId, push, stay) {
    this.busy = false;
    this.#ahead = null;
    const tiles = page.getElementById("tiles");
    if (!(tiles instanceof HTMLElement)) throw new Error("The server has sent something else than a page.");
    if (push) history.pushState(null, "", address);
    const ways = tiles.querySelector(".pages");
    if (ways) document.querySelector(".tools .pages")?.replaceWith(ways.cloneNode(true));
    this.tiles.replaceWith(tiles);
    if (!stay) window.scrollTo(0, 0);
    this.shown(tiles, imageId);
  }
}
