// Settings of each set that work, and settings that do not: what they differ in from the usual, and what comes of them.
// A test trains each of them; why it is so stands in language/en_settings.py, under "settings SET NAME".

import { TUTORIAL, USUAL, sound } from "./setup.js";

/** @typedef {import("./setup.js").Setup} Setup */
/** @typedef {"right" | "heldRight" | "loss" | "held"} Figure */
/** @typedef {Partial<Omit<Setup, "data">> & { data?: Partial<import("./setup.js").DataWish> }} Own */
/** @typedef {{ set: string, name: string, works: boolean, own: Own, steps: number,
 *   sees: [Figure, "least" | "most", number][] | "diverged" }} Entry
 *  own: what is other than usual. sees: what figures are at least, or at most, after so many steps. */

/** @param {...[number, string]} layers */
const layers = (...layers) => layers.map(([n, activation]) => ({ n, activation }));
/** @param {number} count @param {number} n @param {string} activation */
const alike = (count, n, activation) => Array.from({ length: count }, () => ({ n, activation }));
/** @param {number} learningRate */
const descent = (learningRate) => ({ optimizer: "gradient_descent", learningRate });
/** @param {number} right @returns {Entry["sees"]} */
const gets = (right) => [["right", "least", right]];
/** @param {number} right @returns {Entry["sees"]} */
const staysAt = (right) => [["right", "most", right]];
/** @param {number} loss @returns {Entry["sees"]} */
const fallsTo = (loss) => [["loss", "most", loss]];
/** @param {number} loss @returns {Entry["sees"]} */
const staysAbove = (loss) => [["loss", "least", loss]];

/** For each set, by name: how it is drawn, what works, what does not.
 *  @type {Record<string, { data: Own["data"], works: [string, Own, number, Entry["sees"]][],
 *    fails: [string, Own, number, Entry["sees"]][] }>} */
