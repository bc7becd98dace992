// The matrix equations of the page with other numbers, as document/equations.py and
// renderers/html/equations.py write them.
import { ALL_DIGITS, unit } from "./lines.js";
import { numberText } from "./numbers.js";
import { put } from "./dom.js";
import { ABSENT, BREAK, number, operand, write } from "./mathml.js";
import { entryOf } from "./elements.js";
import { bound, isMatrix, leafValue, partsOf, values, withParts } from "./trees.js";

/** @typedef {any} Tree */
/** @typedef {import("./trees.js").Matrix} Matrix */

export const MOST_CELLS = 6;
const SIGN = 1.55; // digits that a minus sign is wide
const ROOM = [52, 64];

/** What is written with numbers: matrices, and constants that every entry is combined with.
 *  @typedef {{matrix: Matrix, transposed: boolean, applied: boolean} | {constant: Tree}} Written */

/** @param {string} text */
const read = (text) => Number(text.replace("inf", "Infinity"));

/** Functions of arrays that stand as their values. @param {Tree} tree
 *  @param {import("./trees.js").Apply} apply @returns {Tree} */
function withValues(tree, apply) {
  if (isMatrix(tree) || tree[0] === "n") return tree;
  if (tree[0] === "shown") {
    const f = tree[1] === "sign" ? Math.sign : (/** @type {number} */ v) => apply(tree[1], v);
    return { ...tree[2], data: tree[2].data.map(f), applied: true };
  }
  return withParts(
    tree,
    partsOf(tree).map((part) => withValues(part, apply)),
  );
}

/** @param {Tree} tree @returns {boolean} */
const hasMatrix = (tree) => (isMatrix(tree) ? !tree.alone : partsOf(tree).some(hasMatrix));

/** What an equation is written with, in order. @param {Tree} tree @returns {Written[]} */
function writtenOf(tree) {
  if (!hasMatrix(tree)) return [{ constant: scalars(tree) }];
  if (isMatrix(tree)) return [{ matrix: tree, transposed: false, applied: tree.applied === true }];
  if (tree[0] === "T" && isMatrix(tree[1])) return [{ matrix: tree[1], transposed: true, applied: false }];
  if (tree[0] === "ap") return writtenOf(tree[2]);
  if (tree[0] === "^") return writtenOf(tree[1]);
  const parts = partsOf(tree);
  if (tree[0] !== "*") return parts.flatMap(writtenOf);
  const constants = parts.filter((part) => !hasMatrix(part)).map(scalars);
  const whole =
    constants.length > 1 ? ["*", ...constants.flatMap((c) => (c[0] === "*" ? c.slice(1) : [c]))] : constants[0];
  return [...(constants.length ? [{ constant: whole }] : []), ...parts.filter(hasMatrix).flatMap(writtenOf)];
}

/** A tree of single numbers, as leaves. @param {Tree} tree @returns {Tree} */
function scalars(tree) {
  if (isMatrix(tree)) return entryOf(tree, 0, 0);
  return tree[0] === "n" ? tree : withParts(tree, partsOf(tree).map(scalars));
}

/** @param {Matrix} matrix @param {number} digits @returns {Matrix} */
function rounded(matrix, digits) {
  return { ...matrix, data: matrix.data.map((v) => read(numberText(v, digits))) };
}

/** The digits of the operands with which the displayed result follows from them.
 *  @param {Tree} tree @param {Matrix} result @param {number} digits
 *  @param {import("./trees.js").Apply} apply */
function enoughDigits(tree, result, digits, apply) {
  const large = (/** @type {Tree} */ part) =>
    isMatrix(part) ? Math.max(part.rows, part.cols) > MOST_CELLS : partsOf(part).some(large);
  if (large(tree) || large(result) || !result.data.every(Number.isFinite)) return digits;
  const shown = rounded(result, digits).data;
  for (let enough = digits; enough < ALL_DIGITS; enough += 1) {
    const found = values(
      tree,
      apply,
      (matrix) => rounded(matrix, enough),
      (leaf) => (Array.isArray(leaf) ? leafValue(leaf) : read(numberText(leaf.value, enough))),
    );
    const at = (/** @type {number} */ k) => found.data[found.data.length === 1 ? 0 : k];
    const holds = (/** @type {number} */ value, /** @type {number} */ k) =>
      result.absent?.includes(k) || Math.abs(at(k) - value) <= unit(result.data[k], digits);
    if (shown.every(holds)) return enough;
  }
  return ALL_DIGITS;
}

