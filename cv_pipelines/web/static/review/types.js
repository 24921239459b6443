/**
 * What the server tells of disputes.
 *
 * @typedef {{ number: number, name: string, colour: string, active: boolean }} Class
 * @typedef {{ class: number, left: number, top: number, width: number, height: number, outline: [number, number][][] }} Box
 *   in pixels of the upright image
 * @typedef {{ who: string, colour: string, classes: number[], boxes: Box[] }} Opinion
 * @typedef {{ image_id: string, name: string, version: number, width: number, height: number, opinions: Opinion[],
 *   settled: boolean, refused: string | null }} Dispute
 * @typedef {{ ready: boolean, looked_at?: number, disputes: Dispute[], after: string | null, total: number }} Page
 * @typedef {Page & { dataset: string, user: string, classes: Class[] }} First
 * @typedef {{ person: string } | { classes: number[] }} Verdict
 */

export {};
