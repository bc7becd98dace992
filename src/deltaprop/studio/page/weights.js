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

/** The flat parameters of dense layers: W by rows, then b, of each.
 *  @param {number[]} sizes @param {string} scheme @param {number} seed */
export function beginning(sizes, scheme, seed) {
  const random = new Random(seed, 4);
  const draw = SCHEMES[scheme];
  const flat = [];
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const [nIn, nOut] = [sizes[layer - 1], sizes[layer]];
    for (let i = 0; i < nIn * nOut; i += 1) flat.push(draw(random, nIn, nOut));
    for (let j = 0; j < nOut; j += 1) flat.push(scheme === "short" ? draw(random, nIn, nOut) : 0);
  }
  return Float64Array.from(flat);
}
