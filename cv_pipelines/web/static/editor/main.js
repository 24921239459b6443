/** The editor of one image's labels: the page put together. */

import { byId } from "../dom.js";
import { Chooser } from "./chooser.js";
import { Classes } from "./classes.js";
import { Gestures } from "./gestures.js";
import { emptyWords, hintOf } from "./hint.js";
import { Images, clock } from "./images.js";
import { REPEATS, actionOf } from "./keys.js";
import { Layer } from "./layer.js";
import { openLookPanel } from "./look_panel.js";
import { Side, sizeOf } from "./side.js";
import { toImage } from "./view.js";
import { Viewing } from "./viewing.js";
import { Workspace, isFrame } from "./workspace.js";

/** @typedef {import("./shapes.js").Shape} Shape */

const ZOOM = 1.25;
/** @type {import("./workspace.js").Step[]} */
const STEPS = ["previous", "next", "earlier", "later"];
const { dataset, may_edit: mayEdit, classes: all } = JSON.parse(byId("known", HTMLScriptElement).textContent ?? "");
const who = document.querySelector('meta[name="user"]')?.getAttribute("content") ?? "";
const classes = new Classes(all, dataset, localStorage);
const images = new Images(dataset, location.search);
const stage = byId("stage", HTMLElement);
const layer = new Layer(stage);
const chooser = new Chooser(classes);
const workspace = new Workspace(images, classes, { who, dataset, mayEdit }, { opened, changed: redraw, say, go });
const { editing } = workspace;
const seen = { image: () => workspace.id, size: () => editing.size, picture: (/** @type {string} */ image) => images.picture(image) };
const viewing = new Viewing(stage, layer.picture, seen, redraw);
const side = new Side(classes, mayEdit, {
  toggle,
  draw: chooseClass,
  select: (place) => act(() => editing.select(place)),
  hover: (place) => act(() => (gestures.hovered = place)),
  hide: (shape) => act(() => (hidden.has(shape) ? hidden.delete(shape) : hidden.add(shape))),
  choose,
  accept,
});
const gestures = new Gestures(stage, {
  editing,
  view: () => viewing.view,
  pan: (across, down) => viewing.pan(across, down),
  zoom: (factor, around) => viewing.zoom(factor, around),
  number: () => classes.drawn,
  shown,
  drawn: (shape) => editing.add(shape, `Drawn: ${classes.of(shape.class).name}, ${sizeOf(shape)}`),
  redraw,
});

/** @type {WeakSet<Shape>} */
const hidden = new WeakSet();
let allHidden = false;
let names = true;
let drawing = 0;
/** @type {import("./workspace.js").Step | null} */
let wanted = null;

/** @param {Shape} shape */
function shown(shape) {
  return !allHidden && !hidden.has(shape);
}

/** @param {() => unknown} doing */
function act(doing) {
  doing();
  redraw();
}

/** Draw all before the next frame is shown, once. */
function redraw() {
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  const { annotation, selected } = editing;
  const drawn = classes.of(classes.drawn);
  layer.draw({
    view: viewing.view,
    image: editing.size,
    shapes: annotation.boxes,
    selected,
    hovered: gestures.hovered,
    shown,
    classed: (number) => classes.of(number),
    names,
    handles: gestures.tool === "select" && !editing.locked,
    draft: gestures.draft,
    rectangle: gestures.rubber !== null,
    colour: drawn.colour,
    cross: gestures.tool !== "select" && !gestures.panning ? gestures.pointer : null,
  });
  stage.classList.toggle("pans", gestures.panning);
  stage.classList.toggle("on-object", gestures.tool === "select" && gestures.hovered >= 0 && !editing.locked && !gestures.panning);
  if (!editing.previewing) side.draw(annotation, selected, shown, emptyWords(editing.locked));
  side.hover(gestures.hovered);
  side.suggest(suggested());
  byId("origin", HTMLElement).textContent = workspace.origin;
  byId("percent", HTMLElement).textContent = `${Math.round(viewing.view.scale * 100)} %`;
  byId("hint", HTMLElement).textContent = hintOf(classes, gestures, editing, allHidden);
  for (const tool of ["select", "box", "polygon"]) document.getElementById(`tool-${tool}`)?.setAttribute("aria-pressed", String(tool === gestures.tool));
  document.getElementById("undo")?.toggleAttribute("disabled", !editing.canUndo || editing.locked);
  document.getElementById("redo")?.toggleAttribute("disabled", !editing.canRedo || editing.locked);
}

