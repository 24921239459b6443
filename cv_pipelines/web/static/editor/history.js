/** Undo and redo: what was, what is, what was undone. Values are never changed in place, so keeping them is cheap. */

/** Steps that are kept. */
export const MOST = 500;

/** @template T @typedef {{past: T[], present: T, future: T[]}} History */

/** @template T @param {T} present @returns {History<T>} */
export const begin = (present) => ({ past: [], present, future: [] });

/** One step on; what was undone before is gone. @template T @param {History<T>} history @param {T} present @returns {History<T>} */
export const advance = ({ past, present: before }, present) => ({ past: [...past, before].slice(-MOST), present, future: [] });

/** The same step, further on: several small moves are one. @template T @param {History<T>} history @param {T} present @returns {History<T>} */
export const amend = ({ past }, present) => ({ past, present, future: [] });

/** @template T @param {History<T>} history @returns {History<T>} */
export function undo(history) {
  const { past, present, future } = history;
  const [before] = past.slice(-1);
  return before === undefined ? history : { past: past.slice(0, -1), present: before, future: [present, ...future] };
}

/** @template T @param {History<T>} history @returns {History<T>} */
export function redo(history) {
  const { past, present, future } = history;
  const [after, ...rest] = future;
  return after === undefined ? history : { past: [...past, present], present: after, future: rest };
}
