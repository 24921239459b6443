/**
 * The quiet line that says whether all is saved.
 */

import { byId, counted, make } from "../dom.js";

/** @typedef {import("../saving/saver.js").State} State */

const PATIENCE = 400; // ms for which saving is nobody's business

/**
 * @param {(words: string) => void} say aloud, for those who do not see it
 * @returns {(state: State) => void} shows a state
 */
export function stateLine(say) {
  const [line, words] = [byId("state", HTMLParagraphElement), byId("state-words", HTMLSpanElement)];
  let [timer, mood] = [0, ""];

  /** @param {State} state */
  function show(state) {
    line.className = `state ${state.mood}`;
    words.replaceChildren(...wordsOf(state));
    const matters = state.mood !== "saving" && (state.mood !== "saved" || ["away", "login", "refused"].includes(mood));
    if (state.mood !== mood && matters) say(words.textContent ?? "");
    mood = state.mood;
  }

  return (state) => {
    window.clearTimeout(timer);
    line.dataset.waiting = String(state.waiting);
    if (state.mood === "saving" && mood === "saved") timer = window.setTimeout(() => show(state), PATIENCE);
    else show(state);
  };
}

/**
 * @param {State} state
 * @returns {(string | Node)[]}
 */
function wordsOf({ mood, waiting, words, kept }) {
  const where = kept ? `${waiting.toLocaleString("en")} kept here` : `${counted(waiting, "label")} in this page alone`;
  if (mood === "saved") return ["all saved"];
  if (mood === "saving") return [`saving ${waiting.toLocaleString("en")}…`];
  if (mood === "away") return [`${words}: ${where}, trying again`];
  if (mood === "refused") return [`${words} ${where}.`];
  const next = encodeURIComponent(location.pathname + location.search);
  return [`logged out: ${where}. `, make("a", { href: `/login?next=${next}` }, "Log in again")];
}
