/**
 * Requests to our own server: with the CSRF token of the page, and with problem details as errors.
 */

/** What the server says is wrong (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status of HTTP
   * @param {string} code a word for programs: `conflict`, `unauthorized`
   * @param {string} detail a sentence for people
   */
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may go well later: the server is busy, starts, or its database is away. */
  get passes() {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came: whether the server has done what it was asked for is not known. */
export class Unreachable extends Error {}

const LONGEST = 30_000; // ms
const MOST_KEPT_ALIVE = 50_000; // bytes, of the 64 KiB that browsers send on for a page that is left

/**
 * Ask for JSON.
 *
 * @param {"GET" | "POST" | "PUT" | "DELETE"} method
 * @param {string} address
 * @param {unknown} [body] sent as JSON
 * @param {AbortSignal} [signal] gives the request up
 * @returns {Promise<any>} what the server answers; null where it answers nothing
 * @throws {Problem} the server refuses
 * @throws {Unreachable} there is no answer
 */
export async function request(method, address, body, signal) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (text !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRF-Token"] = csrf();
  const keepalive = text !== undefined && text.length < MOST_KEPT_ALIVE;
  const answer = await send(address, { method, headers, body: text ?? null, keepalive, signal: signal ?? null });
  const said = await read(answer);
  return said ? JSON.parse(said) : null;
}

/**
 * Ask for a part of a page, as HTML of ours.
 *
 * @param {string} address of the page that it is a part of
 * @param {AbortSignal} [signal] gives the request up
 * @returns {Promise<DocumentFragment>}
 * @throws {Problem} the server refuses
 * @throws {Unreachable} there is no answer
 */
export async function fragment(address, signal) {
  const headers = { Accept: "*/*", "X-Fragment": "1" }; // errors come as problem details, not as pages
  const answer = await send(address, { headers, signal: signal ?? null });
  const template = document.createElement("template");
  template.innerHTML = await read(answer);
  return template.content;
}

/**
 * Take the CSRF token of the present session: the one of this page is of an earlier one after logging in again.
 *
 * @returns {Promise<boolean>} false where somebody else has logged in: nothing may be sent under their name
 */
export async function renew() {
  const answer = await send(location.href, { headers: { Accept: "text/html" }, redirect: "follow" });
  const page = new DOMParser().parseFromString(await read(answer), "text/html");
  const [token, user] = ["csrf", "user"].map((name) => meta(page, name));
  if (!token || user !== meta(document, "user")) return false;
  const renewed = token !== csrf();
  document.querySelector('meta[name="csrf"]')?.setAttribute("content", token);
  return renewed;
}

/** @returns {string} the token that the session's own pages know */
export function csrf() {
  return meta(document, "csrf");
}

/**
 * @param {Document} page
 * @param {string} name
 */
function meta(page, name) {
  return page.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
}

/**
 * @param {string} address
 * @param {RequestInit} options
 */
async function send(address, options) {
  const waiting = AbortSignal.timeout(LONGEST);
  const signal = options.signal ? AbortSignal.any([options.signal, waiting]) : waiting;
  const answer = await reached(fetch(address, { redirect: "error", ...options, signal }));
  if (!answer.ok) throw problem(answer.status, await read(answer));
  return answer;
}

/** @param {Response} answer */
function read(answer) {
  return reached(answer.text());
}

/**
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function reached(work) {
  try {
    return await work;
  } catch (error) {
    throw new Unreachable("There is no connection to the server.", { cause: error });
  }
}

/**
 * @param {number} status
 * @param {string} body
 */
function problem(status, body) {
  try {
    const { code, detail } = JSON.parse(body);
    return new Problem(status, String(code), String(detail));
  } catch {
    return new Problem(status, "unknown", `The server has answered with ${status}.`); // a proxy, perhaps
  }
}
