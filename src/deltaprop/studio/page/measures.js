// How numbers grow and shrink from layer to layer of a step, each way.

import { ofEdge } from "./modes.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {{ forward: number, backward: number, gain: number, attenuation: number, update: number }} Measures
 *  Of a layer. forward: its a over what it reads; backward: its delta over that of the layer behind; which is the gain of the
 *  weights on the way back times the attenuation by f'; update: what the step adds to its weights over them. Each is a
 *  ratio of root mean squares, over the batch; NaN where there is none. */

/** @param {ArrayLike<number>} values */
function rms(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k += 1) sum += values[k] * values[k];
  return Math.sqrt(sum / values.length);
}

/** @param {ArrayLike<number>} values @param {ArrayLike<number>} over */
function ratio(values, over) {
  const below = rms(over);
  return below > 0 ? rms(values) / below : NaN;
}

/** What flows back from a layer to the one before it: of each sample and neuron the sum of its edges' parts.
 *  @param {Step} step @param {number} layer that it flows from */
function flowsBack(step, layer) {
  const [nIn, nOut] = step.array(`W.${layer}`).dims;
  return Float64Array.from({ length: step.program.n * nIn }, (_, place) => {
    const [s, i] = [Math.floor(place / nIn), place % nIn];
    let sum = 0;
    for (let j = 0; j < nOut; j += 1) sum += ofEdge(step, "deltas", s, layer, i, j).value;
    return sum;
  });
}

/** @param {Step} step @param {number[]} layers whose weights */
function weights(step, layers) {
  const all = (/** @type {string} */ end) => layers.flatMap((layer) => Array.from(step.array(`W.${layer}${end}`).data));
  const before = all("");
  return ratio(all(".after").map((w, k) => w - before[k]), before); // prettier-ignore
}

/** The measures of every layer, the inputs first. @param {Step} step @returns {Measures[]} */
export function measuresOf(step) {
  const a = (/** @type {number} */ layer) => step.array(layer ? `a.${layer}` : "x").data;
  const delta = (/** @type {number} */ layer) => step.array(layer ? `delta.${layer}` : "dx").data;
  return Array.from({ length: step.last + 1 }, (_, layer) => {
    const isLast = layer === step.last;
    const back = isLast ? null : flowsBack(step, layer + 1);
    return {
      forward: layer ? ratio(a(layer), a(layer - 1)) : NaN,
      backward: isLast ? NaN : ratio(delta(layer), delta(layer + 1)),
      gain: back ? ratio(back, delta(layer + 1)) : NaN,
      attenuation: back ? ratio(delta(layer), back) : NaN,
      update: layer ? weights(step, [layer]) : NaN,
    };
  });
}

/** The same of the whole way: outputs over inputs, the first layer's delta over the last one's, all weights.
 *  @param {Step} step */
export function measuresOfAll(step) {
  const { last } = step;
  return {
    forward: ratio(step.array(`a.${last}`).data, step.array("x").data),
    backward: last > 1 ? ratio(step.array("delta.1").data, step.array(`delta.${last}`).data) : NaN,
    update: weights(step, Array.from({ length: last }, (_, l) => l + 1)),
  };
}
