// The next step of the run as a program of explaining/live: put together from the mathematics of the page, for the
// network that is shown. See mathematics.py.

import { setErfcSeries } from "../../explaining/live/numbers.js";
import { Step, givenOf } from "../../explaining/live/step.js";
import { facts } from "./facts.js";

/** @typedef {import("./answers.js").Plan} Plan */
/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {{ x: number[][], targets: number[][], parameters: Float64Array, states: ArrayLike<number>[], steps: number }} Now
 *  The batch that comes next, the flat parameters and states, and how many steps were taken. */

/** A tree of layer 2 as that of another layer. @param {any} tree @param {number} layer */
function ofLayer(tree, layer) {
  const text = JSON.stringify(tree).replace(/"(\w+)\.(\d)"/g, (_, name, of) => {
    const number = layer + Number(of) - 2;
    return name === "a" && number === 0 ? '"x"' : `"${name}.${number}"`;
  });
  return JSON.parse(text);
}

/** An activation's tree with another one in it. @param {any} tree @param {string} name */
function withActivation(tree, name) {
  return JSON.parse(JSON.stringify(tree).replaceAll('"tanh"', `"${name}"`).replaceAll(`"tanh'"`, `"${name}'"`));
}

/** @param {ArrayLike<number>} flat @param {number} from @param {number} rows @param {number} columns */
function table(flat, from, rows, columns) {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => flat[from + i * columns + j]));
}

/** @param {Plan} plan @param {Now} now @returns {any} */
export function programOf(plan, now) {
  const math = facts.mathematics;
  const { sizes, activations } = plan;
  const last = sizes.length - 1;
  const [n, out] = [now.x.length, sizes[last]];
  const optimizer = math.optimizers[plan.optimizer.name];
  const isPenalized = plan.l2 > 0 || plan.l1 > 0;
  const hasBiases = plan.biases !== false;
  const { name: _, ...settings } = plan.optimizer;
  /** @type {Record<string, any>} */
  const given = { x: now.x, targets: now.targets, share: Array(n).fill(1 / n) };
  const [forward, backward, gradients, parameters, update, kinks] = /** @type {any[][]} */ ([[], [], [], [], [], []]);
  let from = 0;
  for (let layer = 1; layer <= last; layer += 1) {
    const [nIn, nOut] = [sizes[layer - 1], sizes[layer]];
    const activation = activations[layer - 1];
    forward.push([`z.${layer}`, [n, nOut], 0, nOut, ofLayer(hasBiases ? math.layer.z : math.layer.plain_z, layer)]);
    if (layer < last) {
      forward.push([`a.${layer}`, [n, nOut], 0, nOut, withActivation(ofLayer(math.layer.a, layer), activation)]);
      if (math.kinks[activation]) kinks.push([`z.${layer}`, math.kinks[activation]]);
    }
    const arrays = /** @type {[string, number[], any, "weights" | "biases"][]} */ ([
      [`W.${layer}`, [nIn, nOut], math.layer.dW, "weights"],
      [`b.${layer}`, [nOut], math.layer.db, "biases"],
    ]);
    for (const [id, dims, gradient, kind] of hasBiases ? arrays : arrays.slice(0, 1)) {
      const rows = dims.length > 1 ? nIn : 1;
      const isWeight = kind === "weights";
      const read = (/** @type {ArrayLike<number>} */ flat) => (isWeight ? table(flat, from, nIn, nOut) : table(flat, from, 1, nOut)[0]);
      given[id] = read(now.parameters);
      optimizer.states.forEach((/** @type {string} */ state, /** @type {number} */ k) => (given[`${state}_${id}`] = read(now.states[k])));
      gradients.push([isWeight && isPenalized ? `data_d${id}` : `d${id}`, dims, 0, rows, ofLayer(gradient, layer)]);
      parameters.push([id, dims, isWeight]);
      for (const [to, tree] of JSON.parse(JSON.stringify(optimizer[kind]).replaceAll("{W}", id))) update.push([to, dims, 0, rows, tree]);
      from += rows * nOut;
    }
  }
  for (let layer = last - 1; layer > 0; layer -= 1) {
    const activation = activations[layer - 1];
    const tree = ofLayer(activation === "identity" ? math.layer.linear_delta : math.layer.delta, layer);
    backward.push([`delta.${layer}`, [n, sizes[layer]], 0, sizes[layer], withActivation(tree, activation)]);
  }
  backward.push(["dx", [n, sizes[0]], 0, sizes[0], math.layer.dx]);
  given.learning_rate = plan.learningRate;
  if (plan.l2) given.l2 = plan.l2;
  if (plan.l1) given.l1 = plan.l1;
  Object.assign(given, settings, optimizer.counts ? { t: now.steps + 1 } : {});
  const loss = { ...math.losses[plan.loss], l2: plan.l2 > 0, l1: plan.l1 > 0 };
  const linear = activations.flatMap((name, k) => (name === "identity" ? [k + 1] : []));
  return {
    n, layers: last, out, given, functions: math.functions, erfc: math.erfc, forward, loss, backward, linear, gradients,
    parameters, update, kinks, absent: {}, written: math.written,
  }; // prettier-ignore
}

/** The next step, worked out. @param {Plan} plan @param {Now} now */
export function stepOf(plan, now) {
  const program = programOf(plan, now);
  setErfcSeries(program.erfc);
  return new Step(program, givenOf(program)).run();
}

/** Give a step the numbers of whoever trains: JavaScript's exp, and its order of a sum, may be others in the last bit.
 *  @param {Step} step @param {Plan} plan @param {Arrays} arrays */
export function asTold(step, plan, arrays) {
  for (const [id, data] of Object.entries(arrays)) step.arrays.get(id)?.data.set(data);
  const { states } = facts.mathematics.optimizers[plan.optimizer.name];
  /** @type {[string, (id: string) => string][]} */
  const flats = [
    ["gradient", (id) => `d${id}`], ["dataGradient", (id) => `data_d${id}`], ["after", (id) => `${id}.after`],
    ...states.map((/** @type {string} */ name, /** @type {number} */ k) => [`stateAfter_${k}`, (/** @type {string} */ id) => `${name}_${id}.after`]),
  ]; // prettier-ignore
  for (const [name, called] of flats) {
    if (!(name in arrays)) continue;
    let from = 0;
    for (const [id] of step.program.parameters) {
      const { length } = step.array(id).data;
      step.arrays.get(called(id))?.data.set(arrays[name].subarray(from, from + length));
      from += length;
    }
  }
}

/** Symbols of numbers for so many samples: the sample is told where there are several.
 *  @param {number} n @returns {Record<string, [string, number, number, boolean]>} */
export function symbolsFor(n) {
  const { symbols, perSample } = facts.mathematics;
  if (n > 1) return symbols;
  return Object.fromEntries(
    Object.entries(symbols).map(([id, [template, front, ...others]]) => {
      const isOfSample = perSample.includes(id.split(/[.[]/)[0]) && (!id.startsWith("loss") || id.includes("["));
      return [id, /** @type {any} */ ([template, isOfSample ? 1 : front, ...others])];
    }),
  );
}
