// The scalar expression of one entry of a tree of arrays, as element() of arrays.py makes it.
import { isLeaf, isMatrix, partsOf, withParts } from "./trees.js";

/** @typedef {any} Tree */
/** @typedef {import("./trees.js").Matrix} Matrix */
/** @typedef {import("./trees.js").Operand} Operand */

/** @param {Matrix} matrix @param {number} i @param {number} j @returns {Operand} */
export function entryOf(matrix, i, j) {
  if (!matrix.origin.length) return { id: matrix.id, value: matrix.data[0] };
  const [r, c] = [matrix.rows > 1 ? i : 0, matrix.cols > 1 ? j : 0];
  const index = [...matrix.origin];
  index[index.length - 1] += c;
  if (index.length > 1) index[index.length - 2] += r;
  return { id: `${matrix.id}[${index.join(",")}]`, value: matrix.data[r * matrix.cols + c] };
}

/** A scalar expression of an array's tree, its arrays replaced by their entries, as it stands.
 *  @param {Tree} tree @param {number} i @param {number} j @returns {Tree} */
export function entries(tree, i, j) {
  if (isMatrix(tree)) return entryOf(tree, i, j);
  if (isLeaf(tree) || tree[0] === "n") return tree;
  return withParts(
    tree,
    partsOf(tree).map((part) => entries(part, i, j)),
  );
}

/** Rows and columns of what a tree comes to. @param {Tree} tree @returns {[number, number]} */
export function shape(tree) {
  if (isMatrix(tree)) return [tree.rows, tree.cols];
  const parts = partsOf(tree).map(shape);
  switch (tree[0]) {
    case "T":
      return [parts[0][1], parts[0][0]];
    case "@":
      return [parts[0][0], parts[1][1]];
    case "r":
      return [tree[1] === "sum" || tree[1] === "norm" ? 1 : parts[0][0], tree[1] === "sum" ? parts[0][1] : 1];
    default:
      return [Math.max(1, ...parts.map(([r]) => r)), Math.max(1, ...parts.map(([, c]) => c))];
  }
}

/** How lines are made: functions in all their forms, and sums of many terms.
 *  @typedef {{formOf: (name: string, args: Tree[]) => Tree,
 *    add: (terms: Tree[], more: number, rest: number) => Tree, most: number}} Making */

/** The scalar expression of an entry in row i, column j of a tree of arrays.
 *  @param {Tree} tree @param {number} i @param {number} j @param {Making} making @returns {Tree} */
export function element(tree, i, j, making) {
  if (isMatrix(tree)) return entryOf(tree, i, j);
  if (isLeaf(tree) || tree[0] === "n") return tree;
  const at = (/** @type {Tree} */ part) => element(part, i, j, making);
  switch (tree[0]) {
    case "+": {
      /** @type {[Tree, string][]} */
      const terms = tree.slice(2).map((/** @type {Tree} */ term, /** @type {number} */ k) => [term, tree[1][k]]);
      const [[first, sign], ...others] = terms.filter(([term]) => !(isMatrix(term) && term.absent?.includes(j)));
      const start = sign === "+" ? at(first) : product(["+", "-", at(first)]);
      return others.reduce((total, [term, own]) => joined(total, at(term), own), start);
    }
    case "*":
      return product(...tree.slice(1).map(at));
    case "ap":
      return making.formOf(tree[1], tree.slice(2).map(at));
    case "T":
      return element(tree[1], j, i, making);
    case "@": {
      const { terms, more, rest } = productTerms(tree, i, j, making);
      return making.add(terms, more, rest);
    }
    case "r":
      return reducedEntry(tree, i, j, making);
    default:
      return withParts(tree, partsOf(tree).map(at));
  }
}

/** @param {Tree} tree @param {number} i @param {number} j @param {Making} making @returns {Tree} */
function reducedEntry(tree, i, j, making) {
  const [, name, of] = tree;
  const [rows, cols] = shape(of);
  const range = (/** @type {number} */ n) => Array.from({ length: n }, (_, k) => k);
  if (name === "sum")
    return making.add(
      range(rows).map((k) => element(of, k, j, making)),
      0,
      0,
    );
  if (name === "norm") {
    const squares = range(rows * cols).map((k) => [
      "^",
      element(of, Math.floor(k / cols), k % cols, making),
      ["n", "2"],
    ]);
    return ["f", "sqrt", making.add(squares, 0, 0)];
  }
  const total = making.add(
    range(cols).map((k) => element(of, i, k, making)),
    0,
    0,
  );
  return name === "mean" ? ["/", total, ["n", String(cols)]] : total;
}

/** The products of a matrix product's entry; of many the strongest, and what the others come to.
 *  @param {Tree} tree @param {number} i @param {number} j @param {Making} making */
function productTerms(tree, i, j, making) {
  const [, left, right] = tree;
  const [, n] = shape(left);
  let places = Array.from({ length: n }, (_, k) => k);
  let [more, rest] = [0, 0];
  const plain = (/** @type {Tree} */ side) => isMatrix(side) || (side[0] === "T" && isMatrix(side[1]));
  if (n > making.most && plain(left) && plain(right)) {
    const valueOf = (/** @type {Tree} */ side, /** @type {number} */ r, /** @type {number} */ c) =>
      isMatrix(side) ? side.data[r * side.cols + c] : side[1].data[c * side[1].cols + r];
    const products = places.map((k) => valueOf(left, i, k) * valueOf(right, k, j));
    const order = [...places].sort((a, b) => Math.abs(products[b]) - Math.abs(products[a]));
    const kept = order
      .slice(0, making.most - 1)
      .sort((a, b) => a - b)
      .filter((k) => products[k] !== 0);
    if (!kept.length) kept.push(0);
    const left_out = places.filter((k) => !kept.includes(k));
    [more, rest] = [left_out.length, left_out.reduce((sum, k) => sum + products[k], 0)];
    places = kept;
  }
  const terms = places.map((k) => product(element(left, i, k, making), element(right, k, j, making)));
  return { terms, more, rest };
}

/** A product as one; a factor 1 is left out, and a minus stands in front of the whole.
 *  @param {Tree[]} factors @returns {Tree} */
export function product(...factors) {
  let minus = false;
  const kept = [];
  for (let factor of factors) {
    if (Array.isArray(factor) && factor[0] === "+" && factor.length === 3) {
      if (factor[1] === "-") minus = !minus;
      [, , factor] = factor;
    }
    if (!(Array.isArray(factor) && factor[0] === "n" && factor[1] === "1")) kept.push(factor);
  }
  const whole = kept.length === 0 ? ["n", "1"] : kept.length === 1 ? kept[0] : times(...kept);
  return minus ? ["+", "-", whole] : whole;
}

/** A product as one, whatever its factors are. @param {Tree[]} factors @returns {Tree} */
export function times(...factors) {
  return ["*", ...factors.flatMap((f) => (Array.isArray(f) && f[0] === "*" ? f.slice(1) : [f]))];
}

/** @param {Tree} first @param {Tree} second @param {string} sign @returns {Tree} */
export function joined(first, second, sign) {
  if (Array.isArray(first) && first[0] === "+") return ["+", first[1] + sign, ...first.slice(2), second];
  return ["+", `+${sign}`, first, second];
}
