// One step worked out from its data: the arrays of both passes, the gradients and the update.
// The equations are those of the data (program.py); the order is that of backprop.py.
import { FUNCTIONS } from "./numbers.js";
import { settled } from "./lines.js";
import { bound, compiled, filled, softmax, values } from "./trees.js";

/** @typedef {import("./trees.js").Quantity} Quantity */
/** @typedef {any} Program */

/** The id of a number of the forward pass, after the step. @param {string} id */
export function later(id) {
  return id === "x" || id.startsWith("mask.") ? id : `${id}.after`;
}

/** The given numbers of a program, by the id of their array. @param {Program} program
 *  @returns {Map<string, Quantity>} */
export function givenOf(program) {
  return new Map(
    Object.entries(program.given).map(([id, value]) => [id, { ...quantity(value), absent: program.absent[id] }]),
  );
}

/** @param {any} value @returns {Quantity} */
function quantity(value) {
  if (typeof value === "number") return { dims: [], data: Float64Array.of(value) };
  if (!Array.isArray(value)) {
    const bytes = Uint8Array.from(atob(value.f4 || value.f8), (c) => c.charCodeAt(0)).buffer;
    return {
      dims: value.shape,
      data: value.f4 ? Float64Array.from(new Float32Array(bytes)) : new Float64Array(bytes),
    };
  }
  const dims = [];
  for (let part = value; Array.isArray(part); [part] = part) dims.push(part.length);
  return { dims, data: Float64Array.from(value.flat(Infinity)) };
}

export class Step {
  /** @param {Program} program @param {Map<string, Quantity>} given */
  constructor(program, given) {
    this.program = program;
    this.last = program.layers;
    this.arrays = new Map(given);
    this.apply = (/** @type {string} */ name, /** @type {number[]} */ ...numbers) =>
      functionOf(program, name)(numbers);
  }

  /** @param {string} id @returns {Quantity} */
  array(id) {
    const found = this.arrays.get(id);
    if (!found) throw new Error(`There is no ${id}.`);
    return found;
  }

  /** @param {string} id */
  number(id) {
    return this.array(id).data[0];
  }

  /** Work everything out. */
  run() {
    this.forward();
    this.backward();
    this.lossAsLayer();
    for (const assignment of this.program.update) this.assign(assignment, true);
    this.forward(later);
    return this;
  }

  /** In a notation where the loss is the z of a layer of its own, whose delta is 1. */
  lossAsLayer() {
    const { data } = this.array("loss");
    const one = Float64Array.of(1);
    this.arrays.set(`z.${this.last + 1}`, { dims: [1, 1], data });
    this.arrays.set(`delta.${this.last + 1}`, { dims: [1, 1], data: one });
    this.arrays.set("objective", { dims: [], data });
    this.arrays.set("first_delta", { dims: [], data: one });
  }

  /** @param {(id: string) => string} [called] */
  forward(called = (id) => id) {
    for (const assignment of this.program.forward) this.assign(assignment, false, called);
    this.output(called);
    this.losses(called);
  }

  backward() {
    this.outputDelta();
    for (const assignment of this.program.backward) this.assign(assignment, false);
    for (const assignment of this.program.gradients) this.assign(assignment, true);
    this.penalize();
  }

  /** Work out an array, or some of its columns or rows.
   *  @param {any} assignment @param {boolean} byRows @param {(id: string) => string} [called] */
  assign([to, dims, start, stop, tree], byRows, called = (id) => id) {
    const name = called(to);
    const found = values(
      bound(tree, (id) => this.array(id), called),
      this.apply,
    );
    const size = dims.reduce((/** @type {number} */ all, /** @type {number} */ n) => all * n, 1);
    const known = this.arrays.get(name);
    const fresh = start === 0 || !known;
    const data = fresh ? new Float64Array(size) : known.data;
    const absent = this.program.absent[name];
    if (fresh) this.arrays.set(name, { dims, data, absent });
    const width = dims.length ? dims[dims.length - 1] : 1;
    if (byRows) {
      const depth = dims.length === 3 ? dims[1] : 1;
      data.set(found.data.subarray(0, size), start * depth * (dims.length > 1 ? width : 1));
      for (const j of absent || []) data[j] = 0;
      return;
    }
    const cols = stop - start;
    for (let i = 0; i < found.rows; i += 1) {
      for (let j = 0; j < cols; j += 1) data[i * width + start + j] = found.data[i * found.cols + j];
    }
  }

