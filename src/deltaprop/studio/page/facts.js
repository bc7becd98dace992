// What the page was given when it was made: names, words and formulas, and which engine there is.

/** @typedef {{ x: number[][], targets: number[][], loss: string, weights: number[], hidden: { n: number, activation: string }[],
 *   learningRate: number, optimizer: string }} Tutorial */
/** @typedef {{
 *   language: string, words: Record<string, string>, names: Record<string, Record<string, string>>,
 *   activations: string[], losses: Record<string, string>,
 *   optimizers: Record<string, Record<string, number>>, server: string | null, own: string | null, mathematics: any,
 *   tutorial: Tutorial, mend: import("./mend.js").Prepared[],
 *   mistakes: import("./mistakes.js").Mistakes, columnRules: import("./encoding.js").Rules,
 *   version: string, rules: Record<string, string>, model: { format: string, functions: Record<string, number[]> } }} Facts
 *  tutorial: its example, a network without biases.
 *  losses: what a row of targets is. optimizers: their settings, as they usually are. server: the address to ask.
 *  own: the name of a table that was given with the page. mathematics: see mathematics.py; version, rules and model: away.py. */

/** @type {Facts} */
export const facts = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("facts")).textContent ?? "");

/** A file as base64, gzipped. @typedef {{ name: string, content: string }} KeptFile */
/** A run that stands in this page: what was tried, as an address, the step at which it was taken away, the parameters
 *  that were set by hand, by step, with what else was changed, and the file that somebody dropped.
 *  @typedef {{ address: string, step: number, edits: [number, number[]][], changes?: import("./learning.js").Change[],
 *   file?: KeptFile, inNotebook?: boolean }} KeptRun */
/** The run that was taken away with this page, if there is one. @type {KeptRun | null} */
export const keptRun = JSON.parse(document.getElementById("run")?.textContent ?? "null");

/** A sentence or word, with what is put into it. @param {string} key @param {Record<string, string | number>} [values] */
export function told(key, values = {}) {
  const text = facts.words[key];
  if (text === undefined) throw new Error(`There are no words for ${key}.`);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    if (values[name] === undefined) throw new Error(`"${key}" lacks its ${name}.`);
    return String(values[name]);
  });
}

/** What something registered is called. @param {"activation" | "loss" | "optimizer"} kind @param {string} name */
export function called(kind, name) {
  return facts.names[kind][name] ?? name;
}

/** A number as it is shown where there is little room. @param {number} value @param {number} [digits] */
export function short(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
}

/** A number where there is little room. @param {number} value @param {number} [digits] */
export function brief(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const isFar = size !== 0 && (size < 1e-3 || size >= 1e4);
  const text = isFar ? value.toExponential(digits - 1).replace("e+", "e") : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}
