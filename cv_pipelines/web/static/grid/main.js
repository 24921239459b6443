/**
 * The label page: puts its parts together.
 */

import { Problem } from "../api.js";
import { ask } from "../asking.js";
import { byId, counted } from "../dom.js";
import { Board } from "./board.js";
import { unlabelQueue } from "./bulk.js";
import { Chooser } from "./chooser.js";
import { ClassEditor } from "./class_editor.js";
import { ClassList } from "./class_list.js";
import { listen } from "./keys.js";
import { Labelling } from "./labelling.js";
import { Pages } from "./pages.js";
import { Pictures } from "./pictures.js";
import { Palette } from "./palette.js";
import { stateLine } from "./state_line.js";
import { Suggestions } from "./suggestions.js";
import { idOf, labelOf, show } from "./tile.js";

const PLACE = "cv.place/";
const page = byId("label-page", HTMLDivElement);
const { name = "", address = "" } = page.dataset;
const mayLabel = "mayLabel" in page.dataset;
const who = document.querySelector('meta[name="user"]')?.getAttribute("content") ?? "";
document.documentElement.classList.add("has-script");

const said = byId("said", HTMLParagraphElement);
const say = (/** @type {string} */ words) => void (said.textContent = words);
const chosen = byId("chosen", HTMLSpanElement);
const board = new Board((count, current) => {
  const one = count === 1 ? current?.dataset.name : undefined;
  const words = one ?? (count ? `${count.toLocaleString("en")} chosen` : "Nothing chosen");
  if (chosen.textContent !== words) chosen.textContent = words;
  if (count > 1) say(words);
  if (board.selection.current * 2 > board.tiles.length) lookAhead();
});
const pages = new Pages(shown, failed);
const pictures = new Pictures();
const chooser = new Chooser((to) => void pages.go(to), () => board.grid, () => pictures.show(pages.tiles));
const classes = new ClassList(readClasses(), readCounts(), mayLabel);
const labelling = mayLabel ? openLabelling() : null;

function openLabelling() {
  const undo = page.querySelector('[data-do="undo"]');
  return new Labelling({
    name,
    address,
    who,
    board,
    classes,
    say,
    state: stateLine(say),
    undoable: (steps) => void (undo instanceof HTMLButtonElement && (undo.disabled = steps === 0)),
  });
}

/** Fetch the next page when nothing else is to be done. */
function lookAhead() {
  window.setTimeout(() => pages.lookAhead(), 50);
}

/**
 * Another page is there.
 * @param {HTMLElement} tiles
 * @param {string} imageId
 */
function shown(tiles, imageId) {
  board.take(tiles, imageId);
  chooser.read();
  chooser.apply();
  pictures.show(tiles);
  classes.count(readCounts());
  labelling?.overlayAll();
  offerUnlabelling();
  if (board.current && document.activeElement !== chooser.search) board.goTo(idOf(board.current));
  say(document.querySelector(".place")?.textContent ?? "");
  lookAhead();
}

/** @param {Error} error */
function failed(error) {
  const words = error instanceof Problem && error.status === 401 ? "You are logged out: log in again." : error.message;
  say(words);
  chosen.textContent = words;
}

/** @returns {import("./tile.js").Class[]} */
function readClasses() {
  return JSON.parse(document.getElementById("classes")?.textContent ?? "[]");
}

/** @returns {import("../saving/saver.js").Counts} */
function readCounts() {
  return JSON.parse(pages.tiles.dataset.counts ?? "{}");
}

/** On to the next tile, or to the next page after the last one. */
function moveOn() {
  if (board.moveOn()) return;
  const next = pages.addressOf("next");
  if (next) void pages.go(next);
  else board.chooseOnlyCurrent();
}

/** @param {import("./tile.js").Class | undefined} one */
function label(one) {
  if (!one || !labelling || pages.busy) return;
  labelling.label(board.affected, one);
  moveOn();
}

/** @param {import("./tile.js").Class | undefined} one */
function toggle(one) {
  if (one && !pages.busy) labelling?.toggle(board.affected, one);
}

async function unlabel() {
  const tiles = board.affected.filter((tile) => labelOf(tile));
  const boxes = tiles.reduce((sum, tile) => sum + (labelOf(tile)?.boxes ?? 0), 0);
  if (!labelling || pages.busy) return;
  if (tiles.length > 1 || boxes) {
    const also = boxes ? ` with ${counted(boxes, "box", "boxes")}` : "";
    const which = tiles.length === 1 ? "The label of this image" : `The labels of ${counted(tiles.length, "image")}`;
    const words = `${which}${also} will be away. U brings ${tiles.length === 1 ? "it" : "them"} back.`;
    if (!(await ask("Take labels away?", words, tiles.length === 1 ? "Un-label" : `Un-label ${tiles.length}`))) return;
  }
  const several = board.affected.length > 1;
  labelling.unlabel(tiles);
  if (several) board.chooseOnlyCurrent();
  else moveOn();
}

async function undo() {
  const step = labelling?.undo();
  const [first] = step?.parts ?? [];
  if (!step || !first) return;
  if (board.tileOf(first.image_id)) board.goTo(first.image_id);
  else if (new URL(step.address, location.href).pathname === location.pathname) await pages.go(step.address, first.image_id);
}

function accept() {
  if (!labelling || pages.busy) return;
  if (labelling.accept(board.affected)) moveOn();
  else say("The model suggests nothing here.");
}

