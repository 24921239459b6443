/** The classes of a data set, as the page came with them. */

/** @typedef {{number: number, name: string, colour: string, state: string}} Class */

export class Classes {
  /** @param {Class[]} all @param {string} dataset @param {Storage} storage */
  constructor(all, dataset, storage) {
    this.all = all;
    this.active = all.filter((one) => one.state === "active");
    this.storage = storage;
    this.key = `cv-class\n${dataset}`;
    const last = Number(storage.getItem(this.key) ?? -1);
    /** Number of the class of what is drawn; -1: there is none. */
    this.drawn = (this.active.find((one) => one.number === last) ?? this.active[0])?.number ?? -1;
  }

  /** @param {number} number @returns {Class} */
  of(number) {
    return this.all.find((one) => one.number === number) ?? { number, name: `class ${number}`, colour: "#888888", state: "unknown" };
  }

  /** The class of a digit key. @param {number} digit 1 to 9 */
  byDigit(digit) {
    return this.active[digit - 1];
  }

  /** The digit of a class, empty where it has none. @param {number} number */
  digitOf(number) {
    const place = this.active.findIndex((one) => one.number === number);
    return place >= 0 && place < 9 ? String(place + 1) : "";
  }

  /** @param {number} number */
  draw(number) {
    this.drawn = number;
    try {
      this.storage.setItem(this.key, String(number));
    } catch {
      // a full or forbidden store: the next page begins with the first class
    }
  }
}
