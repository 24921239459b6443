/** Small helpers for pages. */

/**
 * The element with an id, which the page has.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`This page has no ${kind.name} '${id}'.`);
  return found;
}

/**
 * A new element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Partial<HTMLElementTagNameMap[K]> | null} [properties]
 * @param {...(Node | string)} children strings become text, never HTML
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties ?? {});
  element.append(...children);
  return element;
}

/**
 * A new element of SVG.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/**
 * A dot of a colour.
 * @param {string} colour
 */
export function dot(colour) {
  const circle = makeSvg("circle", { cx: 5, cy: 5, r: 5, fill: colour });
  return makeSvg("svg", { class: "dot", viewBox: "0 0 10 10", "aria-hidden": "true" }, circle);
}

/**
 * A number with what it counts: "1 image", "2,000 images".
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/**
 * Run something once, some time after it was last asked for.
 * @param {number} milliseconds
 * @param {() => void} work
 */
export function later(milliseconds, work) {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(work, milliseconds);
  };
}
