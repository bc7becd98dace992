// The table that is open: which data are tables, and what was made of one.

import { signal } from "./vendored/preact.js";

/** @typedef {import("./answers.js").Told & { x: number[][], answers: number[], heldX: number[][], heldAnswers: number[],
 *   mean: Float64Array, axes: Float64Array }} OpenTable  with some of its rows */

/** Those that come with the page, and one of the user's own. */
export const TABLES = ["penguins", "digits", "own"];

/** @param {string} name */
export const isTable = (name) => TABLES.includes(name);

/** @type {{ value: OpenTable | null }} */
export const openTable = signal(null);
