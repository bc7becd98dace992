// What a column becomes: the numbers of tabular/encoding, for numbers and words. Fitted to the rows that are learnt from.

/** @typedef {{ missing: string[], noValue: string[], targetNames: string[], mostCategories: number, manyCategories: number,
 *   distinctShare: number, fewestToDiffer: number, fewLabels: number, mostLabels: number, rowsPerLabel: number,
 *   fewWords: number, strayShare: number, fewestNumbers: number, mostClasses: number, mostInputs: number,
 *   mostNumbers: number, mostRows: number, mostTold: number, sample: number, numbersOfSample: number, numbersOfAxes: number,
 *   smallestPicture: number }} Rules  what tabular/ goes by: see typed_columns.py */
/** @typedef {{ name: string, numbers?: Float64Array, words?: string[], codes?: Int32Array, left?: string, strays?: number, asItIs?: boolean }} Column
 *  Numbers, NaN where missing; or words in order, and which of them a row has, -1 where missing. left: why it can't be read. asItIs: numbers that stay what they are. */
/** @typedef {[string, Record<string, string | number>]} Said  a key of the page's words, and what is put in */
/** @typedef {{ part: "value" | "missing" | "category", center: number, scale: number, category?: number, asItIs?: boolean }} Output */
/** @typedef {{ kind: string, done: Said[], missing: number, outputs: Output[], names: string[] }} Fitted */

const LARGEST_SCALE = 8.9e307;

/** The middle, and one over the range of the middle half (or half the whole range); 0 where all are the same.
 *  @param {number} n @param {(i: number) => number} at the values in order @returns {[number, number]} */
function scaleOf(n, at) {
  const quantile = (/** @type {number} */ q) => {
    const place = q * (n - 1);
    const below = Math.floor(place);
    const [low, high] = [at(below), at(Math.min(below + 1, n - 1))];
    return low === high ? low : low * (1 - (place - below)) + high * (place - below);
  };
  const half = quantile(0.75) / 2 - quantile(0.25) / 2;
  if (half > 0) return [quantile(0.5), Math.min(0.5 / half, LARGEST_SCALE)];
  const whole = at(n - 1) / 2 - at(0) / 2;
  if (whole > 0) return [quantile(0.5), Math.min(1 / whole, LARGEST_SCALE)];
  return [quantile(0.5), at(n - 1) === at(0) ? 0 : LARGEST_SCALE];
}

/** Of few different values, ascending, each with how often it occurs.
 *  @param {Output["part"]} part @param {[number, number][]} counts @param {number} [category] @returns {Output} */
function counted(part, counts, category) {
  const known = counts.filter(([, n]) => n > 0);
  const n = known.reduce((all, [, k]) => all + k, 0);
  const at = (/** @type {number} */ i) => {
    let edge = 0;
    for (const [value, k] of known) if (i < (edge += k)) return value;
    return NaN;
  };
  const [center, scale] = scaleOf(n, at);
  return { part, center, scale, category };
}

/** x <- (x - center) scale, clipped smoothly into (-3, 3); what is missing is 0.
 *  @param {number} value @param {Output} output */
function squash(value, { center, scale }) {
  if (Number.isNaN(value)) return 0;
  const x = Math.max(-1e30, Math.min(1e30, (value * 0.5 - center * 0.5) * (2 * scale)));
  return x / Math.hypot(1, x / 3);
}

/** @param {Column} column @param {ArrayLike<number>} rows that are learnt from @param {Rules} rules @returns {Fitted} */
export function fitted(column, rows, rules) {
  const none = { missing: 0, outputs: [], names: [] };
  if (column.left !== undefined) return { kind: "left", done: [[column.left, {}]], ...none };
  return column.numbers ? fittedNumbers(column, rows) : fittedWords(column, rows, rules);
}

/** @param {number} missing @param {number} n */
const missingOf = (missing, n) => counted("missing", [[0, n - missing], [1, missing]]); // prettier-ignore

/** @param {string} name @param {number} missing @param {number} n @param {string | number | null} only @returns {Fitted} */
function constant(name, missing, n, only) {
  if (only === null) return { kind: "constant", done: [["became empty", {}]], missing: n, outputs: [], names: [] };
  if (!missing) return { kind: "constant", done: [["became constant", { only }]], missing, outputs: [], names: [] };
  const done = /** @type {Said[]} */ ([["became constant but missing", { only }]]);
  return { kind: "constant", done, missing, outputs: [missingOf(missing, n)], names: [`${name} is missing`] };
}

