// A network of the kernels that learns step by step, and goes back to the same bits: see learning.py.

/** @typedef {import("./network.js").Network} Network */
/** @typedef {{ step: number, loss: number, held: number, right: number, heldRight: number }} Point
 *  Mean losses without penalties, and the shares that are right; NaN where there is none. */

const EVERY = 64; // steps from one snapshot to the next
const MOST_SNAPSHOTS = 64;
const MOST_NUMBERS = 16e6; // of all snapshots together
const POINTS = 512; // of the curve
const JUDGED = 2000; // rows that a figure is taken of, where there are more

/** What was changed by hand at a step, besides parameters: the learning rate, and rows to learn from, [row, ...x] or
 *  [row, ...x, ...targets]. @typedef {{ step: number, learningRate: number | null, rows: number[][] }} Change */
/** @typedef {{ learningRate: number, x: ArrayLike<number>, labels?: any, targets?: ArrayLike<number> }} Given  as it was begun */

export class Learning {
  /** @type {{ step: number, numbers: Float64Array }[]} */ #snapshots = [];
  #pointsApart = 1;
  #isChanged = false; // whether the kernels have rows that are not those it was begun with
  /** @type {Point[]} */ curve = [];
  step = 0;
  /** @type {string | null} */ diverged = null;

  /** @param {Network} network with its rows and its parameters
   *  @param {{ labels?: ArrayLike<number>, heldLabels?: ArrayLike<number>, isHeld: boolean }} rows
   *  @param {Given} given
   *  @param {Map<number, Float64Array>} [edits] the parameters that were set by hand, by the number of steps before
   *  @param {Change[]} [changes] the rest of what was
   *  @param {Network} [judge] a network with the first of many rows, by which figures are taken */
  constructor(network, rows, given, edits = new Map(), changes = [], judge = network) {
    this.judge = judge;
    this.network = network;
    this.rows = rows;
    this.given = given;
    this.targets = given.targets; // as they are now, where they are no labels
    this.edits = edits;
    this.changes = changes;
    this.#edit();
    this.#keep();
    this.#enter();
  }

  /** Take n steps, or as many as stay finite. @param {number} n */
  go(n) {
    const end = this.step + n;
    while (this.step < end && this.diverged === null) {
      const [kept, entered] = [next(this.step, EVERY), next(this.step, this.#pointsApart)];
      const edited = [...this.edits.keys(), ...this.changes.map((one) => one.step)].filter((step) => step > this.step);
      const to = Math.min(end, kept, entered, ...edited);
      const { steps, diverged } = this.network.run(to - this.step);
      this.step += steps;
      this.diverged = diverged;
      if (diverged !== null) return;
      this.#edit();
      if (this.step === kept) this.#keep();
      if (this.step === entered) this.#enter();
    }
  }

  /** Go back, or forward, to where so many steps have been taken. @param {number} step */
  goTo(step) {
    if (step < this.step) {
      this.#snapshots = this.#snapshots.filter((one) => one.step <= step);
      const last = this.#snapshots[this.#snapshots.length - 1];
      this.curve = this.curve.filter((point) => point.step <= last.step);
      this.network.restore(last.numbers);
      this.step = last.step;
      this.diverged = null;
      this.#apply();
    }
    this.go(step - this.step);
  }

  /** Go on with other parameters; what was changed by hand from here on before is forgotten. @param {Float64Array} flat */
  setParameters(flat) {
    this.edits.set(this.step, flat);
    this.#goOnFrom();
  }

  /** Go on with another learning rate, or with another row. @param {{ learningRate?: number, row?: number[] }} wish */
  change({ learningRate, row }) {
    const own = this.changes.find((one) => one.step === this.step) ?? { step: this.step, learningRate: null, rows: [] };
    const rows = row ? [...own.rows.filter(([which]) => which !== row[0]), row] : own.rows;
    const changed = { step: this.step, learningRate: learningRate ?? own.learningRate, rows };
    this.changes = [...this.changes.filter((one) => one.step !== this.step), changed];
    this.#goOnFrom();
  }

  /** What has been changed by hand up to here: the learning rate, and each row that is another one. */
  get inForce() {
    const past = this.changes.filter((one) => one.step <= this.step).sort((a, b) => a.step - b.step);
    const rows = new Map(past.flatMap((one) => one.rows.map((row) => [row[0], row])));
    return { learningRate: past.reduce((rate, one) => one.learningRate ?? rate, this.given.learningRate), rows: [...rows.values()] };
  }

  /** From here on it is another run. */
  #goOnFrom() {
    this.edits = new Map([...this.edits].filter(([step]) => step <= this.step));
    this.changes = this.changes.filter((one) => one.step <= this.step);
    this.#edit();
    this.diverged = null;
    this.#snapshots = this.#snapshots.filter((one) => one.step < this.step);
    this.#keep();
    if (this.curve[this.curve.length - 1].step !== this.step) return;
    this.curve.pop();
    this.#enter();
  }

  /** Set what was set by hand at this step, if anything was. */
  #edit() {
    const flat = this.edits.get(this.step);
    if (flat) this.network.setParameters(flat);
    if (this.changes.some((one) => one.step === this.step)) this.#apply();
  }

