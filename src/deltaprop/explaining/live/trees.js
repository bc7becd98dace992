// Trees of numbers and arrays, as plain_trees.py writes them, and what they come to. A leaf of a
// scalar expression is an Operand, a Rest, or ["n", text].
import { FUNCTIONS, RELATIONS, power } from "./numbers.js";

/** An array with a name; dims are empty for a number alone.
 *  absent are the entries of a vector that there are not.
 *  @typedef {{dims: number[], data: Float64Array, absent?: number[]}} Quantity */
/** @typedef {{rows: number, cols: number, data: Float64Array}} Block */
/** A part of a named array, whose entries have ids. origin is the index of the first entry; alone is
 *  whether it is a number and no array, applied whether its numbers are a function's values, turned
 *  whether it is written with rows and columns exchanged.
 *  @typedef {Block & {id: string, origin: number[], alone?: boolean, applied?: boolean,
 *    turned?: boolean, absent?: number[]}} Matrix */
/** @typedef {{id: string, value: number, rounding?: number}} Operand */
/** @typedef {{count: number, value: number}} Rest */
/** @typedef {any} Tree */

/** The place of an entry among all of an array. @param {number[]} index @param {number[]} dims */
export function placeOf(index, dims) {
  return index.reduce((place, at, axis) => place * dims[axis] + at, 0);
}

/** @param {Tree} tree @returns {tree is Operand | Rest} */
export function isLeaf(tree) {
  return !Array.isArray(tree) && tree.value !== undefined;
}

/** @param {Tree} tree @returns {tree is Matrix} */
export function isMatrix(tree) {
  return !Array.isArray(tree) && tree.rows !== undefined;
}

/** The parts that a tree combines. @param {Tree} tree @returns {Tree[]} */
export function partsOf(tree) {
  if (!Array.isArray(tree) || tree[0] === "n") return [];
  return tree.slice(["+", "f", "r", "ap", "shown"].includes(tree[0]) ? 2 : 1);
}

/** The same operation on other parts. @param {Tree} tree @param {Tree[]} parts */
export function withParts(tree, parts) {
  return [...tree.slice(0, tree.length - partsOf(tree).length), ...parts];
}

/** @param {string} id @param {Quantity} array @param {number[]} [origin] @param {number} [rows]
 *  @param {number} [cols] @returns {Matrix} */
export function matrixOf(id, array, origin, rows, cols) {
  const { dims, data, absent } = array;
  if (origin?.length === 0) return { id, origin, rows: 1, cols: 1, data };
  if (origin === undefined || rows === undefined || cols === undefined) {
    if (!dims.length) return { id, origin: [], rows: 1, cols: 1, data, alone: true };
    if (dims.length === 1) return { id, origin: [0], rows: 1, cols: dims[0], data, absent };
    return { id, origin: [0, 0], rows: dims[0], cols: dims[1], data };
  }
  const width = dims[dims.length - 1];
  const found = new Float64Array(rows * cols);
  const [c = 0, r = 0, slice = 0] = [...origin].reverse();
  const first = dims.length === 3 ? slice * dims[1] + r : r;
  for (let i = 0; i < rows; i += 1) {
    const from = (first + i) * width + c;
    found.set(data.subarray(from, from + cols), i * cols);
  }
  return { id, origin, rows, cols, data: found };
}

/** A tree with its arrays put in. @param {Tree} tree @param {(id: string) => Quantity} arrayOf
 *  @param {(id: string) => string} [called] @returns {Tree} */
export function bound(tree, arrayOf, called = (id) => id) {
  if (typeof tree === "string") return matrixOf(called(tree), arrayOf(called(tree)));
  if (tree[0] === "m") {
    const [, id, origin, rows, cols] = tree;
    return matrixOf(called(id), arrayOf(called(id)), origin, rows, cols);
  }
  if (tree[0] === "turned") return { ...bound(tree[1], arrayOf, called), turned: true };
  return withParts(
    tree,
    partsOf(tree).map((part) => bound(part, arrayOf, called)),
  );
}

/** A formula with trees in place of its names; sums and products that begin with one are one.
 *  @param {Tree} formula @param {Record<string, Tree>} names @returns {Tree} */
export function filled(formula, names) {
  if (typeof formula === "string") return names[formula];
  if (!Array.isArray(formula) || formula[0] === "n") return formula;
  const parts = partsOf(formula);
  const [first, ...others] = parts.map((part) => filled(part, names));
  const opens = typeof parts[0] === "string" && Array.isArray(first) && others.length > 0;
  if (opens && formula[0] === "+" && formula[1][0] === "+" && first[0] === "+") {
    return ["+", first[1] + formula[1].slice(1), ...first.slice(2), ...others];
  }
  if (opens && formula[0] === "*" && first[0] === "*") return [...first, ...others];
  return withParts(formula, [first, ...others]);
}

