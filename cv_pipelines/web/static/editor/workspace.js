/** One image at a time: shown, changed, left for the next one, which waits for nothing. */

import { Problem } from "../api.js";
import { byId, make } from "../dom.js";
import { reasonOf } from "../saving/refusals.js";
import { Conflicts, ask, joined } from "./conflicts.js";
import { Editing, UNLABELLED } from "./editing.js";
import { Journal, sayingOf } from "./journal.js";
import { alike } from "./shapes.js";

/** @typedef {import("./images.js").Labelled} Labelled */
/** @typedef {import("./shapes.js").Annotation} Annotation */
/** @typedef {import("../saving/saver.js").State} State */
/** @typedef {"previous" | "next" | "earlier" | "later"} Step to another image: in the queue, or in time */

const MOST_STEPS = 50; // images whose steps can be undone when one comes back to them

export class Workspace {
  /** @type {Labelled | null} */
  image = null;
  id = "";
  /** @type {import("./images.js").Frame | null} */
  frame = null;
  /** Whose label stands, for people. */
  origin = "";
  #framed = false;
  #turn = 0;
  #asking = false;
  /** @type {Map<string, import("./editing.js").Editing["steps"]>} */
  #steps = new Map();
  /** @type {State} */
  #saving = { mood: "saved", waiting: 0, words: "", kept: true };
  #trouble = "";

