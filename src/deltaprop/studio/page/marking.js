// Marking one number that somebody typed: what it may stand for, and which mistake gives it. The rules of how precisely a
// number is written are those of practice/marking/precision.py where so many digits are asked for, and of
// checking/precision.py; a test holds both to one another.

import { readRef } from "../../explaining/live/origins.js";
import { readNumber } from "../../explaining/live/typed.js";
import { exchanges } from "./entries.js";
import { givenBy, idsOf, valueOf } from "./mistakes.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {{ value: number, unit: number, digits: number, zeros: number }} Written  a number, one unit in its last place,
 *  its significant digits, and how many zeros at the end may only keep the place */
/** @typedef {"unread" | "right" | "follows" | "coarse" | "named" | "wrong"} Verdict */
/** @typedef {{ verdict: Verdict, names: string[], text: string, value: number, taken?: string, belongs?: string }} Mark
 *  names: of mistakes that give it; taken, belongs: the ids of a number, and of that in whose place it was taken */
/** @typedef {{ right: Step, world: Step, written: Step }} Steps  the right one; that from the wrong numbers gone on with; and
 *  that from all numbers as they are shown or were typed */

const BY_CHANCE = 0.1; // of the numbers between the least and the largest, what those of another index may reach
export const DIGITS = 3; // significant ones that are asked for
const [HAIR, SURE, BINARY, FAR_BELOW, REPEATING, SAME] = [1 + 1e-9, 4e-15, 1e-13, 1e-3, 12, 1e-9];

/** A typed number with its precision; null where it is none. @param {string} text @returns {Written | null} */
export function readWritten(text) {
  const value = readNumber(text);
  if (!Number.isFinite(value)) return null;
  const plain = text.normalize("NFKC").replace(/[−–]/g, "-").replace(/\s+/g, "").toLowerCase();
  const decimal = plain.includes("/") ? ofFraction(plain, value) : plain.includes(".") ? plain : plain.replace(",", ".");
  const [mantissa, exponent = "0"] = decimal.replace(/^[+-]/, "").split("e");
  const [whole, behind = ""] = mantissa.split(".");
  const figures = `${whole}${behind}`.replace(/^0+(?=.)/, "");
  const digits = /^0*$/.test(figures) ? 1 : figures.length;
  const isWhole = !decimal.includes(".") && !decimal.includes("e");
  const trailing = figures.length - figures.replace(/0+$/, "").length;
  const zeros = isWhole && value !== 0 ? Math.min(trailing, Math.max(digits - 2, 0)) : 0;
  return { value, unit: Number(`1e${Number(exponent) - behind.length + zeros}`), digits: digits - zeros, zeros };
}

/** A fraction as a decimal number, 1/3 to many digits. @param {string} plain @param {number} value */
function ofFraction(plain, value) {
  for (let places = 0; places <= 25 && /^[+-]?\d+\/\d+$/.test(plain); places += 1) {
    const [above, below] = plain.replace(/^[+-]/, "").split("/").map(BigInt);
    const scaled = above * 10n ** BigInt(places);
    if (scaled % below !== 0n) continue;
    const text = String(scaled / below).padStart(places + 1, "0");
    return places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text;
  }
  return String(Number(Math.abs(value).toPrecision(REPEATING)));
}

/** The unit in the last place of a number written with so many digits. @param {number} value @param {number} asked */
function usualUnit(value, asked) {
  const first = value === 0 ? Infinity : 10 ** Math.floor(Math.log10(Math.abs(value)));
  const places = 10 ** -3;
  const unit = Number.isFinite(first) ? first * 10 ** (1 - asked) : places;
  const farBelow = first < FAR_BELOW * places ? first : Infinity;
  return Math.max(Math.min(unit, farBelow), 2 ** -52 * Math.abs(value));
}

/** @param {Written} written @param {number} asked */
function meantUnit({ value, unit, zeros }, asked) {
  return zeros ? Math.min(unit, Math.max(usualUnit(value, asked), unit * 10 ** -zeros)) : unit;
}