// numbers

/** Thrown where arithmetic overflows, as Python's does: what is made of it is no number either. */
class Overflow extends Error {}

/** The functions as Python has them for numbers. @type {typeof FUNCTIONS} */
const OF_NUMBERS = { ...FUNCTIONS, log: (/** @type {number} */ x) => (x === 0 ? NaN : Math.log(x)) };

/** What an expression comes to; infinity or NaN where it overflows or is not defined. strict is as
 *  any other reader has it: no exp(800).
 *  @param {Tree} tree @param {(leaf: Tree) => number} [numberOf] @param {boolean} [strict]
 *  @returns {number} */
export function evaluate(tree, numberOf = leafValue, strict = false) {
  try {
    return workedOut(tree, numberOf, strict);
  } catch (error) {
    if (error instanceof Overflow) return Infinity;
    throw error;
  }
}

/** @param {Tree} tree @param {(leaf: Tree) => number} numberOf @param {boolean} strict
 *  @returns {number} */
function workedOut(tree, numberOf, strict) {
  if (isLeaf(tree) || tree[0] === "n") return numberOf(tree);
  const of = (/** @type {Tree} */ part) => workedOut(part, numberOf, strict);
  switch (tree[0]) {
    case "+": {
      let total = 0;
      for (let k = 2; k < tree.length; k += 1) {
        total += tree[1][k - 2] === "+" ? of(tree[k]) : -of(tree[k]);
      }
      return total;
    }
    case "*": {
      let product = 1;
      for (let k = 1; k < tree.length; k += 1) product *= of(tree[k]);
      return product;
    }
    case "/": {
      const [above, below] = [of(tree[1]), of(tree[2])];
      return below === 0 ? NaN : above / below;
    }
    case "^": {
      const [base, exponent] = [of(tree[1]), of(tree[2])];
      const raised = power(base, exponent);
      if (!Number.isFinite(raised) && Number.isFinite(base)) throw new Overflow();
      return raised;
    }
    case "f": {
      const all = tree.slice(2).map(of);
      const found = OF_NUMBERS[tree[1]](...all);
      if (strict && found === Infinity && Number.isFinite(all[0])) throw new Overflow();
      return found;
    }
    default:
      return RELATIONS[tree[0]](of(tree[1]), of(tree[2])) ? 1 : 0;
  }
}

/** A formula as a function of an array with the numbers of its names; what a gate shuts off is 0,
 *  also where it is beyond all numbers.
 *  @param {Tree} formula @param {readonly string[]} names @returns {(values: ArrayLike<number>) => number} */
export function compiled(formula, names) {
  if (typeof formula === "string") {
    const place = names.indexOf(formula);
    return (values) => values[place];
  }
  if (formula[0] === "n") {
    const constant = Number(formula[1]);
    return () => constant;
  }
  const parts = partsOf(formula).map((part) => compiled(part, names));
  const [first, second] = parts;
  switch (formula[0]) {
    case "+": {
      const signs = Array.from(formula[1], (sign) => (sign === "+" ? 1 : -1));
      return (values) => parts.reduce((sum, part, k) => sum + signs[k] * part(values), 0);
    }
    case "*": {
      const gates = partsOf(formula).map((part) => Array.isArray(part) && part[0] in RELATIONS);
      return (values) => {
        let product = 1;
        for (let k = 0; k < parts.length; k += 1) {
          const factor = parts[k](values);
          if (factor === 0 && gates[k]) return 0;
          product *= factor;
        }
        return product;
      };
    }
    case "/":
      return (values) => first(values) / second(values);
    case "^":
      return (values) => power(first(values), second(values));
    case "f": {
      const f = FUNCTIONS[formula[1]];
      return parts.length === 1
        ? (values) => f(first(values))
        : (values) => f(...parts.map((part) => part(values)));
    }
    default: {
      const holds = RELATIONS[formula[0]];
      return (values) => (holds(first(values), second(values)) ? 1 : 0);
    }
  }
}

/** @param {Tree} leaf @returns {number} */
export function leafValue(leaf) {
  return Array.isArray(leaf) ? Number(leaf[1]) : leaf.value;
}

// arrays

/** Works out whole trees of arrays; apply computes a named function of numbers.
 *  @typedef {(name: string, ...values: number[]) => number} Apply */

/** @param {Tree} tree @param {Apply} apply @param {(matrix: Matrix) => Block} [of]
 *  @param {(leaf: Tree) => number} [numberOf] @returns {Block} */
