/**
 * The pictures of tiles, many in one request: a request for each costs the server many times as much.
 */

export const PICTURES = ".tile img[data-src]";
const TOGETHER = 25;
const LENGTH = 4; // bytes in front of each picture

export class Pictures {
  /** @type {Map<string, HTMLImageElement>} by their addresses */
  #shown = new Map();
  #fetching = new AbortController();

  /**
   * Show the pictures of tiles that have just come; those which were there before are taken from there.
   * @param {ParentNode} tiles
   */
  show(tiles) {
    this.#fetching.abort();
    this.#fetching = new AbortController();
    const before = this.#shown;
    this.#shown = new Map();
    const missing = [];
    for (const image of images(tiles.querySelectorAll(PICTURES))) {
      const address = addressOf(image);
      const there = before.get(address) ?? image;
      const picture = isThere(there) ? there : image;
      if (picture !== image) image.replaceWith(picture);
      else if (!isThere(image)) missing.push(image);
      this.#shown.set(address, picture);
    }
    for (const group of groups(missing)) void fill(group, this.#fetching.signal);
  }
}

/**
 * Let the browser fetch pictures into its cache, a group after the other.
 * @param {Iterable<Element>} pictures
 * @param {AbortSignal} signal
 */
export async function warm(pictures, signal) {
  for (const group of groups(images(pictures))) {
    const answer = await fetch(together(group), { signal, priority: "low" });
    await answer.arrayBuffer();
  }
}

/**
 * Take a stream of pictures apart, each behind its length in four bytes, big-endian.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>}
 * @throws {Error} it ends within a picture
 */
export async function* split(stream) {
  const reader = stream.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    while (held.length >= LENGTH) {
      const end = LENGTH + new DataView(held.buffer, held.byteOffset).getUint32(0);
      if (held.length < end) break;
      yield held.subarray(LENGTH, end);
      held = held.subarray(end);
    }
    const { done, value } = await reader.read();
    if (done) break;
    held = joined(held, value);
  }
  if (held.length) throw new Error("The server has sent a part of a picture.");
}

/**
 * @param {HTMLImageElement[]} group
 * @param {AbortSignal} signal
 */
async function fill(group, signal) {
  const left = [...group];
  try {
    const answer = await fetch(together(group), { signal });
    if (answer.ok && answer.body)
      for await (const picture of split(answer.body)) {
        const image = left.shift();
        if (image) put(image, picture);
      }
  } catch {
    // its own address tells what is wrong
  }
  if (!signal.aborted) for (const image of left) show(image, addressOf(image));
}

/**
 * @param {HTMLImageElement} image
 * @param {Uint8Array<ArrayBuffer>} picture none where it cannot be shown
 */
function put(image, picture) {
  if (!picture.length) {
    show(image, addressOf(image));
    return;
  }
  let bytes = "";
  for (const byte of picture) bytes += String.fromCharCode(byte);
  show(image, `data:image/jpeg;base64,${btoa(bytes)}`); // of a blob the browser's other processes would be asked
}

/**
 * @param {HTMLImageElement} image
 * @param {string} from where its picture is
 */
function show(image, from) {
  image.dataset.shown = addressOf(image); // in another size it has another one
  image.src = from;
}

/**
 * Whether an image shows what its address says, or is about to.
 * @param {HTMLImageElement} image
 */
function isThere(image) {
  return image.dataset.shown === addressOf(image) && (!image.complete || image.naturalWidth > 0);
}

/**
 * The address of pictures that are alone at …/images/ID/thumbnail?size=N: …/thumbnails?size=N&of=ID,ID
 * @param {HTMLImageElement[]} group
 */
function together(group) {
  const [alone = ""] = group.map(addressOf);
  const ids = group.map((image) => /\/images\/(\w+)\//.exec(addressOf(image))?.[1]);
  return `${alone.split("/images/")[0]}/thumbnails?${alone.split("?")[1]}&of=${ids.join(",")}`;
}

/** @param {HTMLImageElement[]} pictures */
function groups(pictures) {
  const found = [];
  for (let at = 0; at < pictures.length; at += TOGETHER) found.push(pictures.slice(at, at + TOGETHER));
  return found;
}

/** @param {Iterable<Element>} elements */
function images(elements) {
  return [...elements].filter((one) => one instanceof HTMLImageElement);
}

/** @param {HTMLImageElement} image */
function addressOf(image) {
  return image.dataset.src ?? "";
}

/**
 * @param {Uint8Array<ArrayBuffer>} one
 * @param {Uint8Array<ArrayBuffer>} other
 */
function joined(one, other) {
  if (!one.length) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
