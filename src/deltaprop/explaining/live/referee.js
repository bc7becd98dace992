// What is measured and told of a step: central differences, what each sample adds, what the step
// promised. The rules are those of checking/gradients.py, samples.py and curvature.py.
import { Step } from "./step.js";

const EPSILON = 2 ** -52;
const STEPS = [1e-3, 1e-4, 1e-5, 1e-6]; // from wide to narrow
const TOLERANCE = 1e-6;
const [BLIND, LEAST_BLIND] = [1e-3, 1e-3];
const OF_A_UNIT = 1e-4;

/** @typedef {{verdict: "right" | "wrong" | "kink" | "undecided", measured: number, error: number,
 *    noise: number, claimed: number}} Proof */

/** A pass over the same batch at other parameters, without an update.
 *  @param {Step} step @param {Map<string, import("./trees.js").Quantity>} others */
function passAt(step, others) {
  const given = new Map(Object.keys(step.program.given).map((id) => [id, step.array(id)]));
  for (const [id, array] of others) given.set(id, array);
  const pass = new Step(step.program, given);
  pass.forward();
  return pass;
}

/** What the gradients are those of: where the step has the penalties', the loss of the data.
 *  @param {Step} step */
function objectiveOf(step) {
  const extra = ["l2_penalty", "l1_penalty"].map((name) => step.number(name));
  return step.number("loss") - (step.program.loss.in_gradient ? 0 : extra[0] + extra[1]);
}

/** That with one parameter moved. @param {Step} step @param {string} id @param {number} place
 *  @param {number} shift */
function lossBeside(step, id, place, shift) {
  const { dims, data } = step.array(id);
  const moved = Float64Array.from(data);
  moved[place] += shift;
  return objectiveOf(passAt(step, new Map([[id, { dims, data: moved }]])));
}

/** @param {number} stated @param {number} number @param {number} noise */
function relativeError(stated, number, noise) {
  const error = Math.abs(stated - number) - noise;
  if (!Number.isFinite(error)) return Infinity;
  return error <= 0 ? 0 : error / Math.max(Math.abs(stated), Math.abs(number));
}

/** What central differences say of a gradient.
 *  @param {Step} step @param {string} id of the parameter's array @param {number} place
 *  @param {number} claimed @returns {Proof} */
export function proofOf(step, id, place, claimed) {
  const here = objectiveOf(step);
  /** @type {Proof} */
  let best = { verdict: "wrong", measured: NaN, error: Infinity, noise: 0, claimed };
  let [curvature, wider, noise, measured] = [0, NaN, 0, NaN];
  /** @type {number[]} */
  let slopes = [];
  let h = 0;
  for (h of STEPS) {
    const [right, left, farRight, farLeft] = [h, -h, 2 * h, -2 * h].map((shift) =>
      lossBeside(step, id, place, shift),
    );
    measured = (8 * (right - left) - (farRight - farLeft)) / (12 * h);
    const size = Math.max(h, ...[here, right, left, farRight, farLeft].map(Math.abs));
    noise = (8 * EPSILON * size) / h;
    const error = relativeError(claimed, measured, noise);
    if (h === STEPS[0]) curvature = Math.abs(right - 2 * here + left) / h ** 2;
    if (error < best.error || Number.isNaN(best.measured)) best = { ...best, measured, error };
    if (error <= TOLERANCE) return { verdict: "right", measured, error, noise, claimed };
    slopes = [farRight - right, right - here, here - left, left - farLeft];
    if (Math.abs(measured - wider) <= 2 * noise + 0.1 * TOLERANCE * Math.abs(measured)) break;
    wider = measured;
  }
  const jump = (Math.max(...slopes) - Math.min(...slopes)) / h - 3 * curvature * h;
  const sizes = slopes.map((slope) => Math.abs(slope) / h);
  const kink = jump > 1e-3 * (Math.max(...sizes) + Math.min(...sizes)) + 4 * noise;
  return kink ? { verdict: "kink", measured, error: 0, noise, claimed } : { ...best, noise };
}

/** Proofs of gradients, those undecided that only noise calls right. @param {Proof[]} proofs
 *  @returns {Proof[]} */
export function decided(proofs) {
  const sizes = proofs.map(({ measured }) => Math.abs(measured)).filter(Number.isFinite);
  const blind = Math.max(BLIND * Math.max(0, ...sizes), LEAST_BLIND);
  return proofs.map((proof) => {
    const { verdict, claimed, measured, noise } = proof;
    const excused = verdict === "right" && (relativeError(claimed, measured, 0) > TOLERANCE || measured === 0);
    return noise > blind && excused ? { ...proof, verdict: "undecided" } : proof;
  });
}

/** The first number of a step that is beyond all numbers; nothing follows from it.
 *  @param {Step} step @returns {{name: string, value: number} | null} */
export function beyond(step) {
  const { layers, parameters } = step.program;
  const numbered = Array.from({ length: layers }, (_, k) => k + 1);
  const names = [
    ...numbered.flatMap((k) => [`z.${k}`, `a.${k}`]),
    ...[...numbered].reverse().map((k) => `delta.${k}`),
    ...parameters.map((/** @type {any} */ [id]) => `d${id}`),
    "loss",
  ];
  for (const name of names) {
    const { dims, data } = step.array(name);
    const place = data.findIndex((value) => !Number.isFinite(value));
    if (place < 0) continue;
    const index =
      dims.length > 1 ? `[${Math.floor(place / dims[1])},${place % dims[1]}]` : dims.length ? `[${place}]` : "";
    return { name: `${name}${index}`, value: data[place] };
  }
  return null;
}

// promise and fact