export function values(tree, apply, of = (matrix) => matrix, numberOf = leafValue) {
  if (isMatrix(tree)) return of(tree);
  if (isLeaf(tree) || tree[0] === "n") {
    return { rows: 1, cols: 1, data: Float64Array.of(numberOf(tree)) };
  }
  const parts = partsOf(tree).map((part) => values(part, apply, of, numberOf));
  switch (tree[0]) {
    case "@":
      return multiplied(parts[0], parts[1]);
    case "T":
      return transposed(parts[0]);
    case "r":
      return reduced(tree[1], parts[0]);
    case "+":
      return entrywise(parts, (all) => all.reduce((sum, v, k) => sum + (tree[1][k] === "+" ? v : -v), 0));
    case "*":
      return entrywise(parts, timesGated(tree));
    case "/":
      return entrywise(parts, ([above, below]) => above / below);
    case "^":
      return entrywise(parts, ([base, exponent]) => power(base, exponent));
    case "f":
      return entrywise(parts, (all) => FUNCTIONS[tree[1]](...all));
    case "ap":
      if (tree[1] === "softmax") return softmax(parts[0]);
      return entrywise(parts, (all) => apply(tree[1], ...all));
    default:
      return entrywise(parts, ([a, b]) => (RELATIONS[tree[0]](a, b) ? 1 : 0));
  }
}

/** How the factors of a product are multiplied. @param {Tree} tree
 *  @returns {(all: number[]) => number} */
function timesGated(tree) {
  const gates = partsOf(tree).map((part) => Array.isArray(part) && part[0] in RELATIONS);
  if (!gates.some(Boolean)) return (all) => all.reduce((product, v) => product * v, 1);
  return (all) => (all.some((v, k) => v === 0 && gates[k]) ? 0 : all.reduce((product, v) => product * v, 1));
}

/** exp(z) over the sum of its row, the largest of the row taken off first.
 *  @param {Block} block @returns {Block} */
export function softmax({ rows, cols, data }) {
  const p = new Float64Array(data.length);
  for (let i = 0; i < rows; i += 1) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    const top = Math.max(...row);
    const powers = row.map((z) => Math.exp(z - top));
    const total = powers.reduce((sum, v) => sum + v, 0);
    p.set(
      powers.map((v) => v / total),
      i * cols,
    );
  }
  return { rows, cols, data: p };
}

/** @param {Block[]} parts @param {(all: number[]) => number} compute @returns {Block} */
function entrywise(parts, compute) {
  const rows = Math.max(...parts.map((part) => part.rows));
  const cols = Math.max(...parts.map((part) => part.cols));
  const data = new Float64Array(rows * cols);
  const down = parts.map((part) => (part.rows > 1 ? part.cols : 0));
  const along = parts.map((part) => (part.cols > 1 ? 1 : 0));
  const all = parts.map(() => 0);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < cols; j += 1) {
      for (let k = 0; k < all.length; k += 1) all[k] = parts[k].data[i * down[k] + j * along[k]];
      data[i * cols + j] = compute(all);
    }
  }
  return { rows, cols, data };
}

/** @param {Block} left @param {Block} right @returns {Block} */
function multiplied(left, right) {
  const data = new Float64Array(left.rows * right.cols);
  for (let i = 0; i < left.rows; i += 1) {
    for (let k = 0; k < left.cols; k += 1) {
      const factor = left.data[i * left.cols + k];
      for (let j = 0; j < right.cols; j += 1) {
        data[i * right.cols + j] += factor * right.data[k * right.cols + j];
      }
    }
  }
  return { rows: left.rows, cols: right.cols, data };
}

/** @param {Block} block @returns {Block} */
function transposed({ rows, cols, data }) {
  const found = new Float64Array(data.length);
  for (let i = 0; i < rows; i += 1) for (let j = 0; j < cols; j += 1) found[j * rows + i] = data[i * cols + j];
  return { rows: cols, cols: rows, data: found };
}

/** @param {string} name @param {Block} block @returns {Block} */
function reduced(name, { rows, cols, data }) {
  if (name === "norm") {
    return { rows: 1, cols: 1, data: Float64Array.of(Math.sqrt(data.reduce((sum, v) => sum + v * v, 0))) };
  }
  const down = name === "sum";
  const found = new Float64Array(down ? cols : rows);
  for (let i = 0; i < rows; i += 1) for (let j = 0; j < cols; j += 1) found[down ? j : i] += data[i * cols + j];
  if (name === "mean") for (let i = 0; i < rows; i += 1) found[i] /= cols;
  return down ? { rows: 1, cols, data: found } : { rows, cols: 1, data: found };
}
