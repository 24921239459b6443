/**
 * The form with which admins assign images.
 */

import { request } from "../api.js";

/**
 * @param {HTMLFormElement} form
 * @param {string} address of the data set
 * @param {() => void} done
 */
export function assignWith(form, address, done) {
  const said = /** @type {HTMLElement} */ (form.querySelector("#assign-said"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const number = (/** @type {string} */ name) => Number(given.get(name));
    const wanted = {
      people: given.getAll("people").map(String),
      count: number("count"),
      twice: number("twice") / 100,
      source: String(given.get("source")),
      seed: number("seed"),
    };
    if (!wanted.people.length) {
      tell(said, "Choose one or more people.", true);
      return;
    }
    if (wanted.people.length === 1) wanted.twice = 0; // there is no second person
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    button.disabled = true;
    try {
      const { images, twice } = await request("POST", `${address}/assignments`, wanted);
      const short = images < wanted.count ? " There are no more that nobody has." : "";
      tell(said, `${images} images assigned, ${twice} of them to two people.${short}`, false);
      done();
    } catch (error) {
      tell(said, error instanceof Error ? error.message : String(error), true);
    } finally {
      button.disabled = false;
    }
  });
}

/**
 * @param {HTMLElement} place
 * @param {string} words
 * @param {boolean} wrong
 */
function tell(place, words, wrong) {
  place.textContent = words;
  place.classList.toggle("problem", wrong);
}