/** An image has been taken up, or is known better. */
function opened() {
  const { image } = workspace;
  if (!image) return;
  const { image_id, name, width, height } = image;
  const file = isFrame(name) ? name.replace(/\/[^/]*\/[^/]*$/, "") : name; // of frames the video
  const short = file.split("/").pop() || name;
  const title = byId("name", HTMLElement);
  title.textContent = short;
  title.title = name;
  document.title = `${short} · ${dataset}`;
  stage.setAttribute("aria-label", `${name}, ${width} × ${height} pixels`);
  const picture = layer.picture;
  if (picture.dataset.image !== image_id) {
    picture.dataset.image = image_id;
    picture.alt = name;
    picture.style.backgroundImage = `url("${images.thumbnail(image_id)}")`;
    picture.src = images.picture(image_id);
    gestures.hovered = -1;
    viewing.fit();
  }
  const { frame } = workspace;
  byId("frame", HTMLElement).hidden = !frame;
  byId("time", HTMLElement).textContent = frame ? clock(frame.seconds) : "";
  byId("time", HTMLElement).title = frame ? `${frame.video}, exactly ${frame.seconds} s` : "";
  for (const to of STEPS) {
    const id = workspace.neighbour(to);
    if (id) byId(to, HTMLAnchorElement).href = images.page(id);
    else byId(to, HTMLAnchorElement).removeAttribute("href");
  }
  byId("back", HTMLAnchorElement).href = images.gridFrom(image.previous, image_id);
  redraw();
  if (wanted) step(wanted);
}

/** To another image; where it is not known yet which one that is, as soon as it is. @param {import("./workspace.js").Step} to */
function step(to) {
  const id = workspace.neighbour(to);
  wanted = id === undefined ? to : null;
  go(id);
}

function suggested() {
  const { image } = workspace;
  const stands = editing.annotation.classes;
  return image?.suggestion && !(stands.length === 1 && stands[0] === image.suggestion.class) ? image.suggestion : null;
}

/** For who does not see it. @param {string} words */
function say(words) {
  const said = byId("said", HTMLElement);
  const shape = editing.shape;
  said.textContent = words && shape ? `${words}. ${classes.of(shape.class).name}, ${sizeOf(shape)}` : words;
}

/** @param {string | null | undefined} id @param {boolean} [remembered] whether it is a step of the browser's own */
function go(id, remembered = false) {
  if (!id || id === workspace.id) return;
  wanted = null;
  gestures.cancel();
  if (!remembered) history.pushState(null, "", images.page(id));
  byId("back", HTMLAnchorElement).href = images.gridFrom(null, id); // until it is known what comes before it
  void workspace.show(id);
}

/** @param {number} number */
function chooseClass(number) {
  classes.draw(number);
  if (!gestures.active) editing.reclass(number, classes.of(number).name);
  redraw();
}

/** @param {number} number */
function toggle(number) {
  const { name } = classes.of(number);
  editing.toggleClass(number, editing.annotation.classes.includes(number) ? `Not ${name}` : name);
  redraw();
}

/** @param {"image" | "object"} purpose */
function choose(purpose) {
  if (!mayEdit) return;
  if (purpose === "image") chooser.open("The image is, or is not", toggle);
  else chooser.open(editing.shape ? "Class of the object" : "Class to draw", chooseClass);
}

function accept() {
  const suggestion = suggested();
  if (suggestion) act(() => editing.setClasses([suggestion.class], `Accepted: ${classes.of(suggestion.class).name}`));
}

/** A box in the middle of what is seen, for who has no pointer. */
function drawInTheMiddle() {
  const { width, height } = viewing.room;
  const [x, y] = toImage(viewing.view, [width / 2, height / 2]);
  if (classes.drawn >= 0) editing.addAround([x, y], Math.min(width, height) / 4 / viewing.view.scale, classes.drawn, "Drawn");
}

function escape() {
  if (gestures.cancel()) return;
  if (gestures.tool !== "select") gestures.choose("select");
  else editing.select(-1);
}

