/**
 * Taking away the labels of a whole queue, page by page, each label as it stands then.
 */

import { fragment, request } from "../api.js";
import { withProgress } from "./work.js";
import { idOf, labelOf, versionOf } from "./tile.js";

/**
 * @param {string} address of the data set
 * @param {string} query of the queue, without a place in it
 * @param {number} total images of it
 * @param {(counts: import("../saving/saver.js").Counts) => void} counted
 * @returns {Promise<{ away: number, refused: number }>} how many labels are away, and how many have changed meanwhile
 */
export async function unlabelQueue(address, query, total, counted) {
  let [away, refused, seen] = [0, 0, 0];
  await withProgress("Un-labelling", total, async (tell, stopped) => {
    for (let page = /** @type {string | null} */ (query); page !== null && !stopped.aborted; ) {
      const content = await fragment(address + page, stopped);
      const tiles = [...content.querySelectorAll(".tile")].filter((one) => one instanceof HTMLElement);
      const changes = tiles
        .filter((tile) => labelOf(tile))
        .map((tile) => ({ image_id: idOf(tile), seen: versionOf(tile), delete: true }));
      if (changes.length) {
        const answer = await request("POST", `${address}/labels`, { changes });
        away += answer.saved.length;
        refused += answer.refused.length;
        counted(answer.counts);
      }
      seen += tiles.length;
      tell(seen, `${away.toLocaleString("en")} labels are away`);
      page = content.querySelector('.pages a[rel="next"]')?.getAttribute("href") ?? null;
    }
  });
  return { away, refused };
}
