// What is to be trained, as the kernels read it: see native/wasm/description.hpp.

import { EngineError } from "./errors.js";
import { required, whole } from "./numbers.js";

/** @typedef {import("./engine.js").Names} Names */
/** @typedef {{
 *   kind?: string, n_in?: number, n_out?: number, bias?: boolean, activation?: string, drop_probability?: number,
 *   drop_threshold?: number, rates?: number[], scale?: number, function?: string, epsilon?: number, n_columns?: number,
 *   n_waves?: number, n_mixtures?: number, sizes?: number[], dimension?: number, arrays?: [string, number[]][] }} LayerGiven
 *  A layer: "dense" unless told. n_in follows from the layer before; n_out is needed of a dense one. What another kind
 *  needs is told by engine.names.layers. arrays: what its parameters are called, with their shapes. */
/** @typedef {LayerGiven & { kind: string, n_in: number, n_out: number, bias: boolean }} Layer */
/** @typedef {{
 *   layers: LayerGiven[], loss: string, label_smoothing?: number, l2?: number, l1?: number,
 *   rule: Record<string, string | number>, batch_size: number,
 *   seed?: number | bigint | string, shuffle?: boolean }} Description
 *  The first layer has n_in. rule: the optimizer's name, and a number for each of its settings (engine.names.optimizers).
 *  seed: of the order of rows and of dropout, as dp.train takes it. */
/** @typedef {{ layer: number, name: string, shape: number[], start: number, stop: number }} Slot */

/** The text of a description, and its layers with everything told.
 *  @param {Description} given @param {Names} names @returns {{ text: string, layers: Layer[] }} */
export function describe(given, names) {
  required(Array.isArray(given?.layers) && given.layers.length > 0, "A network has a layer at least.");
  /** @type {Layer[]} */
  const layers = [];
  for (const layer of given.layers) layers.push(completed(layer, layers.at(-1)?.n_out));
  const { loss, label_smoothing = 0, l2 = 0, l1 = 0, rule, batch_size, seed = 0, shuffle = true } = given;
  const lines = layers.map((layer) => {
    const { kind, n_in, n_out, bias, activation = "identity", drop_threshold = 0, drop_probability = 0, rates = [] } = layer;
    const usual = { kind, n_in, n_out, bias, activation, drop_threshold, drop_probability, rates };
    const own = (names.layers[kind] ?? []).map((name) => [name, layer[/** @type {"scale"} */ (name)]]);
    return line("layer", { ...usual, ...Object.fromEntries(own.filter(([, value]) => value !== undefined)) });
  });
  lines.push(line("network", { loss, label_smoothing, l2, l1 }), line("rule", rule ?? {}));
  lines.push(line("run", { batch_size, seed, shuffle }));
  return { text: lines.join("\n"), layers };
}

/** @param {LayerGiven} layer @param {number} [before] what it reads @returns {Layer} */
function completed(layer, before) {
  const { kind = "dense", n_in = before, bias = true, drop_probability = 0 } = layer;
  const n_out = layer.n_out ?? (kind === "dense" ? undefined : n_in);
  const areSizes = whole(n_in, 1, 2 ** 31) && whole(n_out, 1, 2 ** 31);
  required(areSizes, "A layer has n_in and n_out, whole numbers from 1.");
  const drops = drop_probability > 0 ? Math.min(Math.max(Math.round(drop_probability * 2 ** 32), 1), 2 ** 32 - 1) : 0;
  const scale = kind === "dense" ? { scale: layer.scale ?? 1 } : {};
  const told = { kind, n_in: Number(n_in), n_out: Number(n_out), bias, drop_probability };
  return { drop_threshold: drops, ...layer, ...scale, ...told };
}

/** @param {string} of @param {Record<string, unknown>} keywords */
function line(of, keywords) {
  const words = Object.entries(keywords).map(([name, value]) => `${name}=${String(value).replace(/\s/g, "_")}`);
  return [of, ...words].join(" ");
}

/** Which run of the flat parameters is which array. @param {Layer[]} layers @returns {Slot[]} */
export function slotsOf(layers) {
  /** @type {Slot[]} */
  const slots = [];
  layers.forEach((layer, number) => {
    /** @type {[string, number[]][]} */
    const dense = [["W", [layer.n_in, layer.n_out]], ["b", [layer.n_out]]];
    const arrays = layer.arrays ?? (layer.kind === "dense" ? dense.slice(0, layer.bias ? 2 : 1) : null);
    if (arrays === null) throw new EngineError(`The description of layer ${number + 1} does not say what its arrays are.`);
    for (const [name, shape] of arrays) {
      const start = slots.at(-1)?.stop ?? 0;
      slots.push({ layer: number, name, shape, start, stop: start + shape.reduce((n, size) => n * size, 1) });
    }
  });
  return slots;
}
