// What is to be learnt: a setup's points, plan and first weights, as a backend takes them.

import { facts } from "./facts.js";
import { isTable, openTable } from "./open_table.js";
import { Random } from "./random.js";
import { pointsOf } from "./sets.js";
import { sizesOf } from "./setup.js";
import { beginning, withoutBiases } from "./weights.js";

/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {import("./answers.js").Plan} Plan */
/** @typedef {import("./setup.js").Setup} Setup */
/** @typedef {{ x: number[][], answers: number[] }} Part  points with their classes, or their numbers */
/** @typedef {{
 *   training: Part, held: Part, classes: number, sizes: number[], low: number, high: number, plan: Plan,
 *   inputs: [string, boolean][], table: import("./open_table.js").OpenTable | null, changed?: number[][] }} Shown
 *  What the backend was given, of a table some of its rows; low and high: of the numbers that are asked for. inputs: names,
 *  and whether they are amounts. changed: rows that were changed by hand. */

/** What the backend is told of a setup; of the data only how many inputs and outputs.
 *  @param {Setup} wish @returns {Plan} */
export function planOf(wish) {
  const { learningRate, l2, l1, batchSize, seed, loss, biases } = wish;
  return {
    sizes: sizesOf(wish.data, wish.layers),
    activations: wish.layers.map(({ activation }) => activation),
    optimizer: { name: wish.optimizer, ...facts.optimizers[wish.optimizer] },
    loss, learningRate, l2, l1, batchSize, seed, biases,
  }; // prettier-ignore
}

/** What a setup gives a backend to begin with, and what of it is shown. @param {Setup} wish
 *  @returns {{ plan: Plan, table: boolean, arrays: Arrays, shown: Shown }}  table: the backend has the rows */
export function problemOf(wish) {
  if (isTable(wish.data.name) && openTable.value !== null) return problemOfTable(wish, openTable.value);
  const { x, labels, values, classes } = pointsOf(wish.data.name, wish.data);
  const answers = /** @type {number[]} */ (labels ?? values);
  const order = new Random(wish.data.seed, 5).order(x.length);
  const nHeld = Math.floor(x.length * wish.held);
  const part = (/** @type {number[]} */ rows) => ({ x: rows.map((i) => x[i]), answers: rows.map((i) => answers[i]) });
  const [held, training] = [part(order.slice(0, nHeld)), part(order.slice(nHeld))];
  const plan = planOf(wish);
  const { sizes } = plan;
  const parameters = beginning(sizes, wish.scheme, wish.weightSeed, wish.weights);
  /** @type {Arrays} */
  const arrays = { parameters: wish.biases ? parameters : withoutBiases(parameters, sizes), ...given(training, "", classes, wish.loss) };
  if (nHeld) Object.assign(arrays, given(held, "held", classes, wish.loss));
  const numbers = classes ? [0] : answers;
  const inputs = /** @type {[string, boolean][]} */ ([["x1", true], ["x2", true]]); // prettier-ignore
  const ends = { low: Math.min(...numbers), high: Math.max(...numbers) };
  return { plan, table: false, arrays, shown: { training, held, classes, sizes, ...ends, plan, inputs, table: null } };
}

/** @param {Setup} wish @param {import("./open_table.js").OpenTable} table */
function problemOfTable(wish, table) {
  const plan = planOf(wish);
  const { sizes } = plan;
  const numbers = table.task === "numbers" ? [...table.answers, ...table.heldAnswers] : [0];
  const shown = {
    training: { x: table.x, answers: table.answers }, held: { x: table.heldX, answers: table.heldAnswers },
    classes: table.classes.length, sizes, low: Math.min(...numbers), high: Math.max(...numbers), plan, inputs: table.inputs, table,
  }; // prettier-ignore
  const parameters = beginning(sizes, wish.scheme, wish.weightSeed, wish.weights);
  return { plan, table: true, arrays: { parameters: wish.biases ? parameters : withoutBiases(parameters, sizes) }, shown };
}

/** A part of the points as the backend takes them. @param {Part} part @param {"" | "held"} of @param {number} classes
 *  @param {string} loss @returns {Arrays} */
function given({ x, answers }, of, classes, loss) {
  const called = (/** @type {string} */ name) => (of ? of + name[0].toUpperCase() + name.slice(1) : name);
  /** @type {Arrays} */
  const arrays = { [called("x")]: Float64Array.from(x.flat()) };
  if (!classes) return { ...arrays, [called("targets")]: Float64Array.from(answers) };
  arrays[called("answers")] = Int32Array.from(answers);
  if (facts.losses[loss] === "distribution") return { ...arrays, [called("labels")]: Int32Array.from(answers) };
  const rows = answers.flatMap((label) => Array.from({ length: classes }, (_, k) => Number(k === label)));
  return { ...arrays, [called("targets")]: Float64Array.from(rows) };
}
