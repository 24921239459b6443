/** How the picture looks: brightness, contrast, a logarithmic scale; kept per data set in the browser. */

/** @typedef {{brightness: number, contrast: number, log: boolean}} Settings */

/** @type {Settings} */
export const USUAL = { brightness: 1, contrast: 1, log: false };
const STEPS = 64;
const STRENGTH = 100; // how much dark values are spread: log(1 + 100 v) / log(1 + 100)

/** @param {Storage} storage @param {string} dataset @returns {Settings} */
export function recall(storage, dataset) {
  try {
    const { brightness, contrast, log } = JSON.parse(storage.getItem(key(dataset)) ?? "{}");
    return { brightness: bounded(brightness), contrast: bounded(contrast), log: log === true };
  } catch {
    return USUAL;
  }
}

/** @param {Storage} storage @param {string} dataset @param {Settings} settings */
export function remember(storage, dataset, settings) {
  try {
    storage.setItem(key(dataset), JSON.stringify(settings));
  } catch {
    // a full or forbidden store: then it is as usual the next time
  }
}

/** As a CSS filter; the logarithm is one of SVG, in the page. @param {Settings} settings */
export function filterOf({ brightness, contrast, log }) {
  const parts = [log ? "url(#log)" : "", brightness !== 1 ? `brightness(${brightness})` : "", contrast !== 1 ? `contrast(${contrast})` : ""];
  return parts.filter(Boolean).join(" ") || "none";
}

/** The values of feFuncR, feFuncG and feFuncB (type `table`). */
export function logTable() {
  const values = Array.from({ length: STEPS + 1 }, (_, step) => Math.log1p((STRENGTH * step) / STEPS) / Math.log1p(STRENGTH));
  return values.map((value) => value.toFixed(4)).join(" ");
}

/** @param {unknown} value */
const bounded = (value) => (typeof value === "number" && value >= 0.1 && value <= 5 ? value : 1);

/** @param {string} dataset */
const key = (dataset) => `cv-look\n${dataset}`;
