// One line: which form of a formula float64 can work out, and how many digits make it hold.
// The rules are those of forms.py, rounding.py, sums.py and digits.py.
import { FUNCTIONS, RELATIONS, exponentOf, numberText, power } from "./numbers.js";
import { product } from "./elements.js";
import { evaluate, isLeaf, leafValue } from "./trees.js";

/** @typedef {any} Tree */
/** A number as it is displayed, and the formula that it comes from.
 *  @typedef {{id: string, tree: Tree, value: number, shown: string, exact: boolean,
 *    digits: number, hasFormula: boolean}} Line */

export const ALL_DIGITS = 17;
export const MOST_TERMS = 8;
const SAFE = 4;
const CLOSE = 1e-9;
const UNIT = 2 ** -52;
const TINY = 5e-324;
const SLOPE = 8;

// forms

/** The first of several forms that comes to a number; where none does, the nearest.
 *  @param {Tree[]} forms @param {number} value @returns {Tree} */
export function fitting(forms, value) {
  let [best, least] = [forms[0], Infinity];
  for (const form of [...forms, ...forms.map(open)]) {
    const missed = Math.abs(evaluate(form, leafValue, true) - value);
    if (missed <= CLOSE * Math.abs(value)) return form;
    if (missed < least) [best, least] = [form, missed];
  }
  return best;
}

/** A tree without the terms of its sums that a gate makes 0. @param {Tree} tree @returns {Tree} */
function open(tree) {
  if (!Array.isArray(tree)) return tree;
  if (tree[0] === "*") return ["*", ...tree.slice(1).map(open)];
  if (tree[0] !== "+") return tree;
  let signs = "";
  /** @type {Tree[]} */
  const kept = [];
  tree.slice(2).forEach((term, k) => {
    if (isShut(term)) return;
    signs += tree[1][k];
    kept.push(open(term));
  });
  if (!kept.length) return tree;
  return signs === "+" ? kept[0] : ["+", signs, ...kept];
}

/** @param {Tree} term @returns {boolean} */
function isShut(term) {
  if (!Array.isArray(term)) return false;
  if (term[0] === "/") return isShut(term[1]);
  return (
    term[0] === "*" &&
    term.slice(1).some((factor) => Array.isArray(factor) && factor[0] in RELATIONS && evaluate(factor) === 0)
  );
}

/** What several forms of one number come to where no stable one is known: of those that agree with
 *  the first within its rounding, the one that is rounded least.
 *  @param {Tree[]} forms @returns {number} */
export function settled(forms) {
  let [value, error] = [NaN, Infinity];
  for (const form of [...forms, ...forms.map(open)]) {
    const found = evaluate(form);
    const own = roundingBound(form);
    if (Number.isNaN(value) || (own < error && Math.abs(found - value) <= error + own)) {
      if (!Number.isNaN(found)) [value, error] = [found, own];
    }
  }
  return value;
}

// rounding

/** How far from the exact value float64 may be; infinity where it overflows. @param {Tree} tree */
export function roundingBound(tree) {
  const [value, error] = bounded(tree);
  return Number.isFinite(value) && Number.isFinite(error) ? error : Infinity;
}

/** @param {Tree} tree @returns {[number, number]} */
function bounded(tree) {
  if (!Array.isArray(tree)) {
    return [tree.value, (tree.rounding || 0) + UNIT * Math.abs(tree.value)];
  }
  switch (tree[0]) {
    case "n":
      return [leafValue(tree), 0];
    case "+": {
      const parts = tree.slice(2).map(bounded);
      const sizes = parts.map(([value]) => Math.abs(value));
      const total = parts.reduce((sum, [v], k) => sum + (tree[1][k] === "+" ? v : -v), 0);
      const error = parts.reduce((sum, [, e]) => sum + e, 0);
      const all = sizes.reduce((sum, size) => sum + size, 0);
      const left = tree.slice(2).reduce((sum, term) => sum + ofRest(term, tree.slice(2), sizes), 0);
      return [total, error + parts.length * UNIT * all + left];
    }
    case "*": {
      let [value, error] = [1, 0];
      for (const factor of tree.slice(1)) {
        const [other, its] = bounded(factor);
        error = Math.abs(value) * its + Math.abs(other) * error + Math.abs(value * other) * UNIT + TINY;
        value *= other;
      }
      return [value, error];
    }
    case "/": {
      const [[top, its], [bottom, other]] = [bounded(tree[1]), bounded(tree[2])];
      if (bottom === 0) return [Infinity, Infinity];
      const value = top / bottom;
      const error = (its + Math.abs(value) * other) / Math.abs(bottom);
      return [value, error + Math.abs(value) * UNIT + TINY];
    }
    case "^": {
      const [[value, error], [exponent]] = [bounded(tree[1]), bounded(tree[2])];
      return around((x) => power(x, exponent), value, error);
    }
    case "f": {
      if (tree.length === 3) return around(FUNCTIONS[tree[1]], ...bounded(tree[2]));
      return [evaluate(tree), Math.max(...tree.slice(2).map((part) => bounded(part)[1]))];
    }
    default: {
      const [[first, its], [second, other]] = [bounded(tree[1]), bounded(tree[2])];
      const unsure = its + other > 0 && Math.abs(first - second) <= its + other;
      return [evaluate(tree), unsure ? 1 : 0];
    }
  }
}

/** @param {Tree} term @param {Tree[]} terms @param {number[]} sizes */
function ofRest(term, terms, sizes) {
  if (term.count === undefined) return 0;
  const shown = sizes.filter((_, k) => terms[k].count === undefined);
  const least = shown.length ? Math.min(...shown) : Math.abs(term.value);
  return UNIT * term.count ** 2 * least;
}

