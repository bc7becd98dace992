// Arrays of numbers, as they are given to the kernels and come back.

import { EngineError } from "./errors.js";

/** @typedef {import("./engine.js").Numbers} Numbers */
/** @typedef {{ values: Float64Array, rows: number, columns: number }} Matrix row by row */
/** @typedef {{ origin: Numbers, across: Numbers, down: Numbers, columns: number, rows: number }} Plane
 *  The points origin + i across + j down of the inputs, i columns and j rows from the upper left corner. */
/** @typedef {{
 *   x: [number, number], y: [number, number], columns: number, rows: number, base: Numbers,
 *   inputs?: [number, number] }} Picture
 *  A plane over two inputs, cut into cells, from x[0] on the left to x[1] and from y[0] at the foot to y[1]; inputs: which
 *  two (0 and 1 unless told), base: a row for the others. */

/** @param {unknown} holds @param {string} sentence @returns {asserts holds} */
export function required(holds, sentence) {
  if (!holds) throw new EngineError(sentence);
}

/** Whether it is a whole number in a range. @param {unknown} value @param {number} least @param {number} most */
export function whole(value, least, most) {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** Rows one after another. @param {Numbers | Numbers[]} values @param {number} columns @param {string} what
 *  @returns {Numbers} */
export function flat(values, columns, what) {
  const isRows = Array.isArray(values) && typeof values[0] === "object";
  const rows = /** @type {Numbers[]} */ (isRows ? values : []);
  required(rows.every((row) => row.length === columns), `Each row of ${what} has ${columns} numbers.`);
  const numbers = /** @type {Numbers} */ (isRows ? rows.flatMap((row) => Array.from(row)) : values);
  required(numbers.length % columns === 0, `${what} has ${numbers.length} numbers, which are no rows of ${columns}.`);
  const bad = ArrayBuffer.isView(numbers) ? -1 : numbers.findIndex((value) => !Number.isFinite(value)); // null would be 0
  const where = `in column ${bad % columns}`;
  required(bad < 0, `Row ${Math.floor(bad / columns)} of ${what} holds something that is not a finite number ${where}.`);
  return numbers;
}

/** @param {Float64Array} values @param {number} columns @returns {Matrix} */
export function matrix(values, columns) {
  return { values, rows: values.length / columns, columns };
}

/** The plane of a picture: from the centre of the upper left cell. @param {Picture} picture @returns {Plane} */
export function planeOf({ x, y, columns, rows, base, inputs = [0, 1] }) {
  const origin = Array.from(base);
  const [across, down] = [origin.map(() => 0), origin.map(() => 0)];
  across[inputs[0]] = (x[1] - x[0]) / columns;
  down[inputs[1]] = (y[0] - y[1]) / rows;
  origin[inputs[0]] = x[0] + across[inputs[0]] / 2;
  origin[inputs[1]] = y[1] + down[inputs[1]] / 2;
  return { origin, across, down, columns, rows };
}

/** The plane along two directions, cut into cells: from the centre of the upper left cell.
 *  @param {{ x: [number, number], y: [number, number], columns: number, rows: number }} picture
 *  @param {Numbers} base @param {Numbers} across @param {Numbers} up @returns {Plane} */
export function planeAlong({ x, y, columns, rows }, base, across, up) {
  const [toTheRight, down] = [(x[1] - x[0]) / columns, (y[0] - y[1]) / rows];
  const [u, v] = [x[0] + toTheRight / 2, y[1] + down / 2];
  return {
    origin: Array.from(base, (each, j) => each + u * across[j] + v * up[j]),
    across: Array.from(across, (each) => each * toTheRight), down: Array.from(up, (each) => each * down), columns, rows,
  }; // prettier-ignore
}
