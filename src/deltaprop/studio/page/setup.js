// What is tried: data, network, training, as one plain value; in the address, and undone.

import { facts, keptRun } from "./facts.js";
import { isFormula } from "./formula.js";
import { TABLES, isTable, openTable } from "./open_table.js";
import { NAMES, classesOf, isDrawnByChance, partsOf } from "./sets.js";
import { computed, signal } from "./vendored/preact.js";
import { SCHEMES, areGiven } from "./weights.js";

/** @typedef {import("./sets.js").Wish & { name: string, file: string, target: string, task: "" | "classes" | "numbers",
 *   without: string }} DataWish
 *  of tables: file, the name of the user's own; target and task, "" as it is found out; without, columns left out, a line each. */
/** @typedef {{ n: number, activation: string }} LayerWish */
/** @typedef {{
 *   data: DataWish, held: number, layers: LayerWish[], loss: string, optimizer: string, learningRate: number,
 *   batchSize: number, l2: number, l1: number, scheme: string, weightSeed: number, weights: string, biases: boolean,
 *   seed: number }} Setup
 *  held: the share of the points that only judge. layers: the hidden ones. weights: where the
 *  scheme is "given". biases: whether there are any. seed: of the order of the points. */

/** @type {Setup} */
export const USUAL = {
  data: { name: "spirals", n: 300, noise: 0.03, seed: 1, parts: 3, points: "", formula: "sin(3*x1)*x2", file: "", target: "", task: "", without: "" },
  held: 0.25,
  layers: [
    { n: 8, activation: "tanh" },
    { n: 8, activation: "tanh" },
  ],
  loss: "cross_entropy",
  optimizer: "adam",
  learningRate: 0.02,
  batchSize: 32,
  l2: 0,
  l1: 0,
  scheme: "glorot",
  weightSeed: 1,
  weights: "",
  biases: true,
  seed: 1,
};

/** The example of the tutorial: its network, its first weights, its one point. @type {Setup} */
export const TUTORIAL = {
  ...USUAL,
  data: { ...USUAL.data, name: "tutorial", parts: 1 },
  layers: facts.tutorial.hidden,
  loss: facts.tutorial.loss,
  optimizer: facts.tutorial.optimizer,
  learningRate: facts.tutorial.learningRate,
  batchSize: 1,
  scheme: "given",
  weights: facts.tutorial.weights.join(","),
  biases: false,
};

export const MOST_LAYERS = 6;
export const MOST_NEURONS = facts.server === null ? 64 : 512;
export const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1, 3, 10];
export const BATCHES = [1, 4, 8, 16, 32, 64, 128];
export const PENALTIES = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];

/** The losses that fit a set, the usual one first. @param {DataWish} data */
export function lossesOf(data) {
  const fitting = classesOf(data) ? ["distribution", "unit"] : ["real"];
  return Object.keys(facts.losses).filter((name) => fitting.includes(facts.losses[name]));
}

/** A setup without what cannot be: everything in its range, the loss fitting the data. @param {Setup} wish @returns {Setup} */
export function sound(wish) {
  const parts = partsOf(wish.data.name);
  const data = {
    ...wish.data,
    n: within(wish.data.n, 10, 2000),
    noise: Math.min(Math.max(wish.data.noise, 0), 1),
    parts: parts ? within(wish.data.parts, parts[0], parts[2]) : 1,
  };
  // what a table asks for is known when it is open: see begin of run.js
  const losses = isTable(data.name) ? Object.keys(facts.losses) : lossesOf(data);
  const layers = wish.layers.slice(0, MOST_LAYERS).map(({ n, activation }) => ({ n: within(n, 1, MOST_NEURONS), activation }));
  return {
    ...wish,
    data,
    held: Math.min(Math.max(wish.held, 0), 0.9),
    layers,
    loss: losses.includes(wish.loss) ? wish.loss : losses[0],
    batchSize: within(wish.batchSize, 1, 2000),
    scheme: wish.scheme === "given" && !areGiven(sizesOf(data, layers), wish.weights) ? USUAL.scheme : wish.scheme,
  };
}

/** How many inputs there are, and neurons in each layer. @param {DataWish} data @param {LayerWish[]} layers */
export function sizesOf(data, layers) {
  const inputs = isTable(data.name) ? (openTable.value?.inputs.length ?? 2) : 2;
  return [inputs, ...layers.map(({ n }) => n), classesOf(data) || 1];
}

/** @param {number} value @param {number} least @param {number} most */
function within(value, least, most) {
  return Math.min(Math.max(Math.round(value), least), most);
}

/** Whether something is asked of a set. @param {string} set @param {string} wish */
function isOf(set, wish) {
  if (wish === "points") return set === "drawn";
  if (wish === "formula") return set === "formula";
  if (["file", "target", "task", "without"].includes(wish)) return isTable(set);
  if (wish === "parts") return partsOf(set) !== undefined;
  return isDrawnByChance(set) || !["n", "noise"].includes(wish);
}

