/** The elements of the page, made in the same way everywhere: whatever people have named is text, never HTML. */

/** An element of the page. @template {Element} T @param {string} id @param {new () => T} kind @returns {T} */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no #${id}.`);
  return found;
}

/** One that viewers do not have. @param {string} id @returns {HTMLElement | null} */
export const perhaps = (id) => document.getElementById(id);

/** @template {keyof HTMLElementTagNameMap} T @param {T} name @param {string} [className] @param {string} [text] @returns {HTMLElementTagNameMap[T]} */
export function make(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A dot in the colour of a class. @param {string} colour */
export function dot(colour) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "dot");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("aria-hidden", "true");
  const circle = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "circle"));
  for (const [key, value] of [["cx", "5"], ["cy", "5"], ["r", "5"], ["fill", colour]]) circle.setAttribute(String(key), String(value));
  return svg;
}