  // the loss

  /** @param {(id: string) => string} called */
  output(called) {
    const { dims, data } = this.array(called(`z.${this.last}`));
    const p = this.program.loss.shift
      ? softmax({ rows: dims[0], cols: dims[1], data }).data
      : data.map((z) => this.apply(this.program.loss.output, z));
    this.arrays.set(called(`a.${this.last}`), { dims, data: p });
  }

  /** The targets as the loss takes them. @returns {Quantity} */
  targets() {
    const given = this.array("targets");
    const { smoothing } = this.program.loss;
    if (!smoothing) return given;
    const e = this.number("label_smoothing");
    return { dims: given.dims, data: given.data.map((t) => (1 - e) * t + e / smoothing) };
  }

  /** @param {(id: string) => string} called */
  losses(called) {
    const { n, out } = this.program;
    const t = this.targets();
    this.arrays.set("smoothed_targets", t);
    const z = this.array(called(`z.${this.last}`)).data;
    const p = this.array(called(`a.${this.last}`)).data;
    const each = new Float64Array(n);
    for (let s = 0; s < n; s += 1) {
      for (let j = s * out; j < (s + 1) * out; j += 1) each[s] += this.lossTerm(z, p, t.data, s, j);
      each[s] *= this.factor;
    }
    const shares = this.array("share").data;
    const data = each.reduce((sum, own, s) => sum + (shares[s] === 0 ? 0 : shares[s] * own), 0);
    const extra = ["l2", "l1"].map((name) => this.penalty(name, called));
    this.arrays.set(called("losses"), { dims: [n], data: each });
    extra.forEach((own, k) =>
      this.arrays.set(called(`${["l2", "l1"][k]}_penalty`), { dims: [], data: Float64Array.of(own) }),
    );
    this.arrays.set(called("loss"), { dims: [], data: Float64Array.of(data + extra[0] + extra[1]) });
  }

  /** What the loss is multiplied by, of what its formulas tell. */
  get factor() {
    const [above, below] = this.program.loss.factor;
    return above / below;
  }

  /** What one output adds to the loss of its sample, by the formula.
   *  @param {Float64Array} z @param {Float64Array} p @param {Float64Array} t @param {number} s
   *  @param {number} j its place among all */
  lossTerm(z, p, t, s, j) {
    const { loss, out } = this.program;
    if (loss.name === "cross_entropy") {
      if (t[j] === 0) return 0;
      const row = z.subarray(s * out, (s + 1) * out);
      return t[j] * (logSum(row) - (z[j] - Math.max(...row)));
    }
    if (loss.name === "binary_cross_entropy") {
      return t[j] * softplus(-z[j]) + (1 - t[j]) * softplus(z[j]);
    }
    const value = functionOf(this.program, "the loss")([z[j], t[j], p[j]]);
    return t[j] === 0 && !Number.isFinite(value) ? 0 : value;
  }

  /** dl/dz of every output, and delta: times the share of the sample. */
  outputDelta() {
    const { loss, n, out } = this.program;
    const [z, a] = [this.array(`z.${this.last}`), this.array(`a.${this.last}`)];
    const t = this.targets().data;
    const own = new Float64Array(n * out);
    const names = (/** @type {number} */ j) => [z.data[j], t[j], a.data[j]];
    const [slope, byOutput] = ["delta", "by_output"].map((name) => functionOf(this.program, `the ${name}`));
    for (let s = 0; s < n; s += 1) {
      const places = Array.from({ length: out }, (_, j) => s * out + j);
      if (loss.delta) {
        for (const j of places) own[j] = loss.through ? this.throughSlope(names(j)) : slope(names(j));
        continue;
      }
      const g = places.map((j) => byOutput(names(j)));
      const mean = places.reduce((sum, j, k) => sum + a.data[j] * g[k], 0);
      places.forEach((j, k) => (own[j] = a.data[j] * (g[k] - mean)));
    }
    own.forEach((d, j) => (own[j] = d * this.factor));
    const shares = this.array("share").data;
    const delta = own.map((d, j) => (shares[Math.floor(j / out)] === 0 ? 0 : shares[Math.floor(j / out)] * d));
    this.arrays.set("sample_delta", { dims: [n, out], data: own });
    this.arrays.set(`delta.${this.last}`, { dims: [n, out], data: delta });
  }

