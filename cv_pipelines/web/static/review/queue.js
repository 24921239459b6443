/**
 * The disputes that come next, fetched before they are asked for, and the last ones that were settled.
 */

import { request } from "../api.js";

/** @import { Dispute, First, Page, Verdict } from "./types.js" */

const AHEAD = 3;
const MOST_KEPT = 50;

export class Queue {
  /**
   * @param {First} first what the page came with
   * @param {string} address of the data set
   */
  constructor(first, address) {
    this.address = address;
    this.total = first.total;
    this.ready = first.ready;
    this.lookedAt = first.looked_at ?? 0;
    /** @type {Dispute[]} */
    this._coming = first.disputes;
    /** @type {Dispute[]} */
    this._settled = [];
    this._after = first.after;
    /** @type {Promise<void> | null} */
    this._fetching = null;
  }

  /** @returns {Dispute | undefined} the one to look at now */
  get current() {
    return this._coming[0];
  }

  /** Whether more may come. */
  get waits() {
    return !this.ready || this._after !== null;
  }

  /** Whether there is one to go back to. */
  get canGoBack() {
    return this._settled.length > 0;
  }

  /** @returns {Dispute[]} those that come after it, as far as they are known */
  get next() {
    return this._coming.slice(1, 1 + AHEAD);
  }

  /** Leave one be for now: it comes again when the page is loaded again. */
  skip(dispute = this.current) {
    this._coming = this._coming.filter((one) => one !== dispute);
    return this.fill();
  }

  /**
   * Settle the current one; the next one is there at once, and stays: one that was not settled comes after it.
   *
   * @param {Verdict} verdict
   * @throws {import("../api.js").Problem | import("../api.js").Unreachable} nothing was settled
   */
  async settle(verdict) {
    const dispute = this._coming.shift();
    if (!dispute) return;
    const body = { image_id: dispute.image_id, seen: dispute.version, ...verdict };
    try {
      const { version } = await request("POST", `${this.address}/review/verdicts`, body);
      if (!dispute.settled) this.total -= 1;
      this._settled.push({ ...dispute, version, settled: true });
      if (this._settled.length > MOST_KEPT) this._settled.shift();
    } catch (error) {
      this._coming.splice(1, 0, dispute);
      throw error;
    }
  }

  /** Show the one that was settled last once more: another verdict replaces the first. */
  goBack() {
    const last = this._settled.pop();
    if (last) this._coming.unshift(last);
  }

  /** Read one anew: somebody has said something of it. @param {Dispute} dispute */
  async refresh(dispute) {
    const now = await request("GET", `${this.address}/review/disputes/${dispute.image_id}`);
    const place = this._coming.indexOf(dispute); // it may have been skipped meanwhile
    if (place >= 0) this._coming.splice(place, 1, ...(now.settled ? [] : [now]));
    if (now.settled) this.total = Math.max(0, this.total - 1);
  }

  /** Begin from the first one again, once the server is ready. */
  restart() {
    this._after = "";
    this._coming = [];
    return this.fill();
  }

  /** Fetch more where few are left; one request at a time. An answer may have none that this person may see. */
  fill() {
    this._fetching ??= this._fetchMore().finally(() => {
      this._fetching = null;
    });
    return this._fetching;
  }

  async _fetchMore() {
    while (this._after !== null && this._coming.length < AHEAD) {
      await this._fetch(this._after);
      if (!this.ready) return; // who waits for that asks again
    }
  }

  /** @param {string} after */
  async _fetch(after) {
    const address = `${this.address}/review/disputes?after=${after}`;
    /** @type {Page} */
    const page = await request("GET", address);
    const first = page.ready && !this.ready;
    this.ready = page.ready;
    this.lookedAt = page.looked_at ?? 0;
    this._after = page.ready ? page.after : after;
    if (page.fresh || first) this.total = page.total; // else it counts what was settled a moment ago
    const known = new Set([...this._coming, ...this._settled].map((one) => one.image_id));
    this._coming.push(...page.disputes.filter((one) => !known.has(one.image_id)));
  }
}