/** What is like an image, and files, are no queue whose labels could be taken away: the grid has another one. */
function offerUnlabelling() {
  page.querySelector('[data-do="unlabel-queue"]')?.toggleAttribute("disabled", !("queue" in pages.tiles.dataset));
}

async function unlabelAll() {
  const query = new URLSearchParams(location.search);
  for (const place of ["after", "before"]) query.delete(place);
  const total = Number(pages.tiles.dataset.total);
  const words = `All labels of the ${counted(total, "image")} of this queue, as it is chosen now, will be away, boxes too. U does not bring them back.`;
  if (!total || !(await ask("Take all labels of this queue away?", words, `Un-label ${total.toLocaleString("en")}`))) return;
  try {
    const { away, refused } = await unlabelQueue(address, `?${query}`, total, (counts) => classes.count(counts));
    say(`${counted(away, "label")} away${refused ? `, ${refused} changed meanwhile and stay` : ""}`);
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
  }
  await pages.again();
}

/** @param {"next" | "prev" | "first"} rel */
function turn(rel) {
  const to = pages.addressOf(rel);
  if (to) void pages.go(to);
}

/** @param {string} part of the address of the current image */
function open(part) {
  if (board.current) location.assign(`${address}/images/${idOf(board.current)}${part}`);
}

/** @param {import("./tile.js").Class[]} changed */
function takeClasses(changed) {
  const [active, before] = [changed.filter((one) => one.state !== "retired"), classes.active.length];
  classes.take(active);
  if (active.length < before) void pages.again(board.current && idOf(board.current)); // labels of it count no more
  for (const tile of board.tiles) show(tile, labelOf(tile), classes.of);
  labelling?.overlayAll();
}

const palette = mayLabel ? new Palette(classes, label) : null;
const editor = mayLabel ? new ClassEditor(`${address}/classes`, classes, takeClasses) : null;
const suggestions = mayLabel
  ? new Suggestions(
      `${address}/suggestions`,
      (counts) => classes.count(counts),
      (written) => {
        say(`${counted(written, "suggestion")} accepted`);
        void pages.again();
      },
    )
  : null;
const large = () => open(location.search);
const similar = () => open("/similar");
const showKeys = () => byId("keys", HTMLDialogElement).showModal();

/** @type {Record<string, () => void>} */
const buttons = {
  classes: () => editor?.open(),
  palette: () => palette?.open(),
  suggestions: () => suggestions?.open(),
  keys: showKeys,
  undo: () => void undo(),
  unlabel: () => void unlabel(),
  "unlabel-queue": () => void unlabelAll(),
  similar,
};

/** @type {import("./keys.js").Actions} */
const everybody = {
  ArrowLeft: ({ shiftKey }) => board.move("left", shiftKey),
  ArrowRight: ({ shiftKey }) => board.move("right", shiftKey),
  ArrowUp: ({ shiftKey }) => board.move("up", shiftKey),
  ArrowDown: ({ shiftKey }) => board.move("down", shiftKey),
  Home: ({ shiftKey }) => board.move("first", shiftKey),
  End: ({ shiftKey }) => board.move("last", shiftKey),
  " ": () => board.toggleCurrent(),
  "ctrl+a": () => board.chooseAll(),
  Escape: () => board.chooseOnlyCurrent(),
  Enter: large,
  n: () => turn("next"),
  p: () => turn("prev"),
  h: () => chooser.toggleHidden(),
  m: similar,
  "+": () => chooser.changeSize(1),
  "=": () => chooser.changeSize(1),
  "-": () => chooser.changeSize(-1),
  "/": () => chooser.search.select(),
  "?": showKeys,
};
/** @type {import("./keys.js").Actions} */
const annotators = {
  Delete: () => void unlabel(),
  Backspace: () => void unlabel(),
  u: () => void undo(),
  "ctrl+z": () => void undo(),
  c: () => palette?.open(),
  a: accept,
};
for (let key = 0; key <= 9; key++) {
  annotators[`digit${key}`] = () => label(classes.ofKey(key));
  annotators[`shift+digit${key}`] = () => toggle(classes.ofKey(key));
}
listen(mayLabel ? { ...everybody, ...annotators } : everybody);

page.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const way = event.target.closest("#tiles a[rel], .tools .pages a[rel]");
  if (way instanceof HTMLAnchorElement && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    chooser.read(way.search); // at once: a key may follow
    void pages.go(way.href);
    return;
  }
  const button = event.target.closest("button");
  if (button?.dataset.do) buttons[button.dataset.do]?.();
  else if (button?.dataset.number) label(classes.of(Number(button.dataset.number)));
  if (button) return;
  const tile = event.target.closest(".tile");
  if (tile instanceof HTMLElement) board.click(tile, event);
});
page.addEventListener("dblclick", (event) => {
  if (event.target instanceof Element && event.target.closest(".tile") && !event.target.closest("button")) large();
});
window.addEventListener("pagehide", () => {
  if (board.current) sessionStorage.setItem(PLACE + location.pathname + location.search, idOf(board.current));
});

const place = location.hash.slice(1) || (sessionStorage.getItem(PLACE + location.pathname + location.search) ?? "");
board.take(pages.tiles, place);
if (board.current && idOf(board.current) === place) board.goTo(place); // back, from the large view perhaps
chooser.apply();
pictures.show(pages.tiles);
offerUnlabelling();
labelling?.overlayAll();
labelling?.start();
if (document.readyState === "complete") lookAhead();
else window.addEventListener("load", lookAhead);