/** @param {(x: number) => number} f @param {number} value @param {number} error
 *  @returns {[number, number]} */
function around(f, value, error) {
  const found = f(value);
  const near = [f(value - SLOPE * error), f(value + SLOPE * error)];
  if (![found, ...near].every(Number.isFinite)) return [Infinity, Infinity];
  const moved = Math.max(...near.map((other) => Math.abs(other - found)));
  return [found, moved + UNIT * Math.abs(found) + TINY];
}

// sums

/** The sum of terms, the smallest gathered where there are many.
 *  @param {Tree[]} terms @param {number} [more] @param {number} [rest] @returns {Tree} */
export function shortened(terms, more = 0, rest = 0) {
  if (terms.length + more === 1) return terms[0];
  let shown = terms;
  let left = null;
  if (terms.length + more > MOST_TERMS) {
    const sizes = terms.map((term) => evaluate(term));
    const order = terms.map((_, k) => k).sort((a, b) => Math.abs(sizes[b]) - Math.abs(sizes[a]));
    shown = order
      .slice(0, MOST_TERMS - 1)
      .sort((a, b) => a - b)
      .map((k) => terms[k]);
    const others = order.slice(MOST_TERMS - 1);
    const value = others.reduce((sum, k) => sum + sizes[k], 0) + rest;
    left = { count: others.length + more, value };
  }
  let signs = "";
  const parts = shown.map((term) => {
    const alone = Array.isArray(term) && term[0] === "+" && term.length === 3;
    signs += alone ? term[1] : "+";
    return alone ? term[2] : term;
  });
  return left ? ["+", `${signs}+`, ...parts, left] : ["+", signs, ...parts];
}

/** The sum of terms that may be sums themselves.
 *  @param {Tree[]} terms @param {number} more @param {number} rest @returns {Tree} */
export function added(terms, more, rest) {
  let opened = terms.flatMap((term) => summands(term, false));
  const deep = opened.map((term) => summands(term, true));
  if (deep.reduce((sum, own) => sum + own.length, 0) + more > MOST_TERMS) opened = deep.flat();
  return shortened(opened, more, rest);
}

/** @param {Tree} term @param {boolean} deep @returns {Tree[]} */
function summands(term, deep) {
  if (!Array.isArray(term)) return [term];
  if (term[0] === "+") {
    return term.slice(2).flatMap((part, k) => {
      const plus = term[1][k] === "+";
      const inner = deep && plus ? summands(part, true) : [part];
      return plus ? inner : inner.map((own) => ["+", "-", own]);
    });
  }
  if (deep && term[0] === "*") {
    for (let place = 1; place < term.length; place += 1) {
      const factor = term[place];
      if (Array.isArray(factor) && factor[0] === "+" && factor.length > 4) {
        return summands(factor, true).map((part) =>
          product(...term.slice(1, place), part, ...term.slice(place + 1)),
        );
      }
    }
  }
  return [term];
}

// digits

/** A leaf as a line of so many digits displays it. @param {Tree} leaf @param {number} digits */
export function leafText(leaf, digits) {
  return Array.isArray(leaf) ? leaf[1] : numberText(leaf.value, digits);
}

/** A number with enough digits for its formula to hold.
 *  @param {string} id @param {Tree} tree @param {number} value @param {number} digits
 *  @returns {Line} */
export function lineOf(id, tree, value, digits) {
  const shown = numberText(value, digits);
  const exact = same(Number(shown.replace("inf", "Infinity")), value);
  const hasFormula = !(isLeaf(tree) && "id" in tree && tree.id === id);
  const line = { id, tree, value, shown, exact, digits, hasFormula };
  for (let own = digits; own <= ALL_DIGITS; own += 1) {
    if (holds(displayed(tree, own), shown, value, digits)) return { ...line, digits: own };
  }
  const found = evaluate(tree);
  const bound = SAFE * roundingBound(tree);
  const itself = { ...line, tree: { id, value }, hasFormula: false };
  if (!Number.isFinite(found) || bound === Infinity) return itself;
  if (Math.abs(found - value) <= bound) {
    for (let fewer = digits - 1; fewer > 0; fewer -= 1) {
      const short = numberText(value, fewer);
      if (holds(displayed(tree, ALL_DIGITS), short, value, fewer)) {
        return { ...line, shown: short, exact: false, digits: ALL_DIGITS };
      }
    }
    return { ...line, shown: "0", exact: false, digits: ALL_DIGITS };
  }
  return itself; // a formula that does not hold is not shown
}

/** What a formula comes to with its numbers as they are displayed.
 *  @param {Tree} tree @param {number} digits */
function displayed(tree, digits) {
  return evaluate(tree, (leaf) => read(leafText(leaf, digits)));
}

/** @param {string} text */
function read(text) {
  return Number(text.replace("inf", "Infinity"));
}

/** @param {number} evaluated @param {string} shown @param {number} value @param {number} digits */
function holds(evaluated, shown, value, digits) {
  if (!Number.isFinite(evaluated) || !Number.isFinite(value)) return numberText(evaluated, 17) === shown;
  return Math.abs(evaluated - read(shown)) <= unit(value, digits);
}

/** One unit in the last of so many digits. @param {number} value @param {number} digits */
export function unit(value, digits) {
  if (value === 0) return 0;
  return Math.max(TINY, Number(`1e${exponentOf(value) - digits + 1}`));
}

/** @param {number} shown @param {number} value */
function same(shown, value) {
  if (shown === value) return true;
  return Number.isFinite(value) && Math.abs(shown - value) <= 1e-13 * Math.abs(value);
}