  /**
   * @param {import("./images.js").Images} images
   * @param {import("./classes.js").Classes} classes
   * @param {{who: string, dataset: string, mayEdit: boolean}} person
   * @param {{opened: () => void, changed: () => void, say: (words: string) => void, go: (id: string) => void}} listener
   */
  constructor(images, classes, { who, dataset, mayEdit }, listener) {
    this.images = images;
    this.classes = classes;
    this.listener = listener;
    const of = `${dataset}/${who}/`; // as the grid calls it: what waits there is sent from here, too
    this.conflicts = new Conflicts(localStorage, `cv.conflict/${of}`);
    this.editing = new Editing((annotation, words, nudge) => this.#save(annotation, words, nudge));
    this.editing.locked = true;
    this.mayEdit = mayEdit;
    this.who = who;
    this.journal = new Journal(`cv.save/${of}`, who, `${images.grid}/labels`, {
      refused: (refused) => this.#refused(refused),
      state: (state) => this.#state(state),
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.#trouble) event.preventDefault(); // what was refused is nowhere but here
    });
    if (mayEdit) this.journal.saver.start();
    else this.#state(this.#saving);
  }

  /** @param {string} id */
  async show(id) {
    const turn = ++this.#turn;
    this.#leave();
    this.id = id;
    this.image = null;
    this.editing.locked = true;
    this.frame = null;
    this.#note("");
    const known = this.images.known(id);
    if (known && known.version >= this.journal.version(id)) this.#open(known);
    else this.listener.changed();
    try {
      const [fresh, frame] = await Promise.all([this.#fetch(id), this.#framed ? this.images.frame(id) : null]);
      if (turn !== this.#turn) return;
      this.frame = frame;
      this.#refresh(fresh);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
      return;
    }
    await this.#afterwards(turn);
  }

  /** The image that comes before or after this one; null: there is none, undefined: that is not known yet. @param {Step} step @returns {string | null | undefined} */
  neighbour(step) {
    if (step === "previous" || step === "next") return this.image?.[step];
    if (!this.image || (isFrame(this.image.name) && !this.frame)) return undefined;
    return this.frame?.[step === "earlier" ? "previous" : "next"] ?? null;
  }

  /** The labels of an image, not older than what this page has had saved. @param {string} id */
  async #fetch(id) {
    let fresh = await this.images.label(id);
    for (let tries = 0; tries < 3 && fresh.version < this.journal.version(id); tries++) fresh = await this.images.label(id);
    return fresh;
  }

  /** @param {Labelled} fresh */
  #refresh(fresh) {
    const before = this.image;
    if (!before) {
      this.#open(fresh);
      return;
    }
    const { image_id, version } = fresh;
    const stands = version >= this.journal.version(image_id) && !this.journal.queue.lastOf(image_id); // not what is older than mine
    this.image = fresh;
    if (stands) this.origin = originOf(fresh, this.who);
    if (stands && !this.editing.previewing && !alike(this.editing.annotation, fresh.annotation ?? UNLABELLED)) this.#open(fresh);
    else this.listener.opened();
  }

  /** @param {Labelled} labelled */
  #open(labelled) {
    const { image_id, annotation, version, width, height } = labelled;
    this.image = labelled;
    this.journal.learn(image_id, version);
    if (annotation) this.journal.note(annotation, labelled);
    const shown = this.journal.shown(image_id, annotation);
    this.origin = this.journal.queue.lastOf(image_id) ? this.#originOf(shown) : originOf(labelled, this.who);
    this.editing.locked = !this.mayEdit;
    this.editing.open(shown, { width, height }, this.#steps.get(image_id));
    this.listener.opened();
    void this.#settle();
  }

  /** @param {number} turn */
  async #afterwards(turn) {
    const image = this.image;
    if (!image) return;
    if (isFrame(image.name) && !this.frame) {
      const frame = await this.images.frame(this.id).catch(() => null);
      if (turn !== this.#turn) return;
      this.#framed = frame !== null; // so are the others, then: the next one is asked for at once
      this.frame = frame;
      this.listener.opened();
    }
    const { frame } = this;
    for (const id of frame ? [frame.next, frame.previous] : [image.next, image.previous]) {
      if (turn === this.#turn) await this.images.fetchAhead(id);
    }
  }

  #leave() {
    if (!this.image) return;
    const { image_id } = this.image;
    this.#steps.delete(image_id);
    this.#steps.set(image_id, this.editing.steps);
    for (const old of [...this.#steps.keys()].slice(0, -MOST_STEPS)) this.#steps.delete(old);
  }

  /** @param {Annotation} annotation @param {string} words @param {boolean} nudge */
  #save(annotation, words, nudge) {
    if (!this.image) return;
    this.#trouble = "";
    this.origin = this.#originOf(annotation);
    this.journal.say(this.image.image_id, annotation, nudge);
    this.listener.say(words);
    this.listener.changed();
  }

  /** Whose it is what this page shows, and the server may not know yet. @param {Annotation} annotation */
  #originOf(annotation) {
    if (annotation === UNLABELLED) return "Not labelled yet.";
    return originOf({ annotation, ...(this.journal.authorOf(annotation) ?? { origin: "person", who: this.who }) }, this.who);
  }

  /** @param {import("../saving/queue.js").Conflict} refused */
  #refused(refused) {
    const { image_id, code, mine } = refused;
    if (!mine) {
      if (image_id === this.id) void this.show(image_id); // it was taken back anyway: what stands is shown
    } else if (code === "conflict") {
      this.conflicts.keep(refused);
      void this.#settle();
    } else {
      this.#trouble = reasonOf(refused);
    }
    this.#state(this.#saving);
  }

  /** Where somebody else was quicker with this image: let the person choose. */
  async #settle() {
    const undecided = this.mayEdit ? this.conflicts.of(this.id) : null;
    if (!undecided || this.#asking || !this.image) return;
    this.#asking = true;
    try {
      const id = this.id;
      const stands = await this.#fetch(id);
      if (id === this.id) await this.#decide(undecided, stands);
    } catch (error) {
      this.listener.say(error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
      this.#state(this.#saving);
    }
  }

  /** @param {import("../saving/queue.js").Conflict} undecided @param {Labelled} stands */
  async #decide({ mine: said, who }, stands) {
    const theirs = stands.annotation ?? UNLABELLED;
    const mine = said ? sayingOf(said.what, said.shows, stands.annotation) : theirs;
    if (said?.shows && "restore" in said.what) this.journal.note(mine, { ...said.shows, version: said.what.restore });
    if (stands.annotation) this.journal.note(theirs, stands);
    const { image_id, width, height, version } = stands;
    const both = { mine, theirs, who: stands.who || who, size: { width, height }, picture: this.images.picture(image_id), classes: this.classes };
    const choice = alike(mine, theirs) ? "theirs" : await ask(both);
    if (!choice) return; // later: the state line says so
    this.conflicts.decided(image_id);
    this.journal.learn(image_id, version);
    const stand = { mine, theirs, both: joined(mine, theirs) }[choice];
    if (image_id !== this.id) {
      if (choice !== "theirs") this.journal.say(image_id, stand); // the browser's own "back", meanwhile
      return;
    }
    this.editing.replace(theirs, "", false);
    this.origin = originOf(stands, this.who);
    if (choice === "theirs") this.listener.say("Theirs stand");
    else this.editing.replace(stand, choice === "mine" ? "Yours stand" : "Both stand", true);
    this.listener.changed();
  }

  /** @param {State} state */
  #state(state) {
    this.#saving = state;
    const place = byId("state", HTMLElement);
    const undecided = this.conflicts.images;
    const [words, bad] = undecided.length ? [`${undecided.length === 1 ? "1 image needs" : `${undecided.length} images need`} a decision`, true] : this.#words(state);
    if (place.textContent !== words || undecided.length) place.replaceChildren(words);
    place.classList.toggle("bad", bad);
    if (state.mood === "login" && state.waiting) place.append(" ", login());
    const [first] = undecided;
    if (first && !this.#asking) {
      const onclick = () => (undecided.includes(this.id) ? void this.#settle() : this.listener.go(first));
      place.append(" ", make("button", { onclick }, "Decide"));
    }
  }

  /** @param {State} state @returns {[string, boolean]} what stands in the state line, and whether it is bad */
  #words({ mood, waiting, words, kept }) {
    if (!this.mayEdit) return ["You may look, but not label", false];
    if (this.#trouble) return [`Not saved: ${this.#trouble}`, true];
    if (!waiting) return ["Saved", false];
    const where = kept ? "Kept in this browser" : "Kept by this tab alone: leave it open";
    if (mood === "away") return [`${where}: ${words}, trying again…`, true];
    if (mood === "login") return [`${where}: your session has ended.`, true];
    if (mood === "refused") return [`${where}: ${words}`, true];
    return ["Saving…", false];
  }

  /** @param {unknown} error */
  #failed(error) {
    const words = error instanceof Error ? error.message : String(error);
    const out = error instanceof Problem && error.status === 401;
    if (this.image) this.listener.say(words); // what was fetched ahead is shown
    else this.#note(words, out ? login() : make("button", { onclick: () => void this.show(this.id) }, "Try again"));
  }

  /** The picture has not come. */
  pictureFailed() {
    this.#note("The picture cannot be shown just now; its labels can.", make("button", { onclick: () => location.reload() }, "Try again"));
  }

  /** @param {string} words @param {HTMLElement} [more] */
  #note(words, more) {
    const note = byId("note", HTMLElement);
    note.hidden = !words;
    note.replaceChildren(words, " ", ...(more ? [more] : []));
  }
}

/** Whether a name is that of a frame of a video. @param {string} name */
export const isFrame = (name) => /s=\d+\/\d+$/.test(name);

/** Whose label it is. @param {Pick<Labelled, "annotation" | "origin" | "who">} labelled @param {string} me @returns {string} */
function originOf({ annotation, origin, who }, me) {
  if (!annotation) return "Not labelled yet.";
  const name = who === me ? "you" : who;
  if (origin === "import") return `From a file, imported by ${name}.`;
  return origin === "model" ? "The model's label: nobody has looked yet." : `Labelled by ${name}.`;
}

/** Where to log in, and come back. */
const login = () => make("a", { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}` }, "Log in");
