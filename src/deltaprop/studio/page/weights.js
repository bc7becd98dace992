// Where a network begins: weights by scheme and seed, biases 0 but for short numbers; drawn in the page, so that both engines begin alike.

import { Random } from "./random.js";

/** @typedef {(random: Random, nIn: number, nOut: number) => number} Scheme one weight */
/** @type {Record<string, Scheme>} */
export const SCHEMES = {
  he: (random, nIn) => random.normal() * Math.sqrt(2 / nIn),
  lecun: (random, nIn) => random.normal() * Math.sqrt(1 / nIn),
  glorot: (random, nIn, nOut) => random.between(-1, 1) * Math.sqrt(6 / (nIn + nOut)),
  small: (random) => random.normal() * 0.01,
  large: (random) => random.normal() * 3,
  equal: () => 0.5,
  zero: () => 0,
  short: (random) => Math.round(100 * random.between(-1, 1)) / 100,
};

/** The weights that a text tells, one after another. @param {string} text */
const weightsIn = (text) => text.split(",").map((each) => (each.trim() === "" ? NaN : Number(each)));

/** Whether a text tells the weights of such a network. @param {number[]} sizes @param {string} text */
export function areGiven(sizes, text) {
  const found = weightsIn(text);
  return found.every(Number.isFinite) && found.length === sizes.slice(1).reduce((n, size, l) => n + sizes[l] * size, 0);
}

/** The flat parameters of dense layers: W by rows, then b, of each.
 *  @param {number[]} sizes @param {string} scheme of them @param {number} seed @param {string} [given] where the scheme is
 *  "given": the weights */
export function beginning(sizes, scheme, seed, given = "") {
  const random = new Random(seed, 4);
  const told = weightsIn(given);
  const draw = scheme === "given" ? () => /** @type {number} */ (told.shift()) : SCHEMES[scheme];
  const flat = [];
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const [nIn, nOut] = [sizes[layer - 1], sizes[layer]];
    for (let i = 0; i < nIn * nOut; i += 1) flat.push(draw(random, nIn, nOut));
    for (let j = 0; j < nOut; j += 1) flat.push(scheme === "short" ? draw(random, nIn, nOut) : 0);
  }
  return Float64Array.from(flat);
}

/** Which of the flat parameters are biases. @param {number[]} sizes @returns {boolean[]} */
function areBiases(sizes) {
  return sizes.slice(1).flatMap((size, l) => Array.from({ length: (sizes[l] + 1) * size }, (_, k) => k >= sizes[l] * size));
}

/** Flat parameters of a network without biases. @param {ArrayLike<number>} flat with them @param {number[]} sizes */
export function withoutBiases(flat, sizes) {
  const isBias = areBiases(sizes);
  return Float64Array.from(Array.from(flat).filter((_, k) => !isBias[k]));
}

/** Flat parameters as the page places them: where there are no biases, 0. @param {ArrayLike<number>} flat
 *  @param {number[]} sizes */
export function withBiases(flat, sizes) {
  let from = 0;
  return Float64Array.from(areBiases(sizes), (isBias) => (isBias ? 0 : flat[from++]));
}

/** Where the weight from i to j of a layer stands in the flat parameters; i < 0: the bias.
 *  @param {number[]} sizes @param {number} layer from 1 @param {number} i @param {number} j */
export function placeOf(sizes, layer, i, j) {
  let start = 0;
  for (let l = 1; l < layer; l += 1) start += (sizes[l - 1] + 1) * sizes[l];
  return start + (i < 0 ? sizes[layer - 1] * sizes[layer] + j : i * sizes[layer] + j);
}