/** @type {Record<import("./keys.js").Simple, () => void>} */
const ACTIONS = {
  box: () => gestures.choose("box"),
  polygon: () => gestures.choose("polygon"),
  select: () => gestures.choose("select"),
  close: () => (gestures.tool === "box" ? drawInTheMiddle() : gestures.closeRing()),
  back: () => void (gestures.stepBack() || gestures.tool !== "select" || editing.remove()),
  stop: escape,
  delete: () => editing.remove(),
  undo: () => void (gestures.cancel() || editing.undo()),
  redo: () => editing.redo(),
  duplicate: () => editing.duplicate(),
  choose: () => choose("object"),
  following: () => editing.selectNext(1),
  preceding: () => editing.selectNext(-1),
  names: () => showNames(!names),
  hide: () => (allHidden = !allHidden),
  larger: () => viewing.zoom(ZOOM),
  smaller: () => viewing.zoom(1 / ZOOM),
  fit: () => viewing.fit(),
  help: () => byId("keys", HTMLDialogElement).showModal(),
  accept,
  empty: () => editing.replace({ classes: [], boxes: [] }, "There is nothing on it", true),
  previous: () => step("previous"),
  next: () => step("next"),
  earlier: () => step("earlier"),
  later: () => step("later"),
  grid: () => location.assign(byId("back", HTMLAnchorElement).href),
  pan: () => (gestures.panning = true),
};

/** @param {boolean} on */
function showNames(on) {
  names = on;
  byId("names", HTMLInputElement).checked = on;
}

/** @param {KeyboardEvent} event */
function press(event) {
  const target = event.target;
  const types = target instanceof HTMLInputElement && !["checkbox", "range"].includes(target.type);
  if (types || document.querySelector("dialog[open]")) return;
  const action = actionOf(event);
  const inList = target === side.objects && action?.does === "move";
  if (!action || (presses(target) && ["close", "pan"].includes(action.does)) || (target instanceof HTMLInputElement && action.does === "move")) return;
  event.preventDefault();
  if (action.does === "class" || action.does === "toggle") {
    const found = classes.byDigit(action.digit);
    if (found && mayEdit) (action.does === "class" ? chooseClass : toggle)(found.number);
  } else if (action.does === "move") {
    if (inList) editing.selectNext(action.down < 0 || action.across < 0 ? -1 : 1);
    else if (editing.shape) editing.nudge(action.across, action.down);
    else if (action.across) step(action.across < 0 ? "previous" : "next");
  } else if (action.does === "grow") editing.grow(action.across, action.down);
  else if (!event.repeat || REPEATS.includes(action.does)) ACTIONS[action.does]();
  redraw();
}

/** Whether Enter and space press it. @param {EventTarget | null} target */
const presses = (target) => target instanceof HTMLElement && target.matches("button, a, input, summary");

/** @param {string} id @param {import("./keys.js").Simple} does */
function click(id, does) {
  document.getElementById(id)?.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link may be opened in another tab
    event.preventDefault();
    act(ACTIONS[does]);
  });
}

for (const tool of /** @type {const} */ (["select", "box", "polygon"])) click(`tool-${tool}`, tool);
for (const id of /** @type {const} */ (["undo", "redo", "smaller", "larger", "fit", "help"])) click(id, id);
for (const id of STEPS) click(id, id);
document.getElementById("more")?.addEventListener("click", () => choose("object"));
byId("names", HTMLInputElement).addEventListener("change", (event) => act(() => showNames(/** @type {HTMLInputElement} */ (event.target).checked)));
layer.picture.addEventListener("load", () => (layer.picture.style.backgroundImage = ""));
layer.picture.addEventListener("error", () => workspace.pictureFailed());
document.addEventListener("keydown", press);
document.addEventListener("keyup", (event) => {
  if (event.key === " ") act(() => (gestures.panning = false));
});
window.addEventListener("blur", () => (gestures.panning = false));
window.addEventListener("popstate", () => go(/\/images\/([0-9a-f]{64})/.exec(location.pathname)?.[1], true));
openLookPanel(layer.picture, dataset, localStorage);
go(/\/images\/([0-9a-f]{64})/.exec(location.pathname)?.[1], true);
stage.focus();
