/** The page that trains: follows the training that it shows while somebody looks, and asks before it cancels. */

import { Problem, Unreachable, fragment, request } from "../api.js";
import { show, showCurve } from "./show.js";

/** @typedef {import("./types.js").Training} Training */

const EVERY = 1000; // ms
const PAUSE = 5000; // ms, after a request that failed
const OVER = ["succeeded", "failed", "cancelled", "expired", "rejected"];

const live = document.getElementById("live");
if (live) begin(live);

/** @param {HTMLElement} live the part of the page that changes */
function begin(live) {
  /** @type {Training | null} */
  let shown = adopt(live);
  /** @type {number | undefined} */
  let timer;
  let isLooking = false; // a page that is hidden and shown again meanwhile looks once, not twice

  async function look() {
    timer = undefined;
    if (isLooking || !shown || OVER.includes(shown.state) || document.hidden) return;
    let pause = EVERY;
    isLooking = true;
    try {
      const address = `${live.dataset["trainings"]}/${encodeURIComponent(shown.task_id)}`;
      /** @type {Training} */
      const now = await request("GET", address);
      if (now.state !== shown.state || now.run !== shown.run || now.error !== shown.error) {
        const part = await fragment(`${live.dataset["page"]}?training=${encodeURIComponent(now.task_id)}`);
        const asks = live.querySelector("#cancel-question[open]") !== null;
        live.replaceChildren(part);
        shown = adopt(live);
        const question = live.querySelector("#cancel-question");
        if (asks && question instanceof HTMLDialogElement) question.showModal(); // somebody thinks about the answer
      } else {
        show(live, now);
      }
    } catch (error) {
      if (error instanceof Problem && !error.passes) return location.reload(); // logged out, or it was forgotten
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      pause = PAUSE;
      const note = live.querySelector('[data-field="note"]');
      note?.removeAttribute("hidden");
      if (note) note.textContent = `${error.message} It is tried again; the training goes on.`;
    } finally {
      isLooking = false;
    }
    timer = setTimeout(look, pause);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    look();
  });
  timer = setTimeout(look, EVERY);
}

/**
 * Take over what the server has written: draw its curve, wire its buttons.
 *
 * @param {HTMLElement} live
 * @returns {Training | null} what it shows
 */
function adopt(live) {
  const data = live.querySelector("#training-data")?.textContent;
  /** @type {Training | null} */
  const training = data ? JSON.parse(data) : null;
  if (training) showCurve(live, training.curve);
  const log = live.querySelector(".log");
  if (log) log.scrollTop = log.scrollHeight; // why it failed stands at the end
  const [cancel, question] = ["#cancel", "#cancel-question"].map((one) => live.querySelector(one));
  if (cancel instanceof HTMLButtonElement && question instanceof HTMLDialogElement) {
    cancel.addEventListener("click", () => question.showModal());
    cancel.disabled = training?.state === "cancelling";
    question.querySelector("#keep")?.addEventListener("click", () => question.close());
  }
  return training;
}
