// A network that the kernels of a page train: what it is, its numbers, its steps, and how to look at them.

import { describe, slotsOf } from "./description.js";
import { flat, matrix, planeOf, required, whole } from "./numbers.js";

/** @typedef {import("./description.js").Description} Description */
/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").Numbers} Numbers */
/** @typedef {import("./numbers.js").Matrix} Matrix */
/** @typedef {"training" | "validation"} Which which rows: to learn from, or to judge by */
/** @typedef {{ x: Numbers | Numbers[], labels?: Numbers, targets?: Numbers | Numbers[], weights?: Numbers }} Table
 *  Rows of inputs, flat or one by one; a class for each, from 0, or a row of targets each; what each row counts (of
 *  weight 0 nothing; dp.train leaves such rows out before it cuts batches). */
/** @typedef {"forward" | "loss" | "backward" | "update"} Phase */
/** @typedef {"z" | "a" | "inputs" | "delta"} Kept */
/** @typedef {{
 *   epoch: number, step: number, stepsOfEpoch: number, stepsDone: number, learningRate: number, batchLoss: number,
 *   epochLoss: number, lastEpochLoss: number, diverged: string | null }} Position
 *  Before which step of which epoch it stands, both from 0. batchLoss: of the last step, before it; epochLoss: the mean
 *  over the rows that this epoch has visited so far. diverged: what of the step that comes is not finite. */
/** @typedef {{ loss: number, dataLoss: number, l2Penalty: number, l1Penalty: number }} Cost the sum, and its parts */
/** @typedef {Cost & {
 *   rows: Int32Array, z: Matrix[], a: Matrix[], inputs: Matrix[], delta: Matrix[], outputs: Matrix, losses: Float64Array,
 *   parameters: Float64Array, gradient: Float64Array, dataGradient: Float64Array, after?: Float64Array }} Trace
 *  A batch on its way, in float64. z[l], a[l], delta[l] and inputs[l], what the layer reads, are of layer l + 1;
 *  parameters and gradients are flat, as network.slots says; dataGradient is without the penalties. losses: of each row
 *  by itself. after: the parameters behind the step, where it was done. */

const KEPT = /** @type {Kept[]} */ (["z", "a", "inputs", "delta"]);
const PHASES = /** @type {Phase[]} */ (["forward", "loss", "backward", "update"]);
const DIVERGED = [null, "the loss", "a gradient", "a parameter"];
const DOUBLE = 8;

/** @param {Float64Array} parts @returns {Cost} */
function costOf([dataLoss, l2Penalty, l1Penalty]) {
  return { loss: dataLoss + l2Penalty + l1Penalty, dataLoss, l2Penalty, l1Penalty };
}

export class Network {
  #engine;
  #at;
  #phase = 0; // that comes next
  /** @type {Trace | null} */ #trace = null;

