/**
 * Uploading: files one after another, with progress, cancel and retry; then the ingest of what has come.
 *
 * @typedef {{name: string, file: File, state: "waiting" | "sending" | "done" | "failed", sent: number, problem: string,
 *   refused: {name: string, reason: string}[], refusals: number}} Item
 * @typedef {{task_id: string, state: string, progress: number | null, seconds: number, error: string}} Task
 */

import { Problem, Unreachable, csrf, renew, request } from "./api.js";
import { byId, make } from "./dom.js";

const JUNK = new Set(["Thumbs.db", "desktop.ini", "__MACOSX"]);
const SPLITS = new Set(["train", "training", "val", "valid", "validation", "dev", "test", "testing"]);
const ARCHIVE = /\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz)$/i;
const MOST_SHOWN = 100;
const TRIES = 4;
const PAUSE = 3000; // ms, after a request that failed
const MAY_PASS = new Set([0, 408, 429, 502, 503, 504]);

const form = byId("upload", HTMLFormElement);
const zone = byId("drop", HTMLElement);
const dataset = byId("dataset", HTMLInputElement);
const start = byId("start", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const retry = byId("retry", HTMLButtonElement);
const bar = byId("bar", HTMLProgressElement);
const ingested = byId("ingest", HTMLElement);
const state = byId("state", HTMLElement);

/** @type {Item[]} */
let items = [];
/** @type {XMLHttpRequest | null} */
let sending = null;
let isRunning = false;
let isCancelled = false;
let polls = 0;

const [KIB, MIB, GIB] = [2 ** 10, 2 ** 20, 2 ** 30];

/** In the units in which the page tells its limits. @param {number} bytes */
const size = (bytes) => (bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : bytes < GIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / GIB).toFixed(2)} GiB`);

/** @param {number} milliseconds */
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A folder around everything, as when a folder was chosen whole, is no class. @param {[string, File][]} chosen */
function unwrapped(chosen) {
  const tops = new Set(chosen.map(([name]) => (name.includes("/") ? name.split("/")[0] : "")));
  const [only] = tops;
  const isWrapper = tops.size === 1 && only && !SPLITS.has(only.toLowerCase()) && chosen.some(([name]) => name.split("/").length > 2);
  return isWrapper ? chosen.map(([name, file]) => /** @type {[string, File]} */ ([name.slice(only.length + 1), file])) : chosen;
}

/** @param {[string, File][]} chosen */
function add(chosen) {
  const wanted = chosen.filter(([name]) => name.split("/").every((part) => !part.startsWith(".") && !JUNK.has(part)));
  const known = new Set(items.map((one) => one.name));
  for (const [name, file] of unwrapped(wanted)) {
    if (known.has(name)) continue;
    const most = Number(ARCHIVE.test(name) ? zone.dataset.mostArchive : zone.dataset.mostFile);
    const problem = file.size > most ? `It is too large: ${size(most)} is the most for ${ARCHIVE.test(name) ? "an archive" : "an image"}.` : "";
    items.push({ name, file, state: problem ? "failed" : "waiting", sent: 0, problem, refused: [], refusals: 0 });
  }
  show();
}

/** All files below what was dropped. @param {FileSystemEntry} entry @returns {Promise<[string, File][]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => /** @type {FileSystemFileEntry} */ (entry).file(done, failed));
    return [[entry.fullPath.replace(/^\//, ""), /** @type {File} */ (file)]];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {[string, File][]} */
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const one of some) found.push(...(await filesOf(one)));
  }
}

/** Send one file; gives the status and what was answered. @param {Item} item @returns {Promise<{status: number, body: any}>} */
function send(item) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    sending = request;
    request.open("PUT", `/upload/${encodeURIComponent(dataset.value)}/files?name=${encodeURIComponent(item.name)}`);
    request.setRequestHeader("X-CSRF-Token", csrf());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      item.sent = event.loaded;
      show();
    };
    request.onloadend = () => done({ status: request.status, body: request.response });
    request.send(item.file);
  });
}

/** Send one file until it is there, or cannot be. @param {Item} item */
async function bring(item) {
  item.state = "sending";
  for (let tries = 1; ; tries += 1) {
    item.sent = 0;
    show();
    const { status, body } = await send(item);
    if (status === 403 && body?.code === "csrf" && tries === 1 && (await renew().catch(() => false))) continue; // logged in again
    if (status === 200 || status === 201) {
      Object.assign(item, { state: "done", problem: "", sent: item.file.size, refused: body.refused, refusals: body.refusals });
      return;
    }
    if (isCancelled) {
      Object.assign(item, { state: "waiting", sent: 0 });
      return;
    }
    if (!MAY_PASS.has(status) || tries === TRIES) {
      item.sent = 0;
      item.state = "failed";
      item.problem = body?.detail ?? "The connection broke off. Is the server running, and is the file still there?";
      return;
    }
    await wait(500 * 2 ** tries);
  }
}

async function run() {
  if (isRunning || !form.reportValidity()) return;
  isRunning = true;
  isCancelled = false;
  polls += 1; // whoever watches an earlier ingest ends
  for (let next = items.find((one) => one.state === "waiting"); next && !isCancelled; next = items.find((one) => one.state === "waiting")) {
    await bring(next);
  }
  isRunning = false;
  sending = null;
  show();
  if (!isCancelled && items.some((one) => one.state === "done")) await ingest();
}

/** Let what has come be looked at, and tell how that goes. */
async function ingest() {
  const path = `/upload/${encodeURIComponent(dataset.value)}`;
  try {
    tell((await request("POST", `${path}/ingest`)).task);
    await watch();
  } catch (error) {
    ingested.hidden = false;
    state.textContent = `Everything is uploaded, but not looked at: ${error instanceof Error ? error.message : error}`;
  }
}

/** Follow the ingest of the data set until it has ended. */
async function watch() {
  const mine = (polls += 1);
  const path = `/upload/${encodeURIComponent(dataset.value)}`;
  while (mine === polls) {
    /** @type {Task | null} */
    let task;
    try {
      ({ task } = await request("GET", path));
    } catch (error) {
      if (!(error instanceof Unreachable || (error instanceof Problem && error.passes))) throw error;
      state.textContent = `${error.message} It is tried again; the ingest goes on.`; // the worker needs no page
      await wait(PAUSE);
      continue;
    }
    if (mine !== polls || !task) return;
    tell(task);
    if (task.state !== "queued" && task.state !== "running") return;
    await wait(1000);
  }
}

/** @param {Task} task */
function tell(task) {
  const isLate = task.state === "queued" && task.seconds > 20;
  /** @type {Record<string, string>} */
  const words = {
    queued: isLate ? "It still waits: “make dev” (or cv-pipelines dev) must be running." : "Waiting to be looked at …",
    running: "The images are being looked at …",
    succeeded: "Done. The images are in the data set.",
  };
  ingested.hidden = false;
  ingested.dataset.state = task.state;
  state.textContent = words[task.state] ?? `It ended as ${task.state}. ${task.error}`;
  const link = byId("open", HTMLAnchorElement);
  link.hidden = task.state !== "succeeded";
  link.href = `/datasets/${encodeURIComponent(dataset.value)}`;
}

/** @param {string} name @param {string} words @param {string} kind */
function row(name, words, kind) {
  return make("li", { className: kind }, make("span", { className: "file", title: name }, name), make("span", null, words));
}

function show() {
  const failed = items.filter((one) => one.state === "failed");
  const done = items.filter((one) => one.state === "done");
  const now = items.find((one) => one.state === "sending");
  const waiting = items.filter((one) => one.state === "waiting");
  const total = items.reduce((sum, one) => sum + (one.state === "failed" ? 0 : one.file.size), 0);
  const sent = items.reduce((sum, one) => sum + one.sent, 0);
  byId("sum", HTMLElement).hidden = !items.length;
  bar.max = Math.max(total, 1);
  bar.value = sent;
  byId("count", HTMLElement).textContent = `${done.length.toLocaleString("en")} of ${items.length.toLocaleString("en")} files, ${size(sent)} of ${size(total)}${failed.length ? `; ${failed.length.toLocaleString("en")} not taken` : ""}`;
  start.disabled = isRunning || !waiting.length;
  start.textContent = waiting.length ? `Upload ${waiting.length.toLocaleString("en")} ${waiting.length === 1 ? "file" : "files"}` : "Upload";
  stop.hidden = !isRunning;
  retry.hidden = isRunning || !failed.some((one) => one.file.size <= Number(zone.dataset.mostArchive));
  dataset.readOnly = isRunning;
  const rows = failed.slice(0, MOST_SHOWN).map((one) => row(one.name, one.problem, "bad"));
  for (const one of done) {
    if (!one.refusals || rows.length > MOST_SHOWN) continue;
    rows.push(row(one.name, `taken, but ${one.refusals.toLocaleString("en")} of its files were not:`, "bad"));
    rows.push(...one.refused.slice(0, 10).map((file) => row(`  ${file.name}`, file.reason, "bad inside")));
  }
  if (now) rows.unshift(row(now.name, now.sent >= now.file.size ? "being taken in …" : `${size(now.sent)} of ${size(now.file.size)}`, "now"));
  rows.push(...waiting.slice(0, 8).map((one) => row(one.name, size(one.file.size), "quiet")));
  if (waiting.length > 8) rows.push(row(`and ${(waiting.length - 8).toLocaleString("en")} more`, "", "quiet"));
  byId("files", HTMLElement).replaceChildren(...rows);
}

for (const id of ["choose", "choose-folder"]) {
  const input = byId(id, HTMLInputElement);
  const take = () => {
    add([...(input.files ?? [])].map((file) => [file.webkitRelativePath || file.name, file]));
    input.value = "";
  };
  input.addEventListener("change", take);
  take(); // what was chosen before this script was there
}

zone.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
zone.addEventListener("dragleave", () => zone.classList.remove("over"));
zone.addEventListener("drop", async (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  const entries = [...(event.dataTransfer?.items ?? [])].map((one) => one.webkitGetAsEntry());
  const found = [];
  for (const entry of entries) if (entry) found.push(...(await filesOf(entry)));
  add(found);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void run();
});
stop.addEventListener("click", () => {
  isCancelled = true;
  sending?.abort();
});
retry.addEventListener("click", () => {
  for (const one of items) if (one.state === "failed") Object.assign(one, { state: "waiting", problem: "" });
  void run();
});
window.addEventListener("beforeunload", (event) => {
  if (isRunning) event.preventDefault();
});
if (dataset.value) void watch().catch(() => undefined);
show();