/** The parameters before and after, one after another.
 *  @param {Step} step @param {string} [prefix] @param {string} [suffix] */
function flat(step, prefix = "", suffix = "") {
  return step.program.parameters.flatMap((/** @type {any} */ [id]) => [
    ...step.array(`${prefix}${id}${suffix}`).data,
  ]);
}

/** The gradient of the whole loss. @param {Step} step */
function slopes(step) {
  if (step.program.loss.in_gradient) return flat(step, "d");
  return step.program.parameters.flatMap((/** @type {any} */ [id, , penalized]) => {
    const extra = penalized ? step.ofPenalties(id) : null;
    return Array.from(step.array(`d${id}`).data, (g, k) => g + (extra ? extra[k] : 0));
  });
}

/** @param {number[]} one @param {number[]} other */
const dot = (one, other) => one.reduce((sum, v, k) => sum + v * other[k], 0);

/** What the step promised, how the loss bends, and what it brought. @param {Step} step */
export function promiseOf(step) {
  const [before, after, gradient] = [flat(step), flat(step, "", ".after"), slopes(step)];
  const moved = after.map((/** @type {number} */ w, /** @type {number} */ k) => w - before[k]);
  const [loss, again] = [step.number("loss"), step.number("loss.after")];
  return {
    before: loss,
    after: again,
    brought: again - loss,
    promised: dot(gradient, moved),
    bent: bending(step, before, moved),
    crossed: crossedKinks(step),
  };
}

/** step . H step / 2, by central differences of the gradient along the step.
 *  @param {Step} step @param {number[]} before @param {number[]} moved */
function bending(step, before, moved) {
  const largest = Math.max(...moved.map(Math.abs));
  const length =
    largest *
    Math.sqrt(
      dot(
        moved.map((v) => v / largest),
        moved.map((v) => v / largest),
      ),
    );
  if (largest === 0 || !Number.isFinite(length)) return largest === 0 ? 0 : NaN;
  const unit = moved.map((v) => v / length);
  const slopeAt = (/** @type {number} */ t) => {
    let place = 0;
    const others = new Map();
    for (const [id, dims] of step.program.parameters) {
      const { data } = step.array(id);
      others.set(id, { dims, data: data.map((_, k) => before[place + k] + t * OF_A_UNIT * unit[place + k]) });
      place += data.length;
    }
    const pass = passAt(step, others);
    pass.backward();
    return dot(slopes(pass), unit);
  };
  const [nearer, further] = [1, 2].map((m) => slopeAt(m) - slopeAt(-m));
  return (((8 * nearer - further) / (12 * OF_A_UNIT)) * length ** 2) / 2;
}

/** How many hidden values passed a kink of their activation. @param {Step} step */
function crossedKinks(step) {
  let count = 0;
  for (const [id, kinks] of step.program.kinks) {
    const after = step.arrays.get(`${id}.after`) || step.array(id);
    step.array(id).data.forEach((value, k) => {
      for (const kink of kinks) count += value > kink !== after.data[k] > kink ? 1 : 0;
    });
  }
  return count;
}

// the batch

/** What each sample adds to the gradient of the data. @param {Step} step */
export function batchOf(step) {
  const { n, gradients } = step.program;
  const parts = Array.from({ length: n }, (_, s) => {
    const alone = new Step(step.program, step.arrays);
    for (const [id, array] of step.arrays) {
      if (!/^delta(_\w+)?\.\d+$/.test(id)) continue;
      const cols = array.dims[1];
      alone.arrays.set(id, {
        dims: array.dims,
        data: array.data.map((v, k) => (Math.floor(k / cols) === s ? v : 0)),
      });
    }
    for (const assignment of gradients) alone.assign(assignment, true);
    const whole = gradients.filter((/** @type {any} */ assignment) => assignment[2] === 0);
    return /** @type {number[]} */ (whole.flatMap((/** @type {any} */ [to]) => [...alone.array(to).data]));
  });
  const largest = Math.max(...parts.flat().map(Math.abs)) || 1;
  const scaled = parts.map((part) => part.map((v) => v / largest));
  const inner = scaled.map((one) => scaled.map((other) => dot(one, other)));
  const lengths = inner.map((row, s) => Math.sqrt(Math.max(row[s], 0)));
  const norm = Math.sqrt(
    Math.max(
      inner.flat().reduce((sum, v) => sum + v, 0),
      0,
    ),
  );
  const losses = step.array("losses").data;
  const samples = inner.map((row, s) => ({
    sample: s,
    loss: losses[s],
    norm: lengths[s] * largest,
    cosine: cosine(
      row.reduce((sum, v) => sum + v, 0),
      lengths[s],
      norm,
    ),
  }));
  const total = lengths.reduce((sum, v) => sum + v, 0);
  return {
    samples,
    norm: norm * largest,
    uncancelled: total > 0 ? norm / total : 1,
    conflict: conflictOf(inner, lengths),
  };
}

/** @param {number} inner @param {number} one @param {number} other */
function cosine(inner, one, other) {
  return one > 0 && other > 0 ? Math.min(1, Math.max(-1, inner / (one * other))) : 0;
}

/** The two samples that pull apart most. @param {number[][]} inner @param {number[]} lengths
 *  @returns {[number, number, number] | null} */
function conflictOf(inner, lengths) {
  /** @type {[number, number, number] | null} */
  let worst = null;
  inner.forEach((row, s) =>
    row.forEach((v, r) => {
      const own = cosine(v, lengths[s], lengths[r]);
      if (s < r && own < (worst ? worst[2] : 0)) worst = [s, r, own];
    }),
  );
  return worst;
}