/** Whether a number may be written like this: with enough digits, the rest rounded or cut off.
 *  @param {Written} written @param {number} number @param {number} [asked] digits */
export function mayStandFor(written, number, asked = DIGITS) {
  if (!Number.isFinite(number)) return false;
  const { value, digits } = written;
  const meant = meantUnit(written, asked);
  const room = 0.5 * HAIR * (digits >= asked ? meant : Math.min(meant, usualUnit(value, asked)));
  const cut = digits > asked && value !== 0 ? meant : 0;
  if (Math.abs(value - number) <= room + SURE * Math.abs(number)) return true;
  const rest = Math.abs(number) - Math.abs(value);
  const binary = BINARY * Math.abs(number);
  return cut > 0 && value * number >= 0 && rest >= -binary && rest < cut - binary;
}

/** Whether it is the number, rounded to fewer digits than are asked for. @param {Written} written @param {number} number
 *  @param {number} [asked] */
export function isTooCoarse({ value, unit, digits }, number, asked = DIGITS) {
  return digits < asked && Math.abs(value - number) <= 0.5 * unit * HAIR;
}

/** The mark of what somebody typed for a number. @param {string} text @param {string} id @param {Steps} steps
 *  @param {import("./mistakes.js").Mistakes} mistakes @param {import("./mistakes.js").Made} made @returns {Mark} */
export function mark(text, id, steps, mistakes, made) {
  const written = readWritten(text);
  if (written === null) return { verdict: "unread", names: [], text, value: NaN };
  const found = (/** @type {Verdict} */ verdict, /** @type {string[]} */ names = []) => ({ verdict, names, text, value: written.value });
  const own = [...new Set([steps.world, steps.written])];
  const fits = (/** @type {Step} */ step) => mayStandFor(written, valueOf(step, id));
  if (fits(steps.right)) return found("right");
  if (own.some(fits)) return found(steps.world === steps.right ? "right" : "follows");
  const all = [...new Set([steps.world, steps.right, steps.written])];
  const names = all.flatMap((step) => namesOf(written, id, step, mistakes, made));
  if (names.length) return found("named", [...new Set(names)]);
  const other = all.map((step) => exchangeOf(written, id, step)).find(Boolean);
  if (other) return { ...found("named", ["wrong_entry"]), taken: other.taken, belongs: other.belongs };
  return found(all.some((step) => isTooCoarse(written, valueOf(step, id))) ? "coarse" : "wrong");
}

/** The number of another index that gives a typed number, where so many could hardly do so by chance.
 *  @param {Written} written @param {string} id @param {Step} step */
function exchangeOf(written, id, step) {
  const all = exchanges(step, id).filter(({ value }) => Number.isFinite(value));
  const values = all.map(({ value }) => value);
  const spread = Math.max(...values) - Math.min(...values);
  const distinct = new Set(values.map((value) => value.toPrecision(6))).size;
  if (!(distinct * written.unit < BY_CHANCE * spread)) return undefined;
  return all.find(({ value }) => mayStandFor(written, value));
}

/** The mistakes that give a typed number, in one step, the commonest first. @param {Written} written @param {string} id
 *  @param {Step} step @param {import("./mistakes.js").Mistakes} mistakes @param {import("./mistakes.js").Made} made */
export function namesOf(written, id, step, mistakes, made) {
  const right = valueOf(step, id);
  const differs = (/** @type {number} */ value) => Math.abs(value - right) > SAME * Math.max(Math.abs(right), Math.abs(value));
  const names = givenBy(mistakes, step, made, id).filter(({ value }) => differs(value) && mayStandFor(written, value)).map(({ name }) => name);
  const { base } = readRef(id);
  const others = idsOf(base, step.array(base).dims).filter((other) => other !== id).map((other) => valueOf(step, other));
  if (others.some((value) => differs(value) && mayStandFor(written, value))) names.push("swapped_entries");
  return [...new Set(names)];
} // prettier-ignore
