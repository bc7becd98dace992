// A text of cells, or the bytes that it comes in, as columns of numbers and of words: what the page reads by itself.

import { Refused } from "./errors.js";
import { Papa } from "./vendored/papaparse.js";

/** @typedef {import("./encoding.js").Column} Column */
/** @typedef {import("./encoding.js").Rules} Rules */
/** @typedef {import("./encoding.js").Said} Said */
/** @typedef {{ name: string, columns: Column[], notes: Said[], target: string }} Table */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?\d+(,\d+)?$/;
const EXACT = 2 ** 53;
const MOST_COLUMNS = 20000;

/** The text of bytes: UTF-8, or what Chinese Windows writes, or Western. @param {Uint8Array} bytes @param {boolean} isPart */
function textOf(bytes, isPart) {
  if (bytes.subarray(0, 4000).includes(0) && !(bytes[0] + bytes[1] === 0x1fd)) throw new Refused("table binary");
  const encodings = bytes[0] === 0xff ? ["utf-16le"] : bytes[0] === 0xfe ? ["utf-16be"] : ["utf-8", "gb18030", "windows-1252"];
  for (const encoding of encodings) {
    try {
      // a part may end within a letter: only what is whole is decoded
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: isPart }), encoding };
    } catch {
      // the next one
    }
  }
  throw new Refused("table binary");
}

/** @param {Uint8Array} bytes @param {string} name @param {number} size of the whole file, of which these may be the first
 *  @param {Rules} rules @returns {Table} */
export function tableOfBytes(bytes, name, size, rules) {
  const isPart = size > bytes.length;
  const { text, encoding } = textOf(bytes, isPart);
  if (text.trim() === "") throw new Refused("table empty", { name });
  const { data, meta } = Papa.parse(text, { skipEmptyLines: "greedy" });
  /** @type {string[][]} */
  const rows = data;
  if (isPart) rows.pop();
  const [first] = rows;
  if (!first || (rows.length < 2 && !first.some((cell) => NUMBER.test(cell.trim())))) throw new Refused("table only header", { name });
  if (first.length > MOST_COLUMNS) throw new Refused("table too wide", { columns: first.length, most: MOST_COLUMNS });
  const odd = rows.findIndex((row) => row.length !== first.length);
  if (odd > 0) throw new Refused("table ragged", { row: odd + 1, found: rows[odd].length, expected: first.length });
  if (first.length < 2) throw new Refused("table one column", { name });
  const hasHeader = !first.some((cell) => NUMBER.test(cell.trim()));
  const names = first.map((cell, k) => (hasHeader && cell.trim()) || `column_${k + 1}`);
  const twice = names.find((one, k) => names.indexOf(one) !== k && names.length < 2000);
  if (twice !== undefined) throw new Refused("table name twice", { name: twice });
  const body = hasHeader ? rows.slice(1) : rows;
  /** @type {Said[]} */
  const notes = [];
  if (!hasHeader) notes.push(["note no header", { n: names.length }]);
  if (encoding !== "utf-8") notes.push(["note encoding", { encoding }]);
  if (isPart) notes.push(["note first part", { size: Math.round(size / 1e6), rows: body.length }]);
  const columns = names.map((each, k) => columnOf(each, body.map((row) => row[k]), meta.delimiter !== ",", rules)); // prettier-ignore
  return { name, columns, notes, target: "" };
}

/** @param {string} name @param {string[]} given @param {boolean} mayHaveCommas @param {Rules} rules @returns {Column} */
function columnOf(name, given, mayHaveCommas, rules) {
  const [missing, noValue] = [new Set(rules.missing), new Set(rules.noValue)];
  const cells = given.map((cell) => cell.trim()).map((cell) => (cell === "" || missing.has(cell) ? null : cell));
  const known = /** @type {string[]} */ (cells.filter((cell) => cell !== null && !noValue.has(cell)));
  const isComma = mayHaveCommas && known.some((cell) => cell.includes(",")) && known.every((cell) => COMMA.test(cell));
  const read = (/** @type {string} */ cell) => (isComma ? cell.replace(",", ".") : cell);
  const odd = known.filter((cell) => !NUMBER.test(read(cell))).length;
  const isFew = odd <= rules.strayShare * known.length && known.length - odd >= rules.fewestNumbers;
  if (known.length > 0 && (odd === 0 || isFew) && !areCodes(known)) {
    const numbers = Float64Array.from(cells, (cell) => (cell !== null && NUMBER.test(read(cell)) ? Number(read(cell)) : NaN));
    if (numbers.every((v) => Number.isNaN(v) || Number.isFinite(v))) return { name, numbers, strays: odd };
  }
  const areTruths = known.length > 0 && known.every((cell) => /^(true|false)$/i.test(cell));
  const texts = areTruths ? cells.map((cell) => cell?.toLowerCase() ?? null) : cells;
  const words = [...new Set(/** @type {string[]} */ (texts.filter((cell) => cell !== null)))].sort();
  const code = new Map(words.map((word, k) => [word, k]));
  return { name, words, codes: Int32Array.from(texts, (cell) => (cell === null ? -1 : Number(code.get(cell)))) };
}

/** Whether they are numbers that name something, as 02134, or have more digits than a number keeps. @param {string[]} cells */
function areCodes(cells) {
  const digits = cells.filter((cell) => /^[+-]?\d+$/.test(cell));
  if (2 * digits.length < cells.length) return false;
  if (digits.some((cell) => cell.length > 15 && Math.abs(Number(cell)) > EXACT)) return true;
  const zeros = cells.filter((cell) => /^0\d/.test(cell)).length;
  if (zeros === 0 || cells.some((cell) => /^[+-]?\d*\.\d/.test(cell))) return false;
  return new Set(digits.map((cell) => cell.length)).size === 1 || zeros > 0.05 * digits.length;
}

/** A table whose columns are known: see typed_columns.py.
 *  @param {{ name: string, target: string, notes: Said[], columns: { name: string, words?: string[], left?: string, asItIs?: boolean }[] }} told
 *  @param {import("./frames.js").Arrays} arrays @returns {Table} */
export function tableOfColumns({ name, target, notes, columns }, arrays) {
  const read = columns.map((column, k) => {
    const cells = arrays[`c${k}`];
    if (column.left !== undefined) return column;
    if (column.words) return { ...column, codes: Int32Array.from(cells) };
    return { ...column, numbers: Float64Array.from(cells) };
  });
  return { name, target, notes, columns: read };
}