/** What differs from the usual, as a part of an address. @param {Setup} setup @returns {string} */
export function toAddress(setup) {
  const told = new URLSearchParams();
  const { data, layers, ...rest } = setup;
  const written = (/** @type {LayerWish[]} */ all) => all.map(({ n, activation }) => `${n}-${activation}`).join(".");
  for (const [name, value] of Object.entries(data)) {
    if (!isOf(data.name, name)) continue;
    if (value !== USUAL.data[/** @type {"n"} */ (name)]) told.set(name === "name" ? "data" : `data-${name}`, String(value));
  }
  if (written(layers) !== written(USUAL.layers)) told.set("layers", written(layers));
  for (const [name, value] of Object.entries(rest)) {
    if (name === "weights" && setup.scheme !== "given") continue;
    if (value !== USUAL[/** @type {"seed"} */ (name)]) told.set(name, String(value));
  }
  return told.toString();
}

/** The address of a table that was given with the page. @param {string} file */
function ofTable(file) {
  return new URLSearchParams({ data: "own", "data-file": file }).toString();
}

/** A setup as an address tells it; what it does not tell, or tells wrongly, is as usual. @param {string} address @returns {Setup} */
export function fromAddress(address) {
  const told = new URLSearchParams(address);
  const number = (/** @type {string} */ name, /** @type {number} */ usual, /** @type {number} */ least) => {
    const value = Number(told.get(name) ?? NaN);
    return Number.isFinite(value) && value >= least ? value : usual;
  };
  const one = (/** @type {string} */ name, /** @type {string} */ usual, /** @type {string[]} */ known) =>
    known.includes(told.get(name) ?? "") ? /** @type {string} */ (told.get(name)) : usual;
  const { data, layers } = USUAL;
  const name = one("data", data.name, [...NAMES, ...TABLES]);
  const read = (told.get("layers") ?? "").split(".").map((text) => /^(\d+)-(\w+)$/.exec(text));
  const known = read.every((found) => found && facts.activations.includes(found[2]));
  return sound({
    data: {
      name,
      n: number("data-n", data.n, 1),
      noise: number("data-noise", data.noise, 0),
      seed: number("data-seed", data.seed, 0),
      parts: number("data-parts", partsOf(name)?.[1] ?? 1, 1),
      points: told.get("data-points") ?? "",
      formula: isFormula(told.get("data-formula")) ? String(told.get("data-formula")) : data.formula,
      file: told.get("data-file") ?? "",
      target: told.get("data-target") ?? "",
      task: /** @type {""} */ (one("data-task", "", ["classes", "numbers"])),
      without: told.get("data-without") ?? "",
    },
    held: number("held", USUAL.held, 0),
    layers: known ? read.map((found) => ({ n: Number(found?.[1]), activation: String(found?.[2]) })) : told.get("layers") === "" ? [] : layers,
    loss: one("loss", USUAL.loss, Object.keys(facts.losses)),
    optimizer: one("optimizer", USUAL.optimizer, Object.keys(facts.optimizers)),
    learningRate: number("learningRate", USUAL.learningRate, 1e-12),
    batchSize: number("batchSize", USUAL.batchSize, 1),
    l2: number("l2", USUAL.l2, 0),
    l1: number("l1", USUAL.l1, 0),
    scheme: one("scheme", USUAL.scheme, [...Object.keys(SCHEMES), "given"]),
    weights: told.get("weights") ?? "",
    biases: told.get("biases") !== "false",
    weightSeed: number("weightSeed", USUAL.weightSeed, 0),
    seed: number("seed", USUAL.seed, 0),
  });
}

const usualAddress = () => keptRun?.address ?? (facts.own === null ? "" : ofTable(facts.own));
// What is tried now; change it by `change` alone.
/** @type {{ value: Setup }} */
export const setup = signal(fromAddress(location.hash.slice(1) || usualAddress()));
const past = signal(/** @type {Setup[]} */ ([]));
const future = signal(/** @type {Setup[]} */ ([]));
export const canUndo = computed(() => past.value.length > 0);
export const canRedo = computed(() => future.value.length > 0);

/** @param {Partial<Setup>} wish */
export function change(wish) {
  const next = sound({ ...setup.value, ...wish });
  if (toAddress(next) === toAddress(setup.value)) return;
  past.value = [...past.value.slice(-99), setup.value];
  future.value = [];
  setup.value = next;
}

export function undo() {
  const before = past.value[past.value.length - 1];
  if (!before) return;
  past.value = past.value.slice(0, -1);
  future.value = [...future.value, setup.value];
  setup.value = before;
}

export function redo() {
  const after = future.value[future.value.length - 1];
  if (!after) return;
  future.value = future.value.slice(0, -1);
  past.value = [...past.value, setup.value];
  setup.value = after;
}
