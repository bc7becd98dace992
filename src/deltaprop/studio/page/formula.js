// A set given as a formula of x1 and x2: read by a parser of our own, worked out by the trees of explaining/live.

import { compiled } from "../../explaining/live/trees.js";

/** @typedef {import("../../explaining/live/trees.js").Tree} Tree */
/** @typedef {{ tree: Tree, isCondition: boolean }} Part */
/** @typedef {{ kind: "number" | "name" | "sign" | "end", text: string, place: number }} Token  place: from 1 */
/** @typedef {{ classes: number, at: (x1: number, x2: number) => number }} Formula  the number at a point, or its class */

const ONE = ["exp", "log", "sqrt", "abs", "sin", "cos", "tanh"];
const SEVERAL = ["max", "min"];
const NAMES = /** @type {Record<string, Tree>} */ ({ x1: "x1", x2: "x2", x: "x1", y: "x2", pi: ["n", String(Math.PI)], e: ["n", String(Math.E)] }); // prettier-ignore
const RELATIONS = ["<=", ">=", "<", ">"];
const SPELT = { "−": "-", "–": "-", "·": "*", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "²": "^2", "³": "^3", "π": "pi", "；": ";", "，": ",", "（": "(", "）": ")", "＜": "<", "＞": ">", "＋": "+", "＊": "*", "／": "/" }; // prettier-ignore
const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z]\w*)|(\*\*|<=|>=|[-+*/^(),;<>&|])|(\S))/giy;
export const LONGEST = 200;
const MOST_CONDITIONS = 5;
const LARGEST = 1000; // number that may be asked for

/** Why a text is no formula: a key of the wording, and what is put into it. */
export class FormulaError extends Error {
  name = "FormulaError";
  /** @param {string} key @param {Record<string, string | number>} [values] */
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** @param {string} text @returns {Token[]} */
function tokensOf(text) {
  const all = Array.from(text, (sign) => SPELT[/** @type {"π"} */ (sign)] ?? sign);
  const places = all.flatMap((sign, k) => Array.from(sign, () => k + 1)); // of what is written
  const plain = all.join("");
  /** @type {Token[]} */
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(plain); found; found = TOKEN.exec(plain)) {
    const [, number, name, sign, other] = found;
    const said = number ?? name ?? sign ?? other;
    const place = places[TOKEN.lastIndex - said.length];
    if (other) throw new FormulaError("formula sign", { place, found: other });
    tokens.push({ kind: number ? "number" : name ? "name" : "sign", text: said, place });
  }
  tokens.push({ kind: "end", text: "", place: all.length + 1 });
  return tokens;
}

class Parser {
  #next = 0;

  /** @param {Token[]} tokens */
  constructor(tokens) {
    this.tokens = tokens;
  }

