// The two directions in which rows differ most: see principal_axes in tables.py.

const ROUNDS = 60;
const DIRECTIONS = 8; // that are followed: the first two come the sooner, the more there are

/** By iterating on a subspace (Golub and Van Loan 2013, 8.2.4). @param {Float64Array} x row by row @param {number} width
 *  @param {number} mostNumbers of wide rows the first few are taken
 *  @returns {{ mean: Float64Array, axes: Float64Array }} axes: one below another, of length 1 or 0 */
export function principalAxes(x, width, mostNumbers) {
  const n = Math.min(x.length / width, Math.max(50, Math.floor(mostNumbers / width)));
  const mean = new Float64Array(width);
  for (let i = 0; i < n; i += 1) for (let j = 0; j < width; j += 1) mean[j] += x[i * width + j] / n;
  const about = Float64Array.from({ length: n * width }, (_, k) => x[k] - mean[k % width]);
  /** One round: the rows transposed, times the rows, times a direction. @param {Float64Array} v */
  const turned = (v) => {
    const next = new Float64Array(width);
    for (let i = 0; i < n; i += 1) {
      let along = 0;
      for (let j = 0; j < width; j += 1) along += about[i * width + j] * v[j];
      for (let j = 0; j < width; j += 1) next[j] += along * about[i * width + j];
    }
    return next;
  };
  const start = Array.from({ length: Math.min(DIRECTIONS, width) }, (_, k) =>
    Float64Array.from({ length: width }, (_, j) => Math.cos(1 + 7 * k + 3.7 * j * (k + 1))),
  );
  let kept = orthonormal(start);
  for (let round = 0; round < ROUNDS && width > kept.length; round += 1) kept = orthonormal(kept.map(turned));
  const images = kept.map(turned);
  const found = largestFirst(kept.map((v) => images.map((w) => dot(v, w))));
  const axes = new Float64Array(2 * width);
  found.slice(0, 2).forEach((shares, k) => {
    const v = mean.map((_, j) => shares.reduce((sum, share, m) => sum + share * kept[m][j], 0));
    axes.set(upright(v), k * width);
  });
  return { mean, axes };
}

/** The eigenvectors of a small symmetric matrix, by rotations (Jacobi 1846). @param {number[][]} a */
function largestFirst(a) {
  const n = a.length;
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j)));
  for (let sweep = 0; sweep < 30; sweep += 1) {
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        if (a[p][q] === 0) continue;
        const angle = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const row of a) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
        for (const pair of [a, vectors]) {
          [pair[p], pair[q]] = [pair[p].map((v, j) => c * v - s * pair[q][j]), pair[q].map((v, j) => s * pair[p][j] + c * v)];
        }
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
  return order.map((i) => vectors[i]);
}

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  let sum = 0;
  for (let j = 0; j < a.length; j += 1) sum += a[j] * b[j];
  return sum;
}

/** @param {Float64Array[]} vectors */
function orthonormal(vectors) {
  /** @type {Float64Array[]} */
  const done = [];
  for (const vector of vectors) {
    let own = vector;
    for (const other of [...done, ...done]) {
      const along = dot(own, other);
      own = own.map((v, j) => v - along * other[j]);
    }
    const size = Math.sqrt(dot(own, own));
    const isNew = size > 1e-12 * Math.sqrt(dot(vector, vector) || 1);
    done.push(own.map((v) => (isNew ? v / size : 0)));
  }
  return done;
}

/** With its largest number above 0. @param {Float64Array} v */
function upright(v) {
  const largest = v.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0);
  return largest < 0 ? v.map((each) => -each) : v;
}
