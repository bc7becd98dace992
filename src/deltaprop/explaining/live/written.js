// The numbers and lines of a step as conventions write them: what each kind of number is a multiple of
// comes with the data. The rules are those of derivation/written.py.
import { ONE, inverse, multiplied, rescaled, same } from "./constants.js";
import { readRef } from "./origins.js";
import { isLeaf, partsOf, withParts } from "./trees.js";

/** @typedef {any} Tree */
/** @typedef {import("./constants.js").Fraction} Fraction */
/** What a tree is multiplied by when its numbers are put in as they are written: a fraction, and how
 *  often one over the logarithm of the base. @typedef {[Fraction, number]} Gain */

const OF_LOSS = ["loss", "l2_penalty", "l1_penalty", "objective"];
/** @type {Gain} */
const PLAIN = [ONE, 0];

export class Written {
  /** @param {any} program */
  constructor(program) {
    /** @type {Record<string, Fraction>} */
    this.factors = program.written.factors;
    /** Of the logarithm in the loss; 0 for e. @type {number} */
    this.base = program.written.base;
    this.isPlain = !this.base && !Object.keys(this.factors).length;
    this.arrays = new Set(program.parameters.map((/** @type {any} */ [id]) => readRef(id).quantity));
  }

  /** @param {string} quantity @returns {Fraction} */
  factor(quantity) {
    const array = /^(?:data_)?d(\w+)$/.exec(quantity)?.[1] || "";
    const kind = this.arrays.has(array) ? (array === "b" ? "db" : "dW") : quantity;
    return this.factors[kind] || ONE;
  }

  /** @param {string} quantity */
  isOfLoss(quantity) {
    return this.base > 0 && OF_LOSS.includes(quantity);
  }

  /** What a quantity is written as, as a multiple of the house's. @param {string} quantity */
  multiple(quantity) {
    if (this.isOfLoss(quantity)) return 1 / Math.log(this.base);
    const [above, below] = this.factor(quantity);
    return above / below;
  }

  /** An array of a step as it is written. @param {import("./step.js").Step} step @param {string} id */
  array(step, id) {
    const { quantity, layer } = readRef(id);
    const ofLoss = layer > step.last && quantity === "z"; // where the loss is a layer
    const multiple = this.multiple(ofLoss ? "loss" : quantity);
    const array = step.array(id);
    return multiple === 1 ? array : { ...array, data: array.data.map((value) => value * multiple) };
  }

  /** A number and what it is made of, as they are written.
   *  @param {string} id @param {Tree} tree @param {number} value @returns {{tree: Tree, value: number}} */
  line(id, tree, value) {
    if (this.isPlain) return { tree, value };
    const { quantity } = readRef(id);
    const own = value * this.multiple(quantity);
    const hasFormula = !(isLeaf(tree) && "id" in tree && tree.id === id);
    return { tree: hasFormula ? this.tree(tree, quantity) : { id, value: own }, value: own };
  }

  /** What a quantity is made of. @param {Tree} tree @param {string} quantity @returns {Tree} */
  tree(tree, quantity) {
    const gain = this.gain(tree);
    if (!gain && Array.isArray(tree) && tree[0] === "+") {
      const pairs = tree.slice(2).map((term, k) => signed(this.tree(term, quantity), tree[1][k]));
      return ["+", pairs.map(([, sign]) => sign).join(""), ...pairs.map(([term]) => term)];
    }
    const own = this.factor(quantity);
    const written = gain
      ? rescaled(this.putIn(tree, gain), multiplied(own, inverse(gain[0])))
      : rescaled(simple(mapped(tree, (leaf) => this.undone(leaf))), own);
    if (!this.isOfLoss(quantity) || gain?.[1]) return written;
    const [term, sign] = signed(written, "+");
    const divided = ["/", term, ["f", "log", ["n", String(this.base)]]];
    return sign === "+" ? divided : ["+", "-", divided];
  }

