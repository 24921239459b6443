/**
 * The progress of what takes long.
 */

import { byId } from "../dom.js";

/**
 * Do something that takes long, in steps, and show how far it is; the person may stop it.
 *
 * @param {string} title
 * @param {number} total
 * @param {(tell: (done: number, words: string) => void, stopped: AbortSignal) => Promise<void>} work
 */
export async function withProgress(title, total, work) {
  const [dialog, bar] = [byId("work", HTMLDialogElement), byId("work-bar", HTMLProgressElement)];
  const said = byId("work-words", HTMLParagraphElement);
  byId("work-title", HTMLHeadingElement).textContent = title;
  bar.max = Math.max(total, 1);
  bar.value = 0;
  said.textContent = "";
  const stop = new AbortController();
  dialog.addEventListener("close", () => stop.abort(), { once: true });
  dialog.showModal();
  const tell = (/** @type {number} */ done, /** @type {string} */ words) => {
    bar.value = done;
    said.textContent = words;
  };
  try {
    await work(tell, stop.signal);
  } finally {
    dialog.close();
  }
}
