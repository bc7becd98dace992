// Formulas in MathML, as write.py and mathml.py write them: every operand carries its id.
import { leafText } from "./lines.js";
import { isLeaf } from "./trees.js";

/** @typedef {any} Tree */

export const BREAK = "\0";
/** In the place of an entry that there is not. */
export const ABSENT = "–";
const MINUS = "\u2212";
const SPACE = "\u00a0";
const APPLY = "<mo>\u2061</mo>";
const LEFT = '<mo form="prefix" stretchy="false">(</mo>';
const RIGHT = '<mo form="postfix" stretchy="false">)</mo>';
const SHORT = 26;
const WIDEST_FRACTION = 33;
const WIDEST = 28;
const TEN = "<mo>×</mo><msup><mn>10</mn>";
const PI = "3.141592653589793";
const NEGATIVE = /^(?:<[^>]*>)*\u2212/;
const [COMPARED, ADDED, MULTIPLIED, RAISED] = [1, 2, 3, 4];
const RELATIONS = /** @type {Record<string, string>} */ ({
  ">=": "≥",
  "<=": "≤",
  "==": "=",
  "<": "&lt;",
  ">": "&gt;",
});

/** @param {string} text */
export function escaped(text) {
  /** @type {Record<string, string>} */
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  return text.replace(/[&<>"']/g, (sign) => signs[sign]);
}

/** A number as Python writes it: 1.5e-05 becomes 1.5 times a power of ten. @param {string} text */
export function number(text) {
  if (text === "inf") return "<mi>∞</mi>";
  if (text === "-inf") return `<mi>${MINUS}∞</mi>`;
  if (text === "nan") return "<mi>NaN</mi>";
  if (text === ABSENT) return `<mtext>${ABSENT}</mtext>`;
  const [digits, exponent] = text.replaceAll("-", MINUS).split("e");
  if (exponent === undefined) return `<mn>${digits}</mn>`;
  const power = exponent.replace(/^\+/, "").replace(`${MINUS}0`, MINUS).replace(/^0+/, "");
  return `<mrow><mn>${digits}</mn><mo>×</mo><msup><mn>10</mn><mn>${power}</mn></msup></mrow>`;
}

/** An element that can be asked where it comes from. @param {string} id @param {string} element */
export function operand(id, element) {
  const at = element.indexOf(">");
  return `${element.slice(0, at)} data-id="${escaped(id)}">${element.slice(at + 1)}`;
}

/** @param {string} inner @param {string} [left] @param {string} [right] */
function fenced(inner, left = "(", right = ")") {
  if (["<mfrac", "<mtable", "<msqrt"].some((tag) => inner.includes(tag))) {
    return `<mrow><mo>${left}</mo>${inner}<mo>${right}</mo></mrow>`;
  }
  return `<mo stretchy="false">${left}</mo>${inner}<mo stretchy="false">${right}</mo>`;
}

/** How many characters a formula shows; those of HTML's marks count as they are written.
 *  @param {string} text */
function width(text) {
  return text.replace(/<[^>]*>/g, "").length; // of characters that are one unit each
}

/** @param {string} text */
const whole = (text) => text.replaceAll(BREAK, "");

/** @param {string} text */
const one = (text) => (/^<(m[ni])\b[^<]*<\/\1>$/.test(text) ? text : `<mrow>${whole(text)}</mrow>`);

/** @param {string} inner */
function parentheses(inner) {
  return width(inner) <= SHORT ? fenced(whole(inner)) : `${LEFT}${inner}${RIGHT}`;
}

/** @param {string[]} terms @param {string} signs */
function sum(terms, signs) {
  let text = "";
  terms.forEach((term, k) => {
    if (text) text += `${BREAK}<mo>${signs[k] === "-" ? MINUS : "+"}</mo>`;
    else if (signs[k] === "-") text = `<mo form="prefix">${MINUS}</mo>`;
    text += width(term) <= SHORT ? whole(term) : term;
  });
  return text;
}

/** @param {string} above @param {string} below */
function quotient(above, below) {
  if (Math.max(width(above), width(below)) <= WIDEST_FRACTION) {
    return `<mfrac>${one(above)}${one(below)}</mfrac>`;
  }
  return [above, below]
    .map((side) => (side.includes(BREAK) || side.includes(TEN) ? `${LEFT}${side}${RIGHT}` : side))
    .join(`${BREAK}<mo>/</mo>`);
}

/** @param {string} base @param {string} exponent */
function raised(base, exponent) {
  const high = ["<msup", "<msubsup", "<mfrac"].some((tag) => base.includes(tag));
  const enclosed = base.startsWith("<mrow><mo>(") || base.startsWith('<mo stretchy="false">(');
  if (!enclosed && (high || base.includes(BREAK))) {
    const own = base.startsWith(LEFT) && base.endsWith(RIGHT); // not those of exp( )
    base = fenced(whole(own ? base.slice(LEFT.length, -RIGHT.length) : base));
  }
  return `<msup>${one(base)}${one(exponent)}</msup>`;
}

/** @param {string} name @param {string[]} all */
function call(name, all) {
  const inner = all.join("<mo>,</mo>");
  if (name === "sqrt") return `<msqrt>${whole(inner)}</msqrt>`;
  if (name === "abs") return `<mrow>${fenced(whole(inner), "|", "|")}</mrow>`;
  return `<mi>${name === "log" ? "ln" : name}</mi>${APPLY}${parentheses(inner)}`;
}

/** How leaves are written: with symbols, or with numbers of so many digits where symbolOf is null.
 *  @typedef {{digits: number, symbolOf: ((id: string) => string) | null, more: string,
 *    known?: (id: string) => boolean}} Writing */

/** @param {Tree} leaf @param {Writing} writing @returns {string} */
function written(leaf, { digits, symbolOf, more, known }) {
  if (Array.isArray(leaf)) return symbolOf && leaf[1] === PI ? "<mi>π</mi>" : number(leaf[1]);
  if (leaf.count !== undefined) {
    const said = more.replace("{count}", leaf.count.toLocaleString("en-US")).split("{number}");
    const [before, behind] = said.map((text) =>
      text ? `<mtext>${escaped(text).replaceAll(" ", SPACE)}</mtext>` : "",
    );
    return `<mrow class="rest">${fenced(`${before}${number(leafText(leaf, digits))}${behind}`, "[", "]")}</mrow>`;
  }
  const text = symbolOf ? symbolOf(leaf.id) : number(leafText(leaf, digits));
  return !known || known(leaf.id) ? operand(leaf.id, text) : text;
}

/** A formula, with parentheses exactly where they are needed, BREAK between its pieces.
 *  @param {Tree} tree @param {Writing} writing @param {number} [binding] of what stands around it
 *  @returns {string} */
export function write(tree, writing, binding = 0) {
  const part = (/** @type {Tree} */ inner, /** @type {number} */ own) => write(inner, writing, own);
  if (isLeaf(tree) || tree[0] === "n") {
    const text = written(tree, writing);
    return binding && NEGATIVE.test(text) ? parentheses(text) : text;
  }
  switch (tree[0]) {
    case "+": {
      const text = sum(
        tree.slice(2).map((/** @type {Tree} */ term) => part(term, ADDED)),
        tree[1],
      );
      const bare = binding === 0 || tree[1] === "+";
      return bare ? text : parentheses(text);
    }
    case "*": {
      const text = tree
        .slice(1)
        .map((/** @type {Tree} */ factor) => part(factor, MULTIPLIED))
        .join(`${BREAK}<mo>×</mo>`);
      return binding >= RAISED ? parentheses(text) : text;
    }
    case "/": {
      const text = quotient(part(tree[1], 0), part(tree[2], 0));
      return binding >= RAISED ? parentheses(text) : text;
    }
    case "^":
      return raised(part(tree[1], RAISED), part(tree[2], 0));
    case "f":
      return call(
        tree[1],
        tree.slice(2).map((/** @type {Tree} */ inner) => part(inner, 0)),
      );
    default: {
      const inner = `${part(tree[1], COMPARED)}<mo>${RELATIONS[tree[0]]}</mo>${part(tree[2], COMPARED)}`;
      return fenced(whole(inner), "[", "]");
    }
  }
}

/** A formula in pieces between which a line may be broken. @param {Tree} tree @param {Writing} writing */
export function pieces(tree, writing) {
  const text = write(tree, writing);
  return width(text) <= WIDEST ? [whole(text)] : text.split(BREAK);
}

/** Pieces as math elements. @param {string[]} found */
export function mathOf(found) {
  return found
    .map((piece) => `<math>${piece.replace(/^<mo>([+\u2212])/, '<mo form="infix">$1')}</math>`)
    .join(" ");
}

/** Symbols of numbers, from the templates of their arrays: "{}" stands for the index.
 *  @param {Record<string, [string, number, number, boolean]>} templates @returns {(id: string) => string} */
export function symbolsOf(templates) {
  return (id) => {
    const [base, at] = id.split("[");
    const [template, from, to, turned] = templates[id] || (at && templates[`${base}[]`]) || templates[base];
    const index = at
      ? at
          .slice(0, -1)
          .split(",")
          .map((place) => String(Number(place) + 1))
      : [];
    const shown = index.slice(from, index.length - to);
    if (turned) shown.reverse();
    return template.replace("{}", shown.join(shown.some((place) => place.length > 1) ? "," : ""));
  };
}

const DIGITS = { raised: "⁰¹²³⁴⁵⁶⁷⁸⁹", lowered: "₀₁₂₃₄₅₆₇₈₉" };

/** What stands above or below a letter, as text. @param {Element} element @param {"raised" | "lowered"} how */
function small(element, how) {
  const text = textOf(element).replace(/^\((\d),(\d)\)$/, "($1$2)"); // there is no raised comma
  const plain = how === "raised" ? text.replaceAll(",", "⸴").replace("(", "⁽").replace(")", "⁾") : text;
  return plain.replace(/\d/g, (digit) => DIGITS[how][Number(digit)]);
}

/** A symbol as text: W¹₃₁. @param {Element | null | undefined} element @returns {string} */
export function textOf(element) {
  if (!element) return "";
  const [base, ...others] = element.children;
  if (!base) return (element.textContent || "").replace("\u2061", "");
  if (element.localName === "msub") return textOf(base) + small(others[0], "lowered");
  if (element.localName === "msup") return textOf(base) + small(others[0], "raised");
  if (element.localName === "msubsup")
    return textOf(base) + small(others[1], "raised") + small(others[0], "lowered");
  return [base, ...others].map(textOf).join("");
}
