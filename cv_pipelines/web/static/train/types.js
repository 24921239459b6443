/**
 * What the server says of a training.
 *
 * @typedef {{ step: string, stage: string, done: number, total: number | null }} Stage
 * @typedef {{ epoch: number, loss?: number | null, val_loss?: number | null, accuracy?: number | null,
 *   val_accuracy?: number | null }} Point
 * @typedef {{ task_id: string, state: string, seconds: number, position: number | null, note: string,
 *   stages: Stage[], curve: Point[], run: string | null, error: string | null }} Training
 */

export {};
