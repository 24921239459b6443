/** The panel for brightness, contrast and the logarithmic scale. */

import { byId } from "../dom.js";
import { USUAL, filterOf, logTable, recall, remember } from "./look.js";

/** Let a picture look as it did the last time, and as the panel says. @param {HTMLElement} picture @param {string} dataset @param {Storage} storage */
export function openLookPanel(picture, dataset, storage) {
  const [brightness, contrast, log] = [byId("brightness", HTMLInputElement), byId("contrast", HTMLInputElement), byId("logarithm", HTMLInputElement)];

  /** @param {import("./look.js").Settings} look */
  function apply(look) {
    picture.style.filter = filterOf(look);
    brightness.value = String(look.brightness);
    contrast.value = String(look.contrast);
    log.checked = look.log;
    byId("look", HTMLElement).setAttribute("aria-pressed", String(filterOf(look) !== "none"));
  }

  /** @param {import("./look.js").Settings} look */
  function choose(look) {
    remember(storage, dataset, look);
    apply(look);
  }

  for (const one of document.querySelectorAll("#log feComponentTransfer > *")) one.setAttribute("tableValues", logTable());
  for (const input of [brightness, contrast, log]) {
    input.addEventListener("input", () => choose({ brightness: Number(brightness.value), contrast: Number(contrast.value), log: log.checked }));
  }
  byId("plain", HTMLButtonElement).addEventListener("click", () => choose(USUAL));
  apply(recall(storage, dataset));
}