/** Write an equation's numbers into its element.
 *  @param {Element} element
 *  @param {{left: any, turned: boolean, tree: any, laid: any}} equation what it gives, and of what;
 *    laid is how that is written where arrays are turned
 *  @param {(id: string) => import("./trees.js").Quantity} arrayOf
 *  @param {import("./trees.js").Apply} apply @param {number} digits @param {(id: string) => boolean} known
 *  @param {(id: string) => string} called what a number is called in the notation
 *  @returns {number} the width of its widest matrix, in characters */
export function fillEquation(element, { left, turned, tree, laid }, arrayOf, apply, digits, known, called) {
  const of = (/** @type {Tree} */ side) => withValues(bound(side, arrayOf), apply);
  const result = bound(left, arrayOf);
  const right = tree && of(tree);
  const enough = right ? enoughDigits(right, result, digits, apply) : digits;
  // where the numbers were those of the result they stand there once
  const repeats = right && isMatrix(right) && !right.applied;
  const written = right && !repeats ? writtenOf(laid ? of(laid) : right) : [];
  const tables = [...element.querySelectorAll("mtable")];
  const constants = [...element.querySelectorAll(".constant")];
  let widest = 0;
  for (const part of written) {
    if ("constant" in part) {
      const writing = { digits: enough, symbolOf: null, more: "", known };
      const text = write(part.constant, writing).replaceAll(BREAK, "");
      const place = constants.shift();
      if (place) put(place, text);
    } else {
      widest = Math.max(widest, fillTable(tables.shift(), part, enough, known, called));
    }
  }
  widest = Math.max(
    widest,
    fillTable(tables.shift(), { matrix: result, transposed: turned, applied: false }, digits, known, called),
  );
  const shown = corner(result);
  const exact = shown.every((value) => {
    const text = read(numberText(value, digits));
    return text === value || Math.abs(text - value) <= 1e-13 * Math.abs(value);
  });
  const relations = element.querySelectorAll("math > mo:first-child");
  relations[relations.length - 1].textContent = exact ? "=" : "≈";
  return widest;
}

/** @param {Matrix} matrix */
function corner(matrix) {
  const rows = Math.min(matrix.rows, MOST_CELLS);
  const cols = Math.min(matrix.cols, MOST_CELLS);
  return Array.from(
    { length: rows * cols },
    (_, k) => matrix.data[Math.floor(k / cols) * matrix.cols + (k % cols)],
  );
}

/** How wide a number is up to its point, in digits. @param {string} text */
function beforeThePoint(text) {
  const whole = text.split("e")[0].split(".")[0];
  return whole.replace(/^-/, "").length + (text.startsWith("-") ? SIGN : 0);
}

/** @param {Element | undefined} table @param {{matrix: Matrix, transposed: boolean, applied: boolean}} part
 *  @param {number} digits @param {(id: string) => boolean} known @param {(id: string) => string} called
 *  @returns {number} its width */
function fillTable(table, { matrix, transposed, applied }, digits, known, called) {
  const across = transposed !== Boolean(matrix.turned);
  const [rows, cols] = across ? [matrix.cols, matrix.rows] : [matrix.rows, matrix.cols];
  const range = (/** @type {number} */ n) => Array.from({ length: Math.min(n, MOST_CELLS) }, (_, k) => k);
  const cells = range(rows).map((r) =>
    range(cols).map((c) => {
      const { id, value } = across ? entryOf(matrix, c, r) : entryOf(matrix, r, c);
      const text = matrix.absent?.includes(across ? r : c) ? ABSENT : numberText(value, digits);
      return { id: called(id), text };
    }),
  );
  const before = range(cols).map((c) => Math.max(...cells.map((row) => beforeThePoint(row[c].text))));
  const written = cells.map((row) => {
    const all = row.map(({ id, text }, c) => {
      const push = before[c] - beforeThePoint(text);
      const space = push > 0 ? `<mspace width="${Number(push.toPrecision(6))}ch"></mspace>` : "";
      const cell = number(text);
      return `<mtd>${space}${!applied && known(id) ? operand(id, cell) : cell}</mtd>`;
    });
    return `<mtr>${all.join("")}${cols > MOST_CELLS ? "<mtd><mo>⋯</mo></mtd>" : ""}</mtr>`;
  });
  const dots = cols > MOST_CELLS ? MOST_CELLS + 1 : cols;
  if (rows > MOST_CELLS) written.push(`<mtr>${"<mtd><mo>⋮</mo></mtd>".repeat(dots)}</mtr>`);
  if (table) put(table, written.join(""));
  const widths = range(cols).map((c) => Math.max(...cells.map((row) => row[c].text.length)) + 2);
  return widths.reduce((sum, own) => sum + own, 0) + (cols > MOST_CELLS ? 3 : 0);
}

/** The class of equations by the width of the widest. @param {number} widest */
export function widthClass(widest) {
  return widest > ROOM[1] ? "wider" : widest > ROOM[0] ? "wide" : "";
}
