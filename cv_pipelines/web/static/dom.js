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
 * A dot of a colour.
 * @param {string} colour
 */
export function dot(colour) {
  const name = "http://www.w3.org/2000/svg";
  const [svg, circle] = [document.createElementNS(name, "svg"), document.createElementNS(name, "circle")];
  for (const [key, value] of Object.entries({ class: "dot", viewBox: "0 0 10 10", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  for (const [key, value] of Object.entries({ cx: "5", cy: "5", r: "5", fill: colour }))
    circle.setAttribute(key, value);
  svg.append(circle);
  return svg;
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