  /** Learn by the learning rate, and from the rows, that there are now. */
  #apply() {
    if (this.changes.length === 0 && !this.#isChanged) return;
    const { learningRate, rows } = this.inForce;
    this.network.setLearningRate(learningRate);
    const { x, labels, targets } = this.given;
    if (!this.#isChanged && rows.length === 0) return;
    this.#isChanged = rows.length > 0;
    const [inputs, wanted] = [Float64Array.from(x), targets && Float64Array.from(targets)];
    const { nIn, nOut } = this.network;
    for (const [row, ...numbers] of rows) {
      inputs.set(numbers.slice(0, nIn), row * nIn);
      wanted?.set(numbers.slice(nIn), row * nOut);
    }
    this.targets = wanted;
    this.network.setRows("training", labels ? { x: inputs, labels } : { x: inputs, targets: wanted });
  }

  /** Give its memory back. */
  free() {
    this.network.free();
    if (this.judge !== this.network) this.judge.free();
  }

  /** What the rows come to now. @returns {Point} */
  figures() {
    const { labels, heldLabels, isHeld } = this.rows;
    if (this.judge !== this.network) this.judge.setParameters(this.network.parameters());
    const [loss, right] = this.#figures("training", labels);
    const [held, heldRight] = isHeld ? this.#figures("validation", heldLabels) : [NaN, NaN];
    return { step: this.step, loss, held, right, heldRight };
  }

  /** @param {"training" | "validation"} which @param {ArrayLike<number> | undefined} labels */
  #figures(which, labels) {
    const { loss, outputs } = this.judge.evaluate(which);
    if (!labels) return [loss, NaN];
    let right = 0;
    for (let i = 0; i < outputs.rows; i += 1) right += Number(chosen(outputs, i) === labels[i]);
    return [loss, right / outputs.rows];
  }

  /** Of too many snapshots the one is forgotten that is missed least. */
  #keep() {
    const kept = this.#snapshots;
    kept.push({ step: this.step, numbers: this.network.snapshot() });
    const most = Math.max(3, Math.min(MOST_SNAPSHOTS, Math.floor(MOST_NUMBERS / kept[0].numbers.length)));
    if (kept.length <= most) return;
    // how far one would have to be repeated without it, beside how long ago that is
    let [least, place] = [Infinity, 1];
    for (let i = 1; i + 1 < kept.length; i += 1) {
      const before = kept[i - 1].step;
      const missed = (kept[i + 1].step - before) / (this.step - before);
      if (missed < least) [least, place] = [missed, i];
    }
    kept.splice(place, 1);
  }

  #enter() {
    this.curve.push(this.figures());
    if (this.curve.length <= POINTS) return;
    this.#pointsApart *= 2;
    this.curve = this.curve.filter((point) => point.step % this.#pointsApart === 0);
  }
}

/** A network that a plan describes, with its rows and first weights; whoever asks for it frees it.
 *  @param {import("./engine.js").Engine} engine @param {import("./answers.js").Plan} plan
 *  @param {import("./frames.js").Arrays} arrays those of a beginning @param {number[]} [edits] steps of arrays.edits
 *  @param {Change[]} [changes] */
export function learningOf(engine, plan, arrays, edits = [], changes = []) {
  const { sizes, activations, loss, optimizer, learningRate, l2, l1, batchSize, seed, biases } = plan;
  const told = {
    layers: sizes.slice(1).map((n_out, l) => ({
      ...(l === 0 ? { n_in: sizes[0] } : {}), n_out, activation: activations[l] ?? "identity", bias: biases,
    })),
    loss, l2, l1, batch_size: batchSize, seed, rule: optimizer,
  }; // prettier-ignore
  const network = engine.create(told);
  network.setLearningRate(learningRate);
  network.setRows("training", rowsOf(arrays.x, arrays.labels, arrays.targets));
  const isHeld = Boolean(arrays.heldX?.length);
  if (isHeld) network.setRows("validation", rowsOf(arrays.heldX, arrays.heldLabels, arrays.heldTargets));
  network.setParameters(arrays.parameters);
  const { nParameters } = network;
  const edited = new Map(edits.map((step, k) => [step, Float64Array.from(arrays.edits.slice(k * nParameters, (k + 1) * nParameters))]));
  const given = { learningRate, x: arrays.x, labels: arrays.labels, targets: arrays.targets };
  const rows = { labels: arrays.answers, heldLabels: arrays.heldAnswers, isHeld };
  let judge = network;
  if (arrays.x.length > JUDGED * sizes[0]) {
    const first = (/** @type {any} */ all, /** @type {number} */ width) => all?.slice(0, JUDGED * width);
    const out = sizes[sizes.length - 1];
    judge = engine.create(told);
    judge.setRows("training", rowsOf(first(arrays.x, sizes[0]), first(arrays.labels, 1), first(arrays.targets, out)));
    if (isHeld) judge.setRows("validation", rowsOf(first(arrays.heldX, sizes[0]), first(arrays.heldLabels, 1), first(arrays.heldTargets, out)));
  }
  return new Learning(network, rows, given, edited, changes, judge);
}

/** @param {any} x @param {any} labels @param {any} targets */
function rowsOf(x, labels, targets) {
  return labels ? { x, labels } : { x, targets };
}

/** The first multiple that lies behind a step. @param {number} step @param {number} apart */
function next(step, apart) {
  return (Math.floor(step / apart) + 1) * apart;
}

/** The class that a row's outputs choose: of one output, whether it is more than a half.
 *  @param {import("./numbers.js").Matrix} outputs @param {number} row */
export function chosen({ columns, values }, row) {
  if (columns === 1) return Number(values[row] > 0.5);
  let best = row * columns;
  for (let j = best + 1; j < (row + 1) * columns; j += 1) if (values[j] > values[best]) best = j;
  return best - row * columns;
}
