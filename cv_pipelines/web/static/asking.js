/**
 * Questions before what concerns much (templates/ask.html).
 */

import { byId } from "./dom.js";

/**
 * Ask a question.
 *
 * @param {string} title
 * @param {string} words what will be
 * @param {string} yes what the button says that does it
 * @returns {Promise<boolean>}
 */
export function ask(title, words, yes) {
  const dialog = byId("ask", HTMLDialogElement);
  byId("ask-title", HTMLHeadingElement).textContent = title;
  byId("ask-words", HTMLParagraphElement).textContent = words;
  byId("ask-yes", HTMLButtonElement).textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
