// Numbers as Python writes and computes them: digits, and the functions that formulas may have.

/** The series for erfc of the page's data. @type {number[]} */
let erfcSeries = [];

/** @param {number[]} series */
export function setErfcSeries(series) {
  erfcSeries = series;
}

/** The decimal exponent of a number that is not 0. @param {number} value */
export function exponentOf(value) {
  return Number(value.toExponential().split("e")[1]);
}

/** Significant digits and exponent, rounded half to even as Python does: JavaScript takes the
 *  larger of two that are equally near. @param {number} value @param {number} digits */
function rounded(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const exact = value.toExponential(60).split("e")[0].replace(".", "");
  if (!/^50*$/.test(exact.slice(digits)) || (exact.charCodeAt(digits - 1) & 1) === 1) {
    return [mantissa, Number(exponent)];
  }
  const even = exact.slice(0, digits);
  return [digits > 1 ? `${even[0]}.${even.slice(1)}` : even, exponentOf(value)];
}

/** A number with at most so many significant digits, as Python's format g writes it.
 *  @param {number} value @param {number} digits @returns {string} */
export function numberText(value, digits) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const [mantissa, exponent] = rounded(Math.abs(value), digits);
  const sign = value < 0 ? "-" : "";
  const figures = String(mantissa).replace(".", "");
  const at = Number(exponent);
  const shortened = (/** @type {string} */ text) =>
    text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
  if (at < -4 || at >= digits) {
    const written = shortened(figures.length > 1 ? `${figures[0]}.${figures.slice(1)}` : figures);
    const size = String(Math.abs(at)).padStart(2, "0");
    return `${sign}${written}e${at < 0 ? "-" : "+"}${size}`;
  }
  if (at < 0) return sign + shortened(`0.${"0".repeat(-at - 1)}${figures}`);
  const whole = figures.slice(0, at + 1);
  return sign + shortened(`${whole}.${figures.slice(at + 1)}`);
}

/** erfc of x >= 0, by its series. @param {number} x */
function erfc(x) {
  const t = 2 / (2 + x);
  const y = 2 * t - 1;
  let [one, two] = [0, 0];
  for (let k = erfcSeries.length - 1; k > 0; k -= 1) [one, two] = [2 * y * one - two + erfcSeries[k], one];
  const series = y * one - two + erfcSeries[0];
  return t * Math.exp(series - Math.min(x, 1e3) ** 2);
}

/** @param {number} x */
function erf(x) {
  const size = Math.abs(x);
  if (size > 1) return Math.sign(x) * (1 - erfc(size));
  let term = (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x);
  let sum = 0;
  for (let n = 1; n < 60 && sum + term !== sum; n += 1) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return sum;
}

/** The normal distribution function. @param {number} z */
function gaussian(z) {
  const tail = 0.5 * erfc(Math.abs(z) / Math.sqrt(2));
  return z < 0 ? tail : 1 - tail;
}

/** As Python's max: the first of several that are equal, also of 0 and -0.
 *  @param {number[]} values */
function largest(...values) {
  return values.reduce((best, value) => (value > best ? value : best));
}

/** What formulas may call. @type {Record<string, (...values: number[]) => number>} */
export const FUNCTIONS = {
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sqrt: Math.sqrt,
  abs: Math.abs,
  cos: Math.cos,
  sin: Math.sin,
  max: largest,
  erf,
  log1p: Math.log1p,
  expm1: Math.expm1,
  Phi: gaussian,
};

/** @param {number} base @param {number} exponent */
export function power(base, exponent) {
  return exponent === 2 ? base * base : base ** exponent;
}

/** @type {Record<string, (a: number, b: number) => boolean>} */
export const RELATIONS = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
};
