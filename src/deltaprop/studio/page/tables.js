// A table in the page: its target chosen, its columns made numbers: see tables.py.

import { encode, fitted } from "./encoding.js";
import { Refused } from "./errors.js";
import { principalAxes } from "./axes.js";
import { mixedOrder } from "./random.js";

/** @typedef {import("./cells.js").Table} Table */
/** @typedef {import("./encoding.js").Column} Column */
/** @typedef {import("./encoding.js").Rules} Rules */
/** @typedef {import("./encoding.js").Said} Said */
/** @typedef {import("./answers.js").Choice} Choice */
/** @typedef {{ task: "classes" | "numbers", why: Said, names: string[], unit: [number, number] | null,
 *   answers: Int32Array | Float64Array }} Target  answers: of every row that has one; see `known` */
/** @typedef {{ x: Float64Array, answers: Int32Array | Float64Array, n: number }} Part */

/** @param {Table} table @param {Choice} choice @param {Rules} rules
 *  @returns {{ told: import("./answers.js").Told, training: Part, held: Part | null, sample: import("./frames.js").Arrays }} */
export function chosen(table, choice, rules) {
  const { column, known, target } = splitOff(table, choice, rules);
  const features = table.columns.filter((each) => each !== column);
  const used = features.filter((each) => !choice.without.includes(each.name));
  if (used.length === 0) throw new Refused("no column left");
  /** @type {Said[]} */
  const notes = [...table.notes];
  const missing = (column.numbers ?? column.codes ?? []).length - known.length;
  if (missing) notes.push(["note target missing", { missing }]);
  const mixed = mixedOrder(known.length, choice.seed);
  const picture = pictureOf(used, rules);
  const nHeldAtFirst = Math.floor(mixed.length * choice.held);
  const rowsOf = (/** @type {Uint32Array} */ order) => order.map((i) => known[i]);
  const own = rowsOf(mixed.subarray(nHeldAtFirst));
  const fits = used.map((each) => fitted(each, own, rules));
  const inputs = /** @type {[string, boolean][]} */ (
    picture
      ? Array.from({ length: used.length }, (_, k) => [`pixel[${Math.floor(k / picture[1])},${k % picture[1]}]`, true])
      : fits.flatMap(({ names, kind, outputs }) => names.map((name, k) => [name, kind === "numeric" && outputs[k].part === "value"]))
  );
  if (inputs.length === 0) throw new Refused("no column says anything");
  if (inputs.length > rules.mostInputs) throw new Refused("too many inputs", { n: inputs.length, most: rules.mostInputs });
  const most = Math.min(rules.mostRows, Math.max(1000, Math.floor(rules.mostNumbers / inputs.length)));
  const order = mixed.subarray(0, most);
  if (order.length < mixed.length) notes.push(["note sampled", { rows: mixed.length, taken: order.length }]);
  const nHeld = Math.floor(order.length * choice.held);
  const largest = picture ? largestOf(used, own) : 1;
  const part = (/** @type {Uint32Array} */ those) => {
    const rows = rowsOf(those);
    const x = new Float64Array(rows.length * inputs.length);
    let from = 0;
    used.forEach((each, k) => {
      if (picture) rows.forEach((row, i) => (x[i * inputs.length + k] = /** @type {Float64Array} */ (each.numbers)[row] / largest));
      else encode(each, fits[k], rows, x, from, inputs.length);
      from += fits[k].outputs.length;
    });
    const answers = Float64Array.from(those, (i) => target.answers[i]);
    return { x, answers: target.task === "classes" ? Int32Array.from(answers) : answers, n: rows.length };
  };
  const [held, training] = [nHeld ? part(order.subarray(0, nHeld)) : null, part(order.subarray(nHeld))];
  const pixels = picture && { name: `${picture[0]} x ${picture[1]}`, kind: "image", done: /** @type {Said[]} */ ([["became picture", { largest }]]), missing: 0 };
  const columns = features.flatMap((each) => {
    const k = used.indexOf(each);
    if (picture) return k === 0 ? [/** @type {NonNullable<typeof pixels>} */ (pixels)] : k > 0 ? [] : [{ name: each.name, kind: "", done: [], missing: 0 }];
    return [k < 0 ? { name: each.name, kind: "", done: [], missing: 0 } : { name: each.name, kind: fits[k].kind, done: fits[k].done, missing: fits[k].missing }];
  });
  const told = {
    name: table.name, rows: known.length, taken: order.length, target: column.name, task: target.task, why: target.why,
    columns: columns.slice(0, rules.mostTold), moreColumns: Math.max(0, columns.length - rules.mostTold),
    targets: table.columns.slice(-1000).map(({ name }) => name), inputs, classes: target.names, picture, notes, unit: target.unit,
  }; // prettier-ignore
  return { told, training, held, sample: sampleOf(training, held, inputs.length, rules) };
}