  /** @param {number[]} named z, t and p */
  throughSlope(named) {
    const slope = this.apply(`${this.program.loss.through}'`, named[0], named[2]);
    return slope === 0 ? 0 : functionOf(this.program, "the by_output")(named) * slope;
  }

  // penalties

  /** @param {string} name @param {(id: string) => string} called */
  penalty(name, called) {
    if (!this.program.loss[name]) return 0;
    let total = 0;
    for (const [id, , penalized] of this.program.parameters) {
      if (!penalized) continue;
      for (const w of this.array(called(id)).data) total += name === "l2" ? w * w : Math.abs(w);
    }
    return name === "l2" ? (this.strength("l2") / 2) * total : this.strength("l1") * total;
  }

  /** The strength of a penalty; 0 where there is none. @param {string} name */
  strength(name) {
    const { loss } = this.program;
    const [above, below] = loss.penalty_factor;
    return loss[name] ? this.number(name) * (above / below) : 0;
  }

  /** What the penalties add to the gradient by an array. @param {string} id */
  ofPenalties(id) {
    const [l2, l1] = ["l2", "l1"].map((name) => this.strength(name));
    return this.array(id).data.map((w) => l2 * w + l1 * Math.sign(w));
  }

  penalize() {
    for (const [id, dims] of this.program.parameters) {
      const data = this.arrays.get(`data_d${id}`);
      if (!data) continue;
      const penalties = this.ofPenalties(id);
      const whole = data.data.map((g, k) => g + penalties[k]);
      this.arrays.set(`d${id}`, { dims, data: whole });
    }
  }

  /** Whether the loss of the only sample is the whole loss. */
  get isOfOneSample() {
    return (
      this.program.n === 1 && this.number("share") === 1 && this.number("loss") === this.array("losses").data[0]
    );
  }
}

/** @type {WeakMap<Program, Map<string, (values: number[]) => number>>} */
const known = new WeakMap();

/** A function of a program: an activation, its slope, the output, or what the loss is made of.
 *  @param {Program} program @param {string} name @returns {(values: number[]) => number} */
function functionOf(program, name) {
  const found = known.get(program) || new Map();
  known.set(program, found);
  if (!found.has(name)) found.set(name, madeOf(program, name));
  return /** @type {(values: number[]) => number} */ (found.get(name));
}

/** @param {Program} program @param {string} name @returns {(values: number[]) => number} */
function madeOf(program, name) {
  const { loss } = program;
  const ofLoss = ["z", "t", "p"];
  if (name === "the loss") return ofForms([loss.value, ...loss.elsewhere], ofLoss);
  if (name.startsWith("the ")) {
    const formula = loss[name.slice(4)];
    return formula ? compiled(formula, ofLoss) : () => NaN;
  }
  if (!(name in program.functions)) return compiled(loss.forms[0], ["z"]);
  const { names, forms, stably } = program.functions[name];
  const of = stably ? compiled(stably, names) : ofForms(forms, names);
  if (names.length === 1) return of;
  // f' may ask for a = f(z) where only z is at hand
  const f = functionOf(program, name.slice(0, -1));
  return (values) => of(values.length > 1 ? values : [values[0], f(values)]);
}

/** A function that is said in one form, or in several of which one is right where it is.
 *  @param {any[]} forms @param {string[]} names @returns {(values: number[]) => number} */
function ofForms(forms, names) {
  if (forms.length === 1) return compiled(forms[0], names);
  return (values) => {
    const leaves = Object.fromEntries(names.map((id, k) => [id, { id, value: values[k] }]));
    return settled(forms.map((form) => filled(form, leaves)));
  };
}

/** log(1 + e^z) without overflow. @param {number} z */
function softplus(z) {
  return Math.max(z, 0) + FUNCTIONS.log1p(Math.exp(-Math.abs(z)));
}

/** ln sum_k exp(z_k - max z): 0 and more. @param {Float64Array} row */
export function logSum(row) {
  const top = row.indexOf(Math.max(...row));
  let others = 0;
  row.forEach((v, k) => (others += k === top ? 0 : Math.exp(v - row[top])));
  return Math.log1p(others);
}
