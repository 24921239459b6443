/**
 * Which key does what. The dialog of keys (templates/grid_dialogs.html) says the same.
 */

/**
 * @typedef {(event: KeyboardEvent) => void} Action
 * @typedef {Record<string, Action>} Actions
 */

/**
 * The name of what a key press asks for.
 *
 * @param {KeyboardEvent} event
 * @returns {string} such as `ArrowLeft`, `a`, `ctrl+a`, `digit1`, `shift+digit1`
 */
function nameOf(event) {
  const control = event.ctrlKey || event.metaKey;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  if (digit && !control && (event.shiftKey || /^[0-9]$/.test(event.key)))
    return `${event.shiftKey ? "shift+" : ""}digit${digit}`;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${control ? "ctrl+" : ""}${key}`;
}

/**
 * Whether keys are somebody else's: a field that is typed in, or an open dialog.
 * @param {KeyboardEvent} event
 */
function isElsewhere({ target, altKey, isComposing }) {
  if (altKey || isComposing || document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio"].includes(target.type);
  return target.isContentEditable || target.matches("select, textarea");
}

/**
 * Whether an element takes Enter and Space itself.
 * @param {EventTarget | null} target
 */
function isPressable(target) {
  return target instanceof Element && target.closest("a, button, input, summary") !== null;
}

/**
 * Do what keys say, wherever the focus is in the page.
 * @param {Actions} actions by names of keys
 */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (isElsewhere(event)) return;
    const name = nameOf(event);
    if ((name === "Enter" || name === " ") && isPressable(event.target)) return;
    const action = actions[name];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}
