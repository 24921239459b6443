/**
 * One dispute on the page: the image, what each person says, and what can be said to be right.
 */

import { dot, make } from "../dom.js";
import { picture } from "./picture.js";

/** @import { Class, Dispute, Opinion, Verdict } from "./types.js" */

const KEYS = "1234567890";
const MOST_CLASSES = 60;

/**
 * @typedef {{ key: string, label: string, verdict: Verdict, nodes: (Node | string)[] }} Choice
 */

/**
 * What can be chosen, in the order of the keys: each person, then, where nobody has drawn a box, other classes.
 *
 * @param {Dispute} dispute
 * @param {Class[]} classes of the data set
 * @returns {Choice[]}
 */
export function choicesOf(dispute, classes) {
  const known = new Map(classes.map((one) => [one.number, one]));
  /** @type {Omit<Choice, "key">[]} */
  const found = dispute.opinions.map((one) => {
    const nodes = [dot(one.colour), make("b", null, one.who), says(one, known)];
    return { label: `${one.who} is right: ${wordsOf(one, known)}`, verdict: { person: one.who }, nodes };
  });
  if (dispute.opinions.every((one) => !one.boxes.length)) {
    const said = new Set(dispute.opinions.filter((one) => one.classes.length === 1).map((one) => one.classes[0]));
    const others = classes.filter((one) => one.active && !said.has(one.number));
    for (const one of others) {
      const verdict = { classes: [one.number] };
      found.push({ label: `It is ${one.name}`, verdict, nodes: [dot(one.colour), one.name] });
    }
  }
  return found.slice(0, MOST_CLASSES).map((one, place) => ({ ...one, key: KEYS[place] ?? "" }));
}

/** @param {string} address of an image: `…/images/<id>` */
export function pictureOf(address) {
  return `${address}/thumbnail?size=768`;
}

/**
 * @param {Dispute} dispute
 * @param {Choice[]} choices
 * @param {Class[]} classes
 * @param {string} address of the image: `…/images/<id>`
 * @param {(verdict: Verdict) => void} choose
 * @returns {Node[]}
 */
export function panel(dispute, choices, classes, address, choose) {
  const names = new Map(classes.map((one) => [one.number, one.name]));
  const known = new Map(classes.map((one) => [one.number, one]));
  const small = pictureOf(address);
  const withBoxes = dispute.opinions.some((one) => one.boxes.length);
  const drawnBy = withBoxes ? dispute.opinions : [];
  const pictures = drawnBy.length
    ? drawnBy.map((one) => {
        const under = make("figcaption", null, dot(one.colour), ` ${one.who}: `, says(one, known));
        return make("figure", null, picture(small, dispute, one.boxes, one.colour, names), under);
      })
    : [make("figure", null, picture(small, dispute, [], "", names))];
  const buttons = choices.map((one) => button(one, dispute, choose));
  const people = make("div", { className: "people", role: "group", ariaLabel: "Who is right" });
  people.append(make("h2", null, "Who is right?"), ...buttons.slice(0, dispute.opinions.length));
  const parts = [people];
  const rest = buttons.slice(dispute.opinions.length);
  if (rest.length) {
    const others = make("div", { className: "others", role: "group", ariaLabel: "Another class" });
    others.append(make("h3", null, "Or it is"), ...rest);
    parts.push(others);
  }
  if (dispute.refused) parts.unshift(make("p", { className: "notice" }, dispute.refused));
  const verdicts = make("div", { className: "verdicts" }, ...parts);
  return [make("div", { className: "pictures" }, ...pictures), verdicts];
}

/**
 * @param {Choice} choice
 * @param {Dispute} dispute
 * @param {(verdict: Verdict) => void} choose
 */
function button(choice, dispute, choose) {
  const made = make("button", { type: "button", className: "choice", ariaLabel: choice.label });
  if (choice.key) made.append(make("kbd", null, choice.key));
  made.append(...choice.nodes);
  made.disabled = dispute.refused !== null;
  made.addEventListener("click", () => choose(choice.verdict));
  return made;
}

/**
 * @param {Opinion} opinion
 * @param {Map<number, Class>} known
 */
function says(opinion, known) {
  return make("span", { className: "says" }, wordsOf(opinion, known));
}

/**
 * What somebody says, in short.
 *
 * @param {Opinion} opinion
 * @param {Map<number, Class>} known
 */
function wordsOf(opinion, known) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const box of opinion.boxes) counts.set(box.class, (counts.get(box.class) ?? 0) + 1);
  const name = (/** @type {number} */ number) => known.get(number)?.name ?? "?";
  const words = [...opinion.classes.map(name), ...[...counts].map(([number, count]) => `${count} × ${name(number)}`)];
  return words.join(", ") || "nothing in it";
}
