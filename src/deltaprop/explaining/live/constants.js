// Constants written into expressions: 2 (x / 2) is x, and minus (z - t) is t - z. The rules are those
// of functional/constants.py.
import { times } from "./elements.js";

/** @typedef {any} Tree */
/** A fraction, both parts whole; below is positive. @typedef {[number, number]} Fraction */

/** @type {Fraction} */
export const ONE = [1, 1];

/** @param {Fraction} one @param {Fraction} other @returns {Fraction} */
export function multiplied([above, below], [a, b]) {
  const common = divisor(Math.abs(above * a), below * b);
  return [(above * a) / common, (below * b) / common];
}

/** 1 over a fraction. @param {Fraction} fraction @returns {Fraction} */
export function inverse([above, below]) {
  return above < 0 ? [-below, -above] : [below, above];
}

/** @param {number} a @param {number} b @returns {number} */
function divisor(a, b) {
  return b ? divisor(b, a % b) : a || 1;
}

/** @param {Fraction} one @param {Fraction} other */
export const same = (one, other) => one[0] === other[0] && one[1] === other[1];

/** An expression times a constant, which is written into it.
 *  @param {Tree} tree @param {Fraction} factor @returns {Tree} */
export function rescaled(tree, factor) {
  if (same(factor, ONE)) return tree;
  if (factor[0] < 0) return negative(rescaled(tree, [-factor[0], factor[1]]));
  if (tree.count !== undefined) return { ...tree, value: tree.value * (factor[0] / factor[1]) };
  if (isWhole(tree)) return constant(multiplied(factor, [Number(tree[1]), 1]));
  if (Array.isArray(tree)) {
    if (tree[0] === "/" && isWhole(tree[2])) {
      return withConstant(multiplied(factor, [1, Number(tree[2][1])]), tree[1]);
    }
    const own = tree[0] === "*" ? valueOf(tree[1]) : null;
    if (own) {
      const others = tree.slice(2);
      return withConstant(multiplied(factor, own), others.length > 1 ? times(...others) : others[0]);
    }
    if (tree[0] === "+" && (tree.length === 3 || tree.slice(2).some(absorbs))) {
      return ["+", tree[1], ...tree.slice(2).map((/** @type {Tree} */ term) => rescaled(term, factor))];
    }
  }
  return withConstant(factor, tree);
}

/** Whether a constant can be written into one that stands there already.
 *  @param {Tree} term @returns {boolean} */
function absorbs(term) {
  if (!Array.isArray(term)) return term.count !== undefined;
  if (term[0] === "/" && isConstant(term[2])) return isWhole(term[2]);
  if (term[0] === "*") return valueOf(term[1]) !== null;
  return term[0] === "+" && term.slice(2).some(absorbs);
}

/** @param {Tree} tree */
const isConstant = (tree) => Array.isArray(tree) && tree[0] === "n";

/** @param {Tree} tree */
const isWhole = (tree) => isConstant(tree) && /^\d+$/.test(tree[1]);

/** What a constant such as 2 or 1 / 3 is. @param {Tree} tree @returns {Fraction | null} */
function valueOf(tree) {
  if (isWhole(tree)) return [Number(tree[1]), 1];
  const whole = Array.isArray(tree) && tree[0] === "/" && isWhole(tree[1]) && isWhole(tree[2]);
  return whole ? multiplied([Number(tree[1][1]), 1], [1, Number(tree[2][1])]) : null;
}

/** @param {Fraction} value @returns {Tree} */
function constant([above, below]) {
  return below === 1 ? ["n", String(above)] : ["/", ["n", String(above)], ["n", String(below)]];
}

/** @param {Fraction} factor @param {Tree} tree @returns {Tree} */
function withConstant(factor, tree) {
  if (same(factor, ONE)) return tree;
  return factor[0] === 1 ? ["/", tree, ["n", String(factor[1])]] : times(constant(factor), tree);
}

/** Minus an expression: t - z of z - t. @param {Tree} tree @returns {Tree} */
function negative(tree) {
  if (Array.isArray(tree) && tree[0] === "+") {
    const pairs = tree.slice(2).map((term, k) => ({ term, plus: tree[1][k] === "-" }));
    const ordered = [...pairs.filter(({ plus }) => plus), ...pairs.filter(({ plus }) => !plus)];
    if (ordered.length === 1 && ordered[0].plus) return ordered[0].term;
    return ["+", ordered.map(({ plus }) => (plus ? "+" : "-")).join(""), ...ordered.map(({ term }) => term)];
  }
  if (Array.isArray(tree) && tree[0] === "*") {
    const place = tree.findIndex((factor) => isSum(factor) && factor[1].includes("-"));
    if (place > 0) return times(...tree.slice(1, place), negative(tree[place]), ...tree.slice(place + 1));
  }
  if (Array.isArray(tree) && tree[0] === "/" && isSum(tree[1])) return ["/", negative(tree[1]), tree[2]];
  return ["+", "-", tree];
}

/** @param {Tree} tree */
const isSum = (tree) => Array.isArray(tree) && tree[0] === "+";