/** The target: the one that was named, or of those that may be meant the first that can be learnt.
 *  @param {Table} table @param {Choice} choice @param {Rules} rules */
function splitOff({ columns, name, target }, choice, rules) {
  const wanted = choice.target || target;
  const likely = [...columns.filter((each) => rules.targetNames.includes(each.name.toLowerCase())), ...columns.slice(-5).reverse()];
  const tried = wanted ? columns.filter((each) => each.name === wanted) : likely;
  if (tried.length === 0) throw new Refused("no such target", { target: wanted, name });
  for (const [place, column] of tried.entries()) {
    try {
      return { column, ...targetOf(column, choice.task, rules) };
    } catch (error) {
      if (place + 1 === tried.length) throw error;
    }
  }
  throw new Refused("no such target", { target: wanted, name });
}

/** @param {Column} column @param {string} asked "classes", "numbers" or "" @param {Rules} rules
 *  @returns {{ known: Uint32Array, target: Target }} */
export function targetOf({ name, numbers, words, codes, left, asItIs }, asked, rules) {
  if (left !== undefined) throw new Refused("target cannot be", { target: name });
  const n = (numbers ?? codes ?? []).length;
  const known = Uint32Array.from({ length: n }, (_, i) => i).filter((i) => (numbers ? !Number.isNaN(numbers[i]) : (codes?.[i] ?? -1) >= 0));
  if (known.length === 0) throw new Refused("target empty", { target: name });
  if (!numbers) {
    if (asked === "numbers") throw new Refused("target of words", { target: name });
    const there = [...new Set(Array.from(known, (i) => /** @type {Int32Array} */ (codes)[i]))].sort((a, b) => a - b);
    if (asked === "" && there.length > rules.fewWords && there.length > known.length / 2) throw new Refused("target of names", { target: name, n: there.length });
    const names = there.map((k) => /** @type {string[]} */ (words)[k]);
    const place = new Map(there.map((k, j) => [k, j]));
    const answers = Int32Array.from(known, (i) => Number(place.get(/** @type {Int32Array} */ (codes)[i])));
    return { known, target: classesOf(name, names, answers, ["the target holds words", {}], rules) };
  }
  const values = Float64Array.from(known, (i) => numbers[i]);
  const different = Float64Array.from(new Set(values)).sort();
  const [task, why] = guessed(values, different, rules);
  if ((asked || task) === "classes") {
    const place = new Map(Array.from(different, (value, k) => [value, k]));
    const answers = Int32Array.from(values, (value) => Number(place.get(value)));
    return { known, target: classesOf(name, Array.from(different, String), answers, why, rules) };
  }
  if (different.length < 2) throw new Refused("target constant", { target: name });
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (asItIs) return { known, target: { task: "numbers", why, names: [], unit: [0, 1], answers: values } };
  const mean = (values.reduce((sum, v) => sum + v / largest, 0) / values.length) * largest;
  const spread = values.reduce((sum, v) => sum + ((v - mean) / largest) ** 2, 0) / values.length;
  const std = Math.max(Math.sqrt(spread) * largest, Number.MIN_VALUE);
  const answers = values.map((v) => (v / 2 - mean / 2) / (std / 2));
  return { known, target: { task: "numbers", why, names: [], unit: [mean, std], answers } };
}