const ALL = {
  moons: {
    data: { noise: 0.05 },
    works: [
      ["two layers", { layers: alike(2, 8, "tanh") }, 1000, gets(0.98)],
      ["one relu layer", { layers: layers([8, "relu"]), scheme: "he", learningRate: 0.03 }, 1000, gets(0.98)],
      ["plain descent", { layers: layers([8, "tanh"]), ...descent(0.3) }, 2000, gets(0.98)],
    ],
    fails: [
      ["no hidden layer", { layers: [] }, 2000, staysAt(0.93)],
      ["too slow", { layers: layers([8, "tanh"]), ...descent(0.001) }, 2000, staysAt(0.85)],
      ["zero weights", { scheme: "zero" }, 2000, staysAt(0.6)],
      ["deep sigmoid", { layers: alike(5, 8, "sigmoid"), ...descent(0.1) }, 2000, staysAt(0.6)],
      ["few noisy points", { data: { n: 40, noise: 0.25 }, held: 0.5, layers: alike(2, 16, "tanh") }, 1000, [["right", "least", 0.99], ["heldRight", "most", 0.7]]],
    ],
  },
  circles: {
    data: { noise: 0.03 },
    works: [
      ["four tanh", { layers: layers([4, "tanh"]), learningRate: 0.03 }, 1000, gets(0.97)],
      ["eight relu", { layers: layers([8, "relu"]), scheme: "he", learningRate: 0.01 }, 1000, gets(0.98)],
    ],
    fails: [
      ["no hidden layer", { layers: [] }, 2000, staysAt(0.75)],
      ["two neurons", { layers: layers([2, "tanh"]), learningRate: 0.03 }, 2000, staysAt(0.92)],
      ["dead relu", { layers: layers([6, "relu"]), scheme: "he", ...descent(10) }, 1000, staysAt(0.6)],
      ["equal weights", { layers: layers([8, "tanh"]), scheme: "equal", learningRate: 0.03 }, 2000, staysAt(0.6)],
      ["penalty", { layers: layers([8, "tanh"]), l2: 0.03, learningRate: 0.03 }, 2000, staysAt(0.6)],
    ],
  },
  spirals: {
    data: { parts: 3, noise: 0.03 },
    works: [
      ["two layers", { layers: alike(2, 8, "tanh") }, 1000, gets(0.97)],
      ["wide relu", { layers: alike(2, 16, "relu"), scheme: "he", learningRate: 0.01 }, 1000, gets(0.97)],
      ["plain descent", { layers: alike(2, 16, "tanh"), ...descent(0.3) }, 2000, gets(0.97)],
    ],
    fails: [
      ["three neurons", { layers: layers([3, "tanh"]) }, 2000, staysAt(0.85)],
      ["deep sigmoid", { layers: alike(3, 8, "sigmoid"), ...descent(0.1) }, 2000, staysAt(0.65)],
      ["too slow", { layers: alike(2, 8, "tanh"), ...descent(0.01) }, 2000, staysAt(0.75)],
      ["too fast", { layers: alike(2, 8, "tanh"), learningRate: 1 }, 2000, staysAt(0.5)],
      ["penalty", { layers: alike(2, 8, "tanh"), l2: 0.03 }, 2000, staysAt(0.75)],
      ["equal weights", { layers: alike(2, 8, "tanh"), scheme: "equal" }, 2000, staysAt(0.7)],
    ],
  },
  xor: {
    data: { noise: 0.03 },
    works: [
      ["four tanh", { layers: layers([4, "tanh"]), learningRate: 0.03 }, 1000, gets(0.97)],
      ["eight relu", { layers: layers([8, "relu"]), scheme: "he", ...descent(0.3) }, 1000, gets(0.97)],
    ],
    fails: [
      ["no bend", { layers: layers([8, "identity"]) }, 2000, staysAt(0.75)],
      ["two neurons", { layers: layers([2, "tanh"]), learningRate: 0.03 }, 2000, staysAt(0.85)],
      ["small weights", { layers: alike(2, 4, "tanh"), scheme: "small", ...descent(0.03) }, 2000, staysAt(0.6)],
      ["too fast", { layers: layers([4, "tanh"]), optimizer: "momentum", learningRate: 3 }, 1000, staysAt(0.8)],
      ["equal weights", { layers: layers([4, "tanh"]), scheme: "equal" }, 2000, staysAt(0.8)],
    ],
  },
  blobs: {
    data: { parts: 4, noise: 0.03 },
    works: [
      ["no hidden layer", { layers: [], ...descent(0.3) }, 500, gets(0.98)],
      ["four tanh", { layers: layers([4, "tanh"]) }, 500, gets(0.98)],
    ],
    fails: [
      ["too slow", { layers: [], ...descent(0.0003) }, 1000, staysAt(0.4)],
      ["deep sigmoid", { layers: alike(5, 4, "sigmoid"), ...descent(0.1) }, 2000, staysAt(0.4)],
      ["wrong loss", { layers: [], scheme: "large", loss: "half_squared_error_softmax", ...descent(0.1) }, 2000, staysAt(0.6)],
      ["one neuron", { data: { parts: 6 }, layers: layers([1, "sigmoid"]) }, 2000, staysAt(0.65)],
      ["few noisy points", { data: { n: 60, noise: 0.4 }, held: 0.5, layers: alike(2, 16, "tanh") }, 1000, [["right", "least", 0.99], ["heldRight", "most", 0.7]]],
    ],
  },
  plane: {
    data: { noise: 0.03 },
    works: [
      ["no hidden layer", { layers: [], ...descent(0.1) }, 500, fallsTo(0.001)],
      ["one tanh layer", { layers: layers([8, "tanh"]) }, 500, fallsTo(0.001)],
    ],
    fails: [
      ["too fast", { layers: [], ...descent(3) }, 1000, "diverged"],
      ["too slow", { layers: [], scheme: "large", ...descent(0.0003) }, 2000, staysAbove(1)],
      ["penalty", { layers: [], l2: 1 }, 1000, staysAbove(0.03)],
      ["dead relu", { layers: layers([1, "relu"]), scheme: "he", weightSeed: 4 }, 2000, staysAbove(0.08)],
      ["few noisy points", { data: { n: 40, noise: 0.4 }, held: 0.5, layers: alike(2, 16, "tanh"), learningRate: 0.03 }, 1000, [["loss", "most", 0.01], ["held", "least", 0.2]]],
    ],
  },
  waves: {
    data: { parts: 2, noise: 0.03 },
    works: [
      ["wide relu", { layers: alike(2, 16, "relu"), scheme: "he", learningRate: 0.01 }, 2000, fallsTo(0.015)],
      ["two layers", { layers: alike(2, 8, "tanh") }, 2000, fallsTo(0.02)],
    ],
    fails: [
      ["no hidden layer", { layers: [] }, 2000, staysAbove(0.1)],
      ["two neurons", { layers: layers([2, "tanh"]) }, 2000, staysAbove(0.05)],
      ["deep sigmoid", { layers: alike(4, 8, "sigmoid"), ...descent(0.1) }, 2000, staysAbove(0.1)],
      ["penalty", { layers: alike(2, 8, "tanh"), l2: 0.03 }, 2000, staysAbove(0.1)],
      ["too fast", { layers: alike(2, 8, "tanh"), ...descent(3) }, 1000, "diverged"],
      ["few noisy points", { data: { n: 60, noise: 0.3 }, held: 0.5, layers: alike(2, 16, "tanh") }, 1000, [["loss", "most", 0.01], ["held", "least", 0.1]]],
    ],
  },
  tutorial: {
    data: {},
    works: [
      ["as it is", {}, 13, fallsTo(5e-5)],
      ["half as fast", { learningRate: 0.05 }, 5, fallsTo(1e-6)],
    ],
    fails: [
      ["too fast", { learningRate: 0.3 }, 20, "diverged"],
      ["too slow", { learningRate: 0.001 }, 50, staysAbove(0.08)],
      ["zero weights", { scheme: "zero" }, 100, staysAbove(7.9)],
      ["penalty", { l2: 1 }, 100, staysAbove(0.3)],
    ],
  },
};

/** @type {Entry[]} */
export const ENTRIES = Object.entries(ALL).flatMap(([set, { data, works, fails }]) =>
  [...works, ...fails].map(([name, own, steps, sees], k) => ({
    set, name, works: k < works.length, own: { ...own, data: { ...data, ...own.data } }, steps, sees,
  })),
); // prettier-ignore

/** The whole setup of an entry. @param {Entry} entry @returns {Setup} */
export function setupOf({ set, own }) {
  const usual = set === "tutorial" ? TUTORIAL : USUAL;
  return sound({ ...usual, ...own, data: { ...usual.data, parts: 1, ...own.data, name: set } });
}