  get token() {
    return this.tokens[this.#next];
  }

  /** The next token, if it is one of these. @param {...string} texts */
  taken(...texts) {
    const { kind, text } = this.token;
    if (kind === "number" || kind === "end" || !texts.includes(text)) return null;
    this.#next += 1;
    return text;
  }

  /** Parts parted by ";". @returns {{ part: Part, place: number }[]} */
  all() {
    const found = [];
    do {
      const { place } = this.token;
      found.push({ part: this.either(), place });
    } while (this.taken(";"));
    if (this.token.kind !== "end") this.refuse("formula after");
    return found;
  }

  /** @returns {Part} */
  either() {
    let left = this.both();
    while (this.taken("or", "|")) left = { tree: ["f", "max", left.tree, this.both().tree], isCondition: true };
    return left;
  }

  /** @returns {Part} */
  both() {
    let left = this.comparison();
    while (this.taken("and", "&")) left = { tree: ["*", left.tree, this.comparison().tree], isCondition: true };
    return left;
  }

  /** @returns {Part} */
  comparison() {
    const left = this.sum();
    const relation = this.taken(...RELATIONS);
    if (relation === null) return left;
    const found = { tree: [relation, left.tree, this.sum().tree], isCondition: true };
    if (RELATIONS.includes(this.token.text)) this.refuse("formula chain");
    return found;
  }

  /** @returns {Part} */
  sum() {
    let left = this.product();
    for (let sign = this.taken("+", "-"); sign; sign = this.taken("+", "-")) left = number(["+", `+${sign}`, left.tree, this.product().tree]);
    return left;
  }

  /** @returns {Part} */
  product() {
    let left = this.signed();
    for (let sign = this.taken("*", "/"); sign; sign = this.taken("*", "/")) left = number([sign, left.tree, this.signed().tree]);
    return left;
  }

  /** @returns {Part} */
  signed() {
    const sign = this.taken("-", "+");
    return sign === "-" ? number(["+", "-", this.signed().tree]) : sign ? this.signed() : this.power();
  }

  /** @returns {Part} */
  power() {
    const base = this.single();
    return this.taken("^", "**") ? number(["^", base.tree, this.signed().tree]) : base;
  }

  /** @returns {Part} */
  single() {
    const { kind, text, place } = this.token;
    if (kind === "number") {
      this.#next += 1;
      return number(["n", text]);
    }
    if (kind === "name" && !["and", "or"].includes(text)) {
      this.#next += 1;
      if (Object.hasOwn(NAMES, text)) return number(NAMES[text]);
      if (ONE.includes(text) || SEVERAL.includes(text)) return this.call(text, place);
      throw new FormulaError("formula name", { place, found: text, functions: [...ONE, ...SEVERAL].join(", ") });
    }
    if (!this.taken("(")) this.refuse("formula wanted");
    const inside = this.either();
    this.closed(place);
    return inside;
  }

  /** @param {string} name @param {number} place @returns {Part} */
  call(name, place) {
    const opened = this.token.place;
    if (!this.taken("(")) throw new FormulaError("formula call", { place, name });
    const given = [this.either().tree];
    while (this.taken(",")) given.push(this.either().tree);
    this.closed(opened);
    if (ONE.includes(name) ? given.length > 1 : given.length < 2) throw new FormulaError(ONE.includes(name) ? "formula one" : "formula several", { place, name });
    if (name === "min") return number(["+", "-", ["f", "max", ...given.map((tree) => ["+", "-", tree])]]);
    return number(["f", name, ...given]);
  }

  /** @param {number} opened where the bracket was opened */
  closed(opened) {
    if (this.taken(")")) return;
    const { kind, place } = this.token;
    if (kind === "end") throw new FormulaError("formula open", { place, opened });
    this.refuse("formula after");
  }

  /** @param {string} key @returns {never} */
  refuse(key) {
    const { kind, text, place } = this.token;
    throw new FormulaError(kind === "end" ? "formula ends" : key, { place, found: text });
  }
}

/** @param {Tree} tree @returns {Part} */
const number = (tree) => ({ tree, isCondition: false });

/** Read a formula, or say by a FormulaError why it is none. @param {string} text @returns {Formula} */
export function readFormula(text) {
  if (text.trim() === "") throw new FormulaError("formula empty");
  if (text.length > LONGEST) throw new FormulaError("formula long", { most: LONGEST });
  const parts = new Parser(tokensOf(text)).all();
  if (parts.length > MOST_CONDITIONS) throw new FormulaError("formula many", { most: MOST_CONDITIONS });
  const none = parts.find(({ part }) => !part.isCondition);
  if (none && parts.length > 1) throw new FormulaError("formula no condition", { place: none.place });
  const all = parts.map(({ part }) => compiled(part.tree, ["x1", "x2"]));
  const classes = none ? 0 : parts.length + 1;
  const at = (/** @type {number} */ x1, /** @type {number} */ x2) => (none ? all[0]([x1, x2]) : 1 + all.findIndex((holds) => holds([x1, x2]) > 0));
  checkNumbers(at);
  return { classes, at };
}

/** Whether it is a formula that a set can be drawn of. @param {string | null} text */
export function isFormula(text) {
  try {
    return Boolean(readFormula(text ?? ""));
  } catch (error) {
    if (error instanceof FormulaError) return false;
    throw error;
  }
}

/** Refuse a formula that is hardly anywhere a number, or too large a one. @param {Formula["at"]} at */
function checkNumbers(at) {
  const side = Array.from({ length: 21 }, (_, k) => k / 10 - 1);
  const found = side.flatMap((x1) => side.map((x2) => at(x1 + 1e-3, x2 - 2e-3))).filter(Number.isFinite);
  if (found.length < 0.02 * side.length ** 2) throw new FormulaError("formula nowhere");
  const largest = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest > LARGEST) throw new FormulaError("formula large", { largest: largest.toPrecision(2), most: LARGEST });
}

/** A point of a formula's set: one where it is a number. @param {Formula} formula @param {import("./random.js").Random} random
 *  @returns {[number, number, number]} */
export function pointOf({ at }, random) {
  for (let attempt = 0; attempt < 5000; attempt += 1) {
    const [x, y] = [random.between(-1, 1), random.between(-1, 1)];
    const value = at(x, y);
    if (Math.abs(value) <= 10 * LARGEST) return [x, y, value];
  }
  throw new FormulaError("formula nowhere");
}
