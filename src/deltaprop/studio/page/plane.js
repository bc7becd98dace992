// The plane that fields and regions lie over: two of the inputs, or the two directions in which the rows differ most.

/** @typedef {import("./problem.js").Shown} Shown */
/** @typedef {"principal" | [number, number] | null} Axes  which plane is wished; null: as is usual */
/** @typedef {{
 *   base: Float64Array, across: Float64Array, up: Float64Array, names: [string, string],
 *   at: (row: ArrayLike<number>, k: number) => [number, number], kind: Axes }} Plane
 *  Its points are base + u across + v up; rows lie from -1 to 1 in it. at: where the k-th row does. */

/** The inputs that may be an axis: amounts, no categories. @param {Shown} shown */
export const amountsOf = ({ inputs }) => inputs.flatMap(([, isAmount], i) => (isAmount ? [i] : []));

/** @param {Shown} shown @param {Axes} wish @returns {Plane} */
export function planeOf(shown, wish) {
  const { inputs, table } = shown;
  const n = inputs.length;
  if (table === null) {
    const [base, across, up] = [Float64Array.of(0, 0), Float64Array.of(1, 0), Float64Array.of(0, 1)];
    return { base, across, up, names: ["x1", "x2"], at: (row) => [row[0], row[1]], kind: [0, 1] };
  }
  const amounts = amountsOf(shown);
  const usual = table.picture || amounts.length < 2 ? "principal" : /** @type {[number, number]} */ ([amounts[0], amounts[1]]);
  const isSound = wish === "principal" || (wish !== null && wish.every((i) => amounts.includes(i)) && wish[0] !== wish[1]);
  const kind = isSound ? wish : usual;
  const unit = (/** @type {number} */ i) => Float64Array.from({ length: n }, (_, j) => Number(i === j));
  const directions = Array.isArray(kind) ? kind.map(unit) : [table.axes.slice(0, n), table.axes.slice(n)];
  const { mean } = table;
  const along = (/** @type {ArrayLike<number>} */ row, /** @type {Float64Array} */ direction) => {
    let sum = 0;
    for (let j = 0; j < n; j += 1) if (direction[j] !== 0) sum += (row[j] - mean[j]) * direction[j];
    return sum;
  };
  const scales = directions.map((direction) => {
    const places = [...table.x, ...table.heldX].map((row) => along(row, direction));
    const [low, high] = places.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    return { middle: (low + high) / 2, half: (high - low) / 2 };
  });
  const base = mean.map((v, j) => v + scales.reduce((sum, { middle }, k) => sum + middle * directions[k][j], 0));
  const [across, up] = directions.map((direction, k) => direction.map((v) => v * (scales[k].half || 1)));
  // where all rows lie on a line, they are spread beside it, so that each is seen
  const at = (/** @type {ArrayLike<number>} */ row, /** @type {number} */ k) =>
    /** @type {[number, number]} */ (scales.map(({ middle, half }, d) => (half > 0 ? (along(row, directions[d]) - middle) / half : ((k * 0.618034) % 1) * 1.6 - 0.8)));
  const names = /** @type {[string, string]} */ (Array.isArray(kind) ? kind.map((i) => inputs[i][0]) : ["", ""]);
  return { base, across, up, names, at, kind };
}
