// What the picture of the network shows of a step: the numbers of its neurons and of its edges, all read off the step.

import { phase } from "./run.js";
import { effect, signal } from "./vendored/preact.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {"values" | "deltas" | "gradients" | "updates"} Mode */
/** @typedef {{ ids: string[], value: number, before?: number, after?: number, hidden?: boolean }} Found
 *  A number; ids: what it is, or what its difference or product is of; before and after the step, where it is an update.
 *  hidden: somebody practises, and is not told it. */

/** @type {Mode[]} */ export const MODES = ["values", "deltas", "gradients", "updates"];
/** @type {{ value: Mode }} */ export const mode = signal("values");

/** What each phase is about. @type {Record<import("./run.js").Phase, Mode>} */
const OF_PHASE = { forward: "values", loss: "values", backward: "deltas", update: "updates" };

/** Let a phase choose its mode. */
export function followPhases() {
  effect(() => {
    if (phase.value) mode.value = OF_PHASE[phase.value];
  });
}

/** An entry of an array of a step. @param {Step} step @param {string} id of the array @param {number} row @param {number} [column] */
function entry(step, id, row, column) {
  const { dims, data } = step.array(id);
  return column === undefined ? data[row] : data[row * dims[1] + column];
}

/** A parameter before and after the step. @param {Step} step @param {string} id @param {number[]} at @returns {Found} */
function update(step, id, at) {
  const [before, after] = [id, `${id}.after`].map((name) => entry(step, name, at[0], at[1]));
  const place = `[${at.join(",")}]`;
  return { ids: [`${id}${place}`, `${id}.after${place}`], value: after - before, before, after };
}

/** The number of a neuron. @param {Step} step @param {Mode} of @param {number} s the sample @param {number} layer
 *  @param {number} j @returns {Found | null} */
export function ofNeuron(step, of, s, layer, j) {
  const one = (/** @type {string} */ array) => ({ ids: [`${array}[${s},${j}]`], value: entry(step, array, s, j) });
  if (of === "values") return one(layer ? `a.${layer}` : "x");
  if (of === "deltas") return one(layer ? `delta.${layer}` : "dx");
  if (layer === 0 || !step.arrays.has(`db.${layer}`)) return null; // an input, or a network without biases
  if (of === "gradients") return { ids: [`db.${layer}[${j}]`], value: entry(step, `db.${layer}`, j) };
  return update(step, `b.${layer}`, [j]);
}

/** The number of an edge: the weight, its part of the delta that flows back, its gradient, or its step.
 *  @param {Step} step @param {Mode} of @param {number} s the sample @param {number} layer that it leads to @param {number} i
 *  @param {number} j @returns {Found} */
export function ofEdge(step, of, s, layer, i, j) {
  const one = (/** @type {string} */ array) => ({ ids: [`${array}.${layer}[${i},${j}]`], value: entry(step, `${array}.${layer}`, i, j) });
  if (of === "values") return one("W");
  if (of === "gradients") return one("dW");
  if (of === "updates") return update(step, `W.${layer}`, [i, j]);
  const weight = one("W");
  const delta = `delta.${layer}`;
  return { ids: [...weight.ids, `${delta}[${s},${j}]`], value: weight.value * entry(step, delta, s, j) };
}

/** The loss in the picture: of the sample, and of the batch before and after. @param {Step} step @param {number} s */
export function ofLoss(step, s) {
  return { own: entry(step, "losses", s), batch: step.number("loss"), after: step.number("loss.after") };
}