  /** Made by Engine.create. @param {Engine} engine @param {Description} description */
  constructor(engine, description) {
    const { text, layers } = describe(description, engine.names);
    const bytes = new TextEncoder().encode(text);
    this.#engine = engine;
    this.#at = engine.withRoom([bytes.length], (at) => {
      engine.write(at, bytes);
      return engine.call("dp_create", at, bytes.length);
    });
    if (this.#at === 0) engine.refuse();
    this.description = description;
    this.layers = layers;
    this.nIn = layers[0].n_in;
    this.nOut = layers[layers.length - 1].n_out;
    this.nParameters = this.#call("dp_parameters");
    this.nStates = this.#call("dp_states");
  }

  /** Which run of the flat parameters is which array. */
  get slots() {
    return slotsOf(this.layers);
  }

  /** Gives its memory back; nothing else may be asked of it afterwards. */
  free() {
    if (this.#at !== 0 && this.#engine.fault === null) this.#call("dp_destroy");
    this.#at = 0;
  }

  // its numbers

  /** A copy of W, b, ... of all layers, one after another. */
  parameters() {
    return this.#read(-1);
  }
  /** @param {Numbers} values */
  setParameters(values) {
    this.#write(-1, values, "The parameters");
  }
  /** A copy of what the optimizer keeps for each parameter. @param {number} which from 0 */
  state(which) {
    required(whole(which, 0, this.nStates - 1), `The optimizer keeps ${this.nStates} numbers for each parameter.`);
    return this.#read(which);
  }
  /** @param {number} which @param {Numbers} values */
  setState(which, values) {
    required(whole(which, 0, this.nStates - 1), `The optimizer keeps ${this.nStates} numbers for each parameter.`);
    this.#write(which, values, "A state of the optimizer");
  }
  /** @param {number} eta */
  setLearningRate(eta) {
    required(Number.isFinite(eta), "A learning rate is a finite number.");
    this.#changed();
    this.#call("dp_set_rate", eta);
  }

  /** Rows to learn from, or to judge by. With as many as before the epoch goes on; with more or fewer it begins anew.
   *  @param {Which} which @param {Table} table */
  setRows(which, { x, labels, targets, weights }) {
    const inputs = flat(x, this.nIn, "x");
    const n = inputs.length / this.nIn;
    required(!labels !== !targets, "Rows have labels or targets.");
    required(!labels || labels.length === n, `There are ${n} rows and ${labels?.length} labels.`);
    required(!weights || weights.length === n, `There are ${n} rows and ${weights?.length} weights.`);
    const areLabels = !labels || Array.from(labels).every((label) => whole(label, 0, this.nOut - 1));
    required(areLabels, `Labels are whole numbers from 0 to ${this.nOut - 1}.`);
    const wanted = targets && flat(targets, this.nOut, "targets");
    const counts = weights && flat(weights, 1, "weights");
    const nTargets = wanted ? wanted.length / this.nOut : n;
    required(nTargets === n, `There are ${n} rows and targets of ${nTargets}.`);
    const engine = this.#engine;
    const isValidation = this.#isValidation(which);
    this.#changed();
    const arrays = [inputs, labels, wanted, counts];
    const places = engine.allocAll(arrays.map((array) => (array ? array.length * DOUBLE : null)));
    arrays.forEach((array, i) => {
      if (array && i === 1) engine.integers(places[i], n).set(array);
      else if (array) engine.doubles(places[i], array.length).set(array);
    });
    this.#ask("dp_take_rows", isValidation, n, ...places); // which are the kernels' own now, whatever they answer
  }

  // its steps

  /** Takes steps, through as many epochs as they are. Where one cannot be taken because something is not finite, it stands
   *  before that one. @param {number} steps
   *  @returns {{ steps: number, epochLosses: number[], diverged: string | null }} */
  run(steps) {
    required(whole(steps, 0, 2 ** 53), "A number of steps is a whole number.");
    this.#changed();
    const epochLosses = [];
    for (let left = steps; ; ) {
      const before = this.position.epoch;
      const done = this.#ask("dp_run", Math.min(left, 2 ** 31 - 1));
      left -= done;
      const { epoch, lastEpochLoss, diverged } = this.position;
      if (epoch > before) epochLosses.push(lastEpochLoss);
      if (left === 0 || diverged !== null) return { steps: steps - left, epochLosses, diverged };
    }
  }

  /** The steps that are left of the epoch. */
  epoch() {
    const { step, stepsOfEpoch } = this.position;
    return this.run(stepsOfEpoch - step);
  }

  /** The next part of a step: forward, loss and backward only look at it, update takes it.
   *  @returns {{ phase: Phase, trace: Trace, diverged: string | null }} */
  phase() {
    const at = this.#phase;
    let trace = at === 0 || this.#trace === null ? this.trace() : this.#trace;
    let diverged = null;
    if (PHASES[at] === "update") {
      diverged = this.run(1).diverged;
      if (diverged === null) trace = { ...trace, after: this.parameters() };
    }
    this.#trace = trace;
    this.#phase = diverged === null ? (at + 1) % PHASES.length : at;
    return { phase: PHASES[at], trace, diverged };
  }

  /** @returns {Position} */
  get position() {
    const found = this.#doubles(9, (at) => this.#call("dp_position", at));
    const [epoch, step, stepsOfEpoch, stepsDone, learningRate, batchLoss, epochLoss, lastEpochLoss, why] = found;
    const diverged = DIVERGED[why];
    return { epoch, step, stepsOfEpoch, stepsDone, learningRate, batchLoss, epochLoss, lastEpochLoss, diverged };
  }

  /** All that decides what comes next: from it a network of the same description, with as many rows, goes on with the
   *  same bits. */
  snapshot() {
    return this.#doubles(this.#call("dp_snapshot_size"), (at) => this.#call("dp_snapshot", at));
  }
  /** @param {Float64Array} snapshot */
  restore(snapshot) {
    this.#changed();
    this.#doubles(snapshot.length, (at) => {
      this.#engine.doubles(at, snapshot.length).set(snapshot);
      this.#ask("dp_restore", at, snapshot.length);
    });
  }

  // to look at them

  /** The batch that comes next, with its masks; or rows that are named, as a batch of their own without masks.
   *  @param {Numbers} [rows] @param {Which} [which] @returns {Trace} */
  trace(rows, which = "training") {
    const engine = this.#engine;
    required(!rows || Array.from(rows).every((row) => whole(row, 0, 2 ** 31 - 1)), "Rows have whole numbers from 0.");
    const n = rows
      ? engine.withRoom([4 * rows.length], (at) => {
          engine.integers(at, rows.length).set(rows);
          return this.#ask("dp_trace_rows", this.#isValidation(which), at, rows.length);
        })
      : this.#ask("dp_trace_next");
    const cost = costOf(this.#doubles(3, (at) => this.#call("dp_traced_cost", at)));
    const of = (/** @type {Kept} */ kept) =>
      this.layers.map((layer, l) => {
        const columns = kept === "inputs" ? layer.n_in : layer.n_out;
        return matrix(this.#doubles(n * columns, (at) => this.#call("dp_traced", KEPT.indexOf(kept), l, at)), columns);
      });
    const gradient = (/** @type {number} */ whole) =>
      this.#doubles(this.nParameters, (at) => this.#call("dp_traced_gradient", whole, at));
    const a = of("a");
    const numbers = engine.integers(this.#call("dp_traced_rows"), 2 * n).filter((_, i) => i % 2 === 0);
    return {
      rows: numbers, z: of("z"), a, inputs: of("inputs"), delta: of("delta"), outputs: a[a.length - 1],
      losses: engine.doubles(this.#call("dp_traced_losses"), n).slice(),
      ...cost, parameters: this.parameters(), gradient: gradient(1), dataGradient: gradient(0),
    };
  }

  /** What the rows that were traced last cost at other parameters, with the same masks: nothing is changed by it.
   *  @param {Numbers} parameters @returns {Cost} */
  lossAt(parameters) {
    this.#checked(parameters, "The parameters");
    const n = this.nParameters;
    const found = this.#doubles(n + 3, (at) => {
      this.#engine.doubles(at, n).set(parameters);
      this.#ask("dp_cost_at", at, at + n * DOUBLE);
    });
    return costOf(found.subarray(n));
  }

  /** The mean loss over rows, without penalties, and the outputs of each. @param {Which} which */
  evaluate(which) {
    const isValidation = this.#isValidation(which);
    const n = this.#call("dp_rows", isValidation);
    let loss = NaN;
    const outputs = this.#doubles(n * this.nOut + 1, (at) => {
      this.#ask("dp_evaluate", isValidation, at, at + DOUBLE);
      loss = this.#engine.doubles(at, 1)[0];
    });
    return { loss, outputs: matrix(outputs.slice(1), this.nOut) };
  }

  /** What a layer makes of other rows: z, or a, which of the last one are the outputs.
   *  @param {Numbers | Numbers[]} x @param {number} [layer] from 0; the last one unless told @param {"z" | "a"} [kept] */
  predict(x, layer = this.layers.length - 1, kept = "a") {
    required(whole(layer, 0, this.layers.length - 1), `There are layers 0 to ${this.layers.length - 1}.`);
    const inputs = flat(x, this.nIn, "x");
    const columns = this.layers[layer].n_out;
    const n = inputs.length / this.nIn;
    const out = this.#doubles(inputs.length + n * columns, (at) => {
      this.#engine.doubles(at, inputs.length).set(inputs);
      this.#call("dp_predict", at, n, KEPT.indexOf(kept), layer, at + inputs.length * DOUBLE);
    });
    return matrix(out.slice(inputs.length), columns);
  }

  /** a of every neuron of some layers on a plane, or in a picture: for each layer, for each neuron, columns x rows numbers
   *  row by row. @param {import("./numbers.js").Plane | import("./numbers.js").Picture} given
   *  @param {number} [first] layer, from 0; the last one unless told @param {number} [last] @returns {Float32Array[][]} */
  field(given, first = this.layers.length - 1, last = this.layers.length - 1) {
    const plane = "x" in given ? planeOf(given) : given;
    const { columns, rows } = plane;
    required(whole(columns, 1, 1e5) && whole(rows, 1, 1e5), "A plane has a column and a row at least.");
    const most = this.layers.length - 1;
    required(whole(first, 0, last) && whole(last, first, most), `There are layers 0 to ${most}.`);
    const axes = /** @type {const} */ (["origin", "across", "down"]).map((name) => flat(plane[name], this.nIn, name));
    required(axes.every((axis) => axis.length === this.nIn), `A plane has ${this.nIn} numbers for each of its axes.`);
    const layers = this.layers.slice(first, last + 1);
    const points = columns * rows;
    const n = layers.reduce((sum, layer) => sum + layer.n_out, 0) * points;
    const found = this.#engine.withRoom([3 * this.nIn * DOUBLE, 4 * n], (at, out) => {
      const places = axes.map((_, i) => at + i * this.nIn * DOUBLE);
      axes.forEach((axis, i) => this.#engine.doubles(places[i], this.nIn).set(axis));
      this.#call("dp_field", ...places, columns, rows, first, last, out);
      return this.#engine.floats(out, n).slice();
    });
    let from = 0;
    return layers.map((layer) => Array.from({ length: layer.n_out }, () => found.subarray(from, (from += points))));
  }

  #here() {
    required(this.#at !== 0, "This network was given back.");
    return this.#at;
  }
  /** @param {string} name @param {number[]} numbers */
  #call(name, ...numbers) {
    return this.#engine.call(name, this.#here(), ...numbers);
  }
  /** @param {string} name @param {number[]} numbers */
  #ask(name, ...numbers) {
    return this.#engine.ask(name, this.#here(), ...numbers);
  }
  /** What a call writes into room for so many numbers. @param {number} n @param {(at: number) => unknown} work */
  #doubles(n, work) {
    return this.#engine.withRoom([n * DOUBLE], (at) => {
      work(at);
      return this.#engine.doubles(at, n).slice();
    });
  }
  /** @param {number} which */
  #read(which) {
    return this.#doubles(this.nParameters, (at) => this.#call("dp_get", which, at));
  }
  /** @param {number} which @param {Numbers} values @param {string} what */
  #write(which, values, what) {
    this.#checked(values, what);
    this.#changed();
    this.#doubles(this.nParameters, (at) => {
      this.#engine.doubles(at, this.nParameters).set(values);
      this.#call("dp_set", which, at);
    });
  }
  /** @param {Numbers} values @param {string} what */
  #checked(values, what) {
    required(values.length === this.nParameters, `${what} are ${this.nParameters} numbers, not ${values.length}.`);
    required(Array.from(values).every(Number.isFinite), `${what} are finite numbers.`);
  }
  /** @param {Which} which */
  #isValidation(which) {
    required(which === "training" || which === "validation", "Rows are for training or for validation.");
    return Number(which === "validation");
  }
  /** What was looked at is no longer what comes. */
  #changed() {
    this.#phase = 0;
    this.#trace = null;
  }
}