/** @param {string} target @param {string[]} names @param {Int32Array} answers @param {Said} why @param {Rules} rules @returns {Target} */
function classesOf(target, names, answers, why, rules) {
  if (names.length < 2) throw new Refused("target constant", { target });
  if (names.length > rules.mostClasses) throw new Refused("too many classes", { target, n: names.length, most: rules.mostClasses });
  return { task: "classes", why, names, unit: null, answers };
}

/** What numbers ask for, as guess_task has it. @param {Float64Array} values @param {Float64Array} different @param {Rules} rules
 *  @returns {["classes" | "numbers", Said]} */
function guessed(values, different, rules) {
  if (values.some((v) => v !== Math.floor(v))) return ["numbers", ["the target holds fractions", {}]];
  const [d, n] = [different.length, values.length];
  const said = (/** @type {string} */ key) => /** @type {Said} */ ([key, { d, n }]);
  const [low, high] = [different[0], different[d - 1]];
  if (d <= 2) return ["classes", said("the target holds few numbers")];
  if (d > 4 && low >= 1800 && high <= 2100) return ["numbers", said("the target holds years")];
  if (d <= rules.fewLabels) return n >= 2 * d ? ["classes", said("the target holds few numbers")] : ["numbers", said("the target holds many numbers")];
  const counts = new Map();
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
  const all = [...counts.values()];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const isEven = least >= rules.rowsPerLabel && most <= 10 * least;
  const isGapless = high - low === d - 1 && (low === 0 || low === 1);
  if (d <= rules.mostLabels && isGapless && isEven) return ["classes", said("the target holds few numbers")];
  return ["numbers", said("the target holds many numbers")];
}

/** Height and width where the columns are pixels: numbered, whole, a square of them. @param {Column[]} columns @param {Rules} rules
 *  @returns {[number, number] | null} */
function pictureOf(columns, { smallestPicture }) {
  const side = Math.round(Math.sqrt(columns.length));
  if (side * side !== columns.length || columns.length < smallestPicture) return null;
  const found = columns.map(({ name }) => /^(.*?)(\d+)$/.exec(name));
  const start = Number(found[0]?.[2]);
  const isCounted = found.every((one, k) => one && one[1] === found[0]?.[1] && Number(one[2]) === start + k);
  return isCounted && columns.every(({ numbers }) => numbers?.every(Number.isInteger)) ? [side, side] : null;
}

/** @param {Column[]} columns @param {Uint32Array} rows */
function largestOf(columns, rows) {
  let largest = 1;
  for (const { numbers } of columns) for (const row of rows) largest = Math.max(largest, Math.abs(/** @type {Float64Array} */ (numbers)[row]));
  return largest;
}

/** What the page is shown. @param {Part} training @param {Part | null} held @param {number} width @param {Rules} rules */
function sampleOf(training, held, width, rules) {
  const n = Math.min(rules.sample, Math.max(50, Math.floor(rules.numbersOfSample / width)), training.n);
  const x = training.x.slice(0, n * width);
  const { mean, axes } = principalAxes(x, width, rules.numbersOfAxes);
  /** @type {import("./frames.js").Arrays} */
  const found = { x, answers: training.answers.slice(0, n), mean, axes };
  const nHeld = Math.floor(Math.min(rules.sample, Math.max(50, Math.floor(rules.numbersOfSample / width))) / 2);
  if (held) Object.assign(found, { heldX: held.x.slice(0, nHeld * width), heldAnswers: held.answers.slice(0, nHeld) });
  return found;
}
