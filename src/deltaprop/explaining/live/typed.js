// What somebody types as a number: read, and held to what its place can take.

/** A number as people write it: 0.5, 0,5, 1/3, -2, 1e-3, also with full-width digits.
 *  @param {string} text @returns {number} NaN where it is none */
export function readNumber(text) {
  const plain = text
    .normalize("NFKC")
    .replace(/[\u2212\u2013]/g, "-")
    .replace(/\s+/g, "");
  const parts = plain.split("/").map((part) => {
    const point = part.includes(".") ? part : part.replace(",", ".");
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(point) ? Number(point) : NaN;
  });
  if (parts.length > 2 || (parts.length === 2 && parts[1] === 0)) return NaN;
  const value = parts.length === 2 ? parts[0] / parts[1] : parts[0];
  return value === 0 ? 0 : value;
}

/** Why a number cannot stand in its place: a key of the wording; "" where it can.
 *  @param {string} id @param {number} value @param {any} program */
export function unfit(id, value, program) {
  if (Number.isNaN(value)) return "live no number";
  if (!Number.isFinite(value)) return "live too far";
  const quantity = id.split(/[.[]/)[0];
  const reach =
    quantity === "targets" ? program.loss.targets : quantity === "share" ? "positive" : program.reach[id];
  switch (reach) {
    case "positive":
      return value > 0 ? "" : "live above zero";
    case "at least zero":
    case "count":
      return value >= 0 ? "" : "live from zero";
    case "below one":
      return value >= 0 && value < 1 && (value > 0 || quantity !== "label_smoothing") ? "" : "live below one";
    case "unit":
    case "distribution":
      return value >= 0 && value <= 1 ? "" : "live share";
    case "whole":
      return Number.isInteger(value) && value >= 1 ? "" : "live whole";
    default:
      return "";
  }
}

/** The other targets of a sample where they add up to 1: they share what one leaves.
 *  @param {ArrayLike<number>} row @param {number} place @param {number} value @returns {number[]} */
export function sharedOut(row, place, value) {
  const others = Array.from(row, (t, k) => (k === place ? 0 : t));
  const total = others.reduce((sum, t) => sum + t, 0);
  return others.map((t, k) => {
    if (k === place) return value;
    return total > 0 ? (t / total) * (1 - value) : (1 - value) / (row.length - 1);
  });
}