/** @param {Column} column @param {ArrayLike<number>} rows @returns {Fitted} */
function fittedNumbers({ name, numbers = new Float64Array(), strays = 0, asItIs }, rows) {
  const n = rows.length;
  if (asItIs) return { kind: "numeric", done: [["became itself", {}]], missing: 0, outputs: [{ part: "value", center: 0, scale: 1, asItIs }], names: [name] };
  const known = Float64Array.from({ length: n }, (_, i) => numbers[rows[i]]).filter((v) => !Number.isNaN(v)).sort();
  const missing = n - known.length;
  if (known.length === 0) return constant(name, missing, n, null);
  const [center, scale] = scaleOf(known.length, (i) => known[i]);
  if (scale === 0) return constant(name, missing, n, known[0]);
  const told = (/** @type {number} */ v) => String(Number(v.toPrecision(6)));
  const done = /** @type {Said[]} */ ([["became number", { center: told(center), scale: told(scale) }]]);
  const outputs = [/** @type {Output} */ ({ part: "value", center, scale })];
  if (missing) done.push(["became number with gaps", {}]);
  if (strays) done.push(["became number with strays", { strays }]);
  if (missing) outputs.push(missingOf(missing, n));
  return { kind: "numeric", done, missing, outputs, names: missing ? [name, `${name} is missing`] : [name] };
}

/** @param {Column} column @param {ArrayLike<number>} rows @param {Rules} rules @returns {Fitted} */
function fittedWords({ name, words = [], codes = new Int32Array() }, rows, rules) {
  const n = rows.length;
  const counts = new Int32Array(words.length);
  let missing = 0;
  for (let i = 0; i < n; i += 1) {
    if (codes[rows[i]] < 0) missing += 1;
    else counts[codes[rows[i]]] += 1;
  }
  const there = words.map((_, k) => k).filter((k) => counts[k] > 0);
  const [different, cells] = [there.length, n - missing];
  if (different === 0) return constant(name, missing, n, null);
  if (different === 1) return constant(name, missing, n, words[there[0]]);
  const left = (/** @type {string} */ key) => ({ kind: "text", done: /** @type {Said[]} */ ([[key, { different, cells }]]), missing, outputs: [], names: [] });
  if (cells > rules.fewestToDiffer && different >= rules.distinctShare * cells) return left("became names");
  if (different === 2) {
    const [low, high] = there;
    const output = counted("value", [[-1, counts[low]], [0, missing], [1, counts[high]]], high); // prettier-ignore
    const done = /** @type {Said[]} */ ([["became two values", { low: words[low], high: words[high] }]]);
    return { kind: "binary", done, missing, outputs: [output], names: [`${name} (${words[high]}=+1)`] };
  }
  const returning = different > rules.manyCategories ? there.filter((k) => counts[k] > 1) : there;
  if (returning.length === 0) return left("became words that never return");
  const kept = [...returning].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, rules.mostCategories).sort((a, b) => a - b);
  const done = /** @type {Said[]} */ ([["became categories", { n: kept.length }]]);
  if (kept.length < different) done.push(["became rarer categories", { n: different - kept.length }]);
  const outputs = kept.map((k) => counted("category", [[0, n - counts[k]], [1, counts[k]]], k)); // prettier-ignore
  return { kind: "category", done, missing, outputs, names: kept.map((k) => `${name}=${words[k]}`) };
}

/** The numbers of a column for some rows, into a table. @param {Column} column @param {Fitted} as @param {ArrayLike<number>} rows
 *  @param {Float64Array} into @param {number} from its first output @param {number} width of the table */
export function encode({ numbers, codes }, { kind, outputs }, rows, into, from, width) {
  outputs.forEach((output, k) => {
    const [off, on] = [squash(0, output), squash(1, output)];
    for (let i = 0; i < rows.length; i += 1) {
      const [value, code] = [numbers ? numbers[rows[i]] : NaN, codes ? codes[rows[i]] : -1];
      let x = 0;
      if (output.part === "missing") x = (numbers ? Number.isNaN(value) : code < 0) ? on : off;
      else if (output.part === "category") x = code === output.category ? on : off;
      else if (kind === "binary") x = code < 0 ? off : squash(code === output.category ? 1 : -1, output);
      else x = output.asItIs ? value : squash(value, output);
      into[i * width + from + k] = x;
    }
  });
}