  /** A tree with the numbers that are written. @param {Tree} tree @param {Gain} gain @returns {Tree} */
  putIn(tree, [[above, below], logarithms]) {
    const factor = (above / below) * (logarithms ? 1 / Math.log(this.base) : 1);
    return mapped(tree, (leaf) =>
      leaf.count === undefined ? this.scaled(leaf) : { ...leaf, value: leaf.value * factor },
    );
  }

  /** @param {Tree} leaf @returns {Tree} */
  scaled(leaf) {
    const multiple = this.multiple(readRef(leaf.id).quantity);
    if (multiple === 1) return leaf;
    return { ...leaf, value: leaf.value * multiple, rounding: (leaf.rounding || 0) * Math.abs(multiple) };
  }

  /** What stands for a number of the house: what is written, without its factor.
   *  @param {Tree} leaf @returns {Tree} */
  undone(leaf) {
    if (leaf.count !== undefined) return leaf;
    return rescaled(this.scaled(leaf), inverse(this.factor(readRef(leaf.id).quantity)));
  }

  /** What a tree is multiplied by; null where its terms are by different things.
   *  @param {Tree} tree @returns {Gain | null} */
  gain(tree) {
    if (isLeaf(tree)) {
      if (!("id" in tree)) return PLAIN;
      const { quantity } = readRef(tree.id);
      return [this.factor(quantity), Number(this.isOfLoss(quantity))];
    }
    const parts = partsOf(tree).filter((part) => part.count === undefined);
    const gains = parts.map((part) => this.gain(part));
    const [first, second] = gains;
    switch (tree[0]) {
      case "+":
        return gains.every((gain) => alike(gain, first)) ? first || null : null;
      case "*":
        return product(gains);
      case "^":
        if (/^\d+$/.test(tree[2][1])) return product(Array(Number(tree[2][1])).fill(first));
        break;
      case "/":
        if (alike(second, PLAIN)) return first;
        break;
      default:
    }
    return gains.every((gain) => alike(gain, PLAIN)) ? PLAIN : null;
  }
}

/** @param {Gain | null} one @param {Gain | null} other */
function alike(one, other) {
  return one && other ? same(one[0], other[0]) && one[1] === other[1] : one === other;
}

/** @param {(Gain | null)[]} gains @returns {Gain | null} */
function product(gains) {
  return gains.reduce(
    (all, gain) => (all && gain ? [multiplied(all[0], gain[0]), all[1] + gain[1]] : null),
    /** @type {Gain | null} */ (PLAIN),
  );
}

/** A tree with something else in the place of each number of the step.
 *  @param {Tree} tree @param {(leaf: Tree) => Tree} of @returns {Tree} */
function mapped(tree, of) {
  if (isLeaf(tree)) return of(tree);
  if (tree[0] === "n") return tree;
  return withParts(
    tree,
    partsOf(tree).map((part) => mapped(part, of)),
  );
}

/** A tree without a minus within a sum or a product: w + a b of w - a (-b).
 *  @param {Tree} tree @returns {Tree} */
function simple(tree) {
  if (!Array.isArray(tree)) return tree;
  switch (tree[0]) {
    case "+": {
      const pairs = tree.slice(2).map((term, k) => signed(simple(term), tree[1][k]));
      return ["+", pairs.map(([, sign]) => sign).join(""), ...pairs.map(([term]) => term)];
    }
    case "*": {
      const pairs = tree.slice(1).map((factor) => signed(simple(factor), "+"));
      const whole = ["*", ...pairs.map(([factor]) => factor)];
      return pairs.filter(([, sign]) => sign === "-").length % 2 ? ["+", "-", whole] : whole;
    }
    case "/":
    case "f":
      return withParts(tree, partsOf(tree).map(simple));
    default:
      return tree;
  }
}

/** A term and its sign, where it is a sum of one. @param {Tree} term @param {string} sign
 *  @returns {[Tree, string]} */
function signed(term, sign) {
  if (!Array.isArray(term) || term[0] !== "+" || term.length !== 3) return [term, sign];
  return [term[2], term[1] === sign ? "+" : "-"];
}
