/** A storage in memory, as browsers have it; `full` refuses what comes. */
export class Shelf extends Map {
  full = false;
  get length() {
    return this.size;
  }
  /** @param {number} at */
  key(at) {
    return [...this.keys()][at] ?? null;
  }
  /** @param {string} key */
  getItem(key) {
    return this.get(key) ?? null;
  }
  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    if (this.full) throw new Error("QuotaExceededError");
    this.set(key, value);
  }
  /** @param {string} key */
  removeItem(key) {
    this.delete(key);
  }
}

/**
 * Numbers that look random, the same for a seed.
 * @param {number} seed
 */
export function dice(seed) {
  let state = seed + 1;
  return (/** @type {number} */ sides) => {
    state = (state * 48271) % 2147483647;
    return state % sides;
  };
}
