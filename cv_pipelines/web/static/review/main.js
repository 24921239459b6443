/**
 * The page Review: disputes one after another, by keys or clicks.
 */

import { Problem } from "../api.js";
import { byId, make } from "../dom.js";
import { assignWith } from "./assigning.js";
import { choicesOf, panel, pictureOf } from "./dispute.js";
import { Figures } from "./figures.js";
import { Queue } from "./queue.js";

/** @import { Dispute, First, Verdict } from "./types.js" */

const AGAIN = 1000; // ms, while the server is still reading

/** @type {First} */
const first = JSON.parse(byId("first", HTMLScriptElement).textContent ?? "");
const place = byId("dispute", HTMLElement);
const said = byId("said", HTMLElement);
const address = `/datasets/${encodeURIComponent(first.dataset)}`;
const queue = new Queue(first, address);
const figures = new Figures(byId("figures", HTMLElement), address, (words) =>
  tell(words, true),
);
const form = document.getElementById("assign");
if (form instanceof HTMLFormElement) assignWith(form, address, () => figures.refresh(0));
let busy = false;

/** @type {ReturnType<typeof choicesOf>} */
let choices = [];

/** @type {Dispute | undefined} */
let shown;

function show() {
  const focused = place.contains(document.activeElement);
  draw();
  if (focused) place.focus(); // what was pressed is gone: the next Tab leads to the first button, not to the top
}

function draw() {
  const dispute = queue.current;
  shown = dispute;
  place.classList.toggle("empty-dispute", !dispute);
  if (!dispute) {
    choices = [];
    place.replaceChildren(...nothing());
    return;
  }
  choices = choicesOf(dispute, first.classes);
  const left = queue.total === 1 ? "1 image in dispute" : `${queue.total.toLocaleString("en")} images in dispute`;
  const image = `${address}/images/${dispute.image_id}`;
  const large = make("a", { href: image, target: "_blank", title: "Open it large, in a tab of its own" }, dispute.name);
  const name = make("span", { className: "name", title: dispute.name }, large);
  const undo = make("button", { type: "button", title: "The one settled last" }, make("kbd", null, "U"), " Back");
  undo.disabled = !queue.canGoBack;
  undo.addEventListener("click", goBack);
  const skip = make("button", { type: "button", title: "Leave it for now" }, make("kbd", null, "→"), " Skip");
  skip.addEventListener("click", () => void next());
  const state = dispute.settled ? [make("span", { className: "notice" }, "settled: another answer replaces it")] : [];
  const head = make("header", null, make("strong", null, left), name, ...state, undo, skip);
  for (const one of queue.next) new Image().src = pictureOf(`${address}/images/${one.image_id}`);
  place.replaceChildren(head, ...panel(dispute, choices, first.classes, image, (verdict) => void settle(verdict)));
}

/** What stands where there is no dispute. */
function nothing() {
  if (!queue.ready) return [make("p", { className: "quiet" }, `What people have said is being read …`)];
  if (queue.waits) return [make("p", { className: "quiet" }, "Looking for the next one …")];
  const words = queue.total
    ? "You have seen all disputes. Those that you have skipped come again when you reload the page."
    : "Nothing is in dispute.";
  return [make("h2", null, words)];
}

/** @param {Verdict} verdict */
async function settle(verdict) {
  const dispute = queue.current;
  if (busy || !dispute || dispute.refused) return;
  busy = true;
  const saving = queue.settle(verdict);
  show(); // the next one, at once
  try {
    await saving;
    const what = "person" in verdict ? `as ${verdict.person} says` : nameOf(verdict.classes);
    tell(`${dispute.name} is settled: ${what}.`);
    figures.refresh();
    void fill();
  } catch (error) {
    await explain(dispute, error);
  } finally {
    busy = false;
    show();
  }
}

/** @param {Dispute} dispute that is not settled @param {unknown} error */
async function explain(dispute, error) {
  if (error instanceof Problem && error.code === "conflict") {
    try {
      await queue.refresh(dispute);
    } catch (other) {
      if (other instanceof Problem && !other.passes) await queue.skip(dispute).catch(() => undefined); // it may not be seen any more
      tell(other instanceof Error ? other.message : String(other), true);
      return;
    }
  }
  tell(`${dispute.name} is not settled: ${error instanceof Error ? error.message : String(error)}`, true);
}

async function next() {
  const more = queue.skip();
  show();
  await fill(more);
}

/** Show what comes where nothing is shown, or why it does not. @param {Promise<void>} [more] */
async function fill(more = queue.fill()) {
  try {
    await more;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), true);
  }
  if (!shown) show();
}

function goBack() {
  if (busy) return;
  queue.goBack();
  show();
}

/** @param {number[]} numbers */
function nameOf(numbers) {
  return first.classes.filter((one) => numbers.includes(one.number)).map((one) => one.name).join(", ");
}

/**
 * @param {string} words
 * @param {boolean} [wrong]
 */
function tell(words, wrong = false) {
  said.textContent = words;
  said.classList.toggle("problem", wrong);
}

async function waitUntilReady() {
  while (!queue.ready) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    if (document.hidden) continue;
    try {
      await queue.restart();
      tell("");
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), true);
      if (error instanceof Problem && !error.passes) return; // logged out, perhaps: asking again changes nothing
    }
    show();
  }
}

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, select, textarea, dialog")) return;
  if (event.repeat) return; // a key that is held would settle images that nobody has looked at
  const choice = choices.find((one) => one.key && one.key === event.key);
  if (choice) void settle(choice.verdict);
  else if (event.key === "ArrowRight") void next();
  else if (event.key.toLowerCase() === "u") goBack();
  else return;
  event.preventDefault();
});

show();
void fill();
void waitUntilReady();
