// The worker of the page: it owns the kernels, the network and its rows, and answers what answers.js says.

import { tableOfBytes, tableOfColumns } from "./cells.js";
import { Engine } from "./engine.js";
import { Refused } from "./errors.js";
import { learningOf } from "./learning.js";
import { planeAlong, planeOf } from "./numbers.js";
import { chosen } from "./tables.js";

/** @typedef {import("./answers.js").Arrays} Arrays */
/** @typedef {import("./answers.js").Plan} Plan */

const SLICE = 12; // milliseconds of steps between two looks at what is asked

/** @type {Engine} */ let engine;
/** @type {import("./learning.js").Learning | null} */ let learning = null;
/** @type {Plan} */ let plan;
/** @type {import("./cells.js").Table | null} */ let table = null;
/** @type {import("./encoding.js").Rules} */ let rules;
/** @type {Pick<ReturnType<typeof chosen>, "training" | "held"> | null} */ let found = null;
let running = false;
/** @type {number | null} */ let wanted = null; // steps a second
let perSlice = 16; // steps that a slice has time for
let rate = 0;
let [dueFrom, due] = [0, 0];
const pace = { since: 0, step: 0 };

/** What is asked, by kind: plain data and arrays in, plain data and arrays out.
 *  @type {Record<string, (asked: any, arrays: Arrays) => [any, Arrays]>} */
const ANSWERS = {
  openTable({ name, form, size, told, rules: given }, arrays) {
    end();
    [table, found, rules] = [null, null, given];
    table = form === "file" ? tableOfBytes(/** @type {Uint8Array} */ (arrays.file), name, size, rules) : tableOfColumns(told, arrays);
    return [{}, {}];
  },
  choose(choice) {
    end();
    if (table === null) throw new Error("There is no table yet.");
    const { told, training, held, sample } = chosen(table, choice, rules);
    found = { training, held };
    return [told, sample];
  },
  begin({ plan: given, table: isOfTable, edits = [], changes = [] }, sent) {
    end();
    plan = given;
    learning = learningOf(engine, plan, isOfTable ? { ...sent, ...rowsOfTable(plan) } : sent, edits, changes);
    return [{ parameters: learning.network.nParameters }, {}];
  },
  try({ plan: other, steps }, arrays) {
    const tried = learningOf(engine, other, arrays);
    tried.go(steps);
    const { step, diverged, curve } = tried;
    const { loss, right } = tried.figures();
    tried.free();
    return [{ step, diverged, loss, right }, { curve: flatCurve(curve) }];
  },
  go({ steps }) {
    its().go(steps);
    return [{}, {}];
  },
  goTo({ step }) {
    running = false;
    its().goTo(step);
    return [{}, {}];
  },
  play({ rate: asked }) {
    [running, wanted] = [true, asked];
    [dueFrom, due] = [performance.now(), 0];
    [pace.since, pace.step, rate] = [dueFrom, its().step, 0];
    slice();
    return [{}, {}];
  },
  pause() {
    running = false;
    return [{}, {}];
  },
  setParameters(_, { parameters }) {
    running = false;
    its().setParameters(/** @type {Float64Array} */ (parameters));
    return [{}, {}];
  },
  setLearningRate({ learningRate }) {
    its().change({ learningRate });
    return [{}, {}];
  },
  setRow({ row }) {
    its().change({ row });
    return [{}, {}];
  },
  edits() {
    const { edits, changes } = its();
    return [{ edits: [...edits.keys()], changes }, { edits: Float64Array.from([...edits.values()].flatMap((flat) => Array.from(flat))) }];
  },
  frame({ since, plane, parameters, outputs, shown = [Infinity, Infinity] }, { base, across, up }) {
    const { network, step, diverged, curve } = its();
    const points = curve.filter((point) => point.step > since);
    /** @type {Arrays} */
    const arrays = {
      curve: flatCurve(points),
    };
    if (plane) {
      const at = across ? planeAlong(plane, base, across, up) : planeOf({ ...plane, base });
      const all = network.field(at, plane.allNeurons ? 0 : network.layers.length - 1);
      const most = plane.most ?? Infinity;
      arrays.field = joined(all.flatMap((layer, l) => (l === all.length - 1 ? layer : layer.slice(0, most))));
    }
    if (parameters) arrays.parameters = network.parameters();
    if (outputs) {
      arrays.outputs = network.evaluate("training").outputs.values.slice(0, shown[0] * network.nOut);
      if (its().rows.isHeld) arrays.heldOutputs = network.evaluate("validation").outputs.values.slice(0, shown[1] * network.nOut);
    }
    const { stepsOfEpoch } = network.position;
    const state = { step, epoch: Math.floor(step / stepsOfEpoch), stepsPerEpoch: stepsOfEpoch, running, diverged, ...its().inForce };
    return [{ ...state, rate, figures: its().figures() }, arrays];
  },
  trace() {
    const { network } = its();
    const { rows: batch, loss, gradient, dataGradient, ...before } = network.trace();
    const targets = Float64Array.from({ length: batch.length * network.nOut }, (_, k) => targetOf(batch, k, network.nOut));
    const x = before.inputs[0].values;
    /** @type {Arrays} */
    const arrays = { parameters: network.parameters(), x, targets, gradient, dataGradient, ...toldOf(before, loss, "") };
    const states = () => Array.from({ length: network.nStates }, (_, k) => network.state(k));
    states().forEach((state, k) => (arrays[`state_${k}`] = state));
    const now = network.snapshot();
    if (network.run(1).diverged === null) {
      arrays.after = network.parameters();
      states().forEach((state, k) => (arrays[`stateAfter_${k}`] = state));
      const { loss: later, ...after } = network.trace(batch);
      Object.assign(arrays, toldOf(after, later, ".after"));
    }
    network.restore(now);
    return [{ loss, rows: Array.from(batch), step: its().step }, arrays];
  },
};

/** A pass as arrays by their ids. @param {Pick<import("./network.js").Trace, "z" | "a" | "delta" | "losses">} trace
 *  @param {number} loss @param {"" | ".after"} when @returns {Arrays} */
function toldOf({ z, a, delta, losses }, loss, when) {
  const found = z.flatMap((matrix, l) => [
    [`z.${l + 1}${when}`, matrix.values],
    [`a.${l + 1}${when}`, a[l].values],
    ...(when ? [] : [[`delta.${l + 1}`, delta[l].values]]),
  ]);
  return Object.fromEntries([...found, [`losses${when}`, losses], [`loss${when}`, Float64Array.of(loss)]]);
}

/** @param {import("./learning.js").Point[]} points */
function flatCurve(points) {
  return Float64Array.from(points.flatMap((p) => [p.step, p.loss, p.held, p.right, p.heldRight]));
}

function end() {
  running = false;
  learning?.free();
  learning = null;
}

/** The rows of the table, as begin takes them. @param {Plan} plan @returns {Arrays} */
function rowsOfTable({ sizes, loss }) {
  if (found === null) throw new Error("There is no table yet.");
  const isOfLabels = engine.names.losses[loss] === "distribution";
  const out = sizes[sizes.length - 1];
  /** @type {Arrays} */
  const arrays = {};
  for (const [of, part] of /** @type {const} */ ([["", found.training], ["held", found.held]])) {
    if (part === null) continue;
    const called = (/** @type {string} */ name) => (of ? of + name[0].toUpperCase() + name.slice(1) : name);
    arrays[called("x")] = part.x;
    if (part.answers instanceof Float64Array) arrays[called("targets")] = part.answers;
    else arrays[called("answers")] = part.answers;
    if (isOfLabels) arrays[called("labels")] = part.answers;
    else if (part.answers instanceof Int32Array) {
      const { answers } = part;
      arrays[called("targets")] = Float64Array.from({ length: part.n * out }, (_, k) => Number(answers[Math.floor(k / out)] === k % out));
    }
  }
  return arrays;
}

/** The k-th number of a batch's targets. @param {Int32Array} batch @param {number} k @param {number} out */
function targetOf(batch, k, out) {
  const row = batch[Math.floor(k / out)];
  const { given, targets } = its();
  return given.labels ? Number(given.labels[row] === k % out) : Number(targets?.[row * out + (k % out)]);
}

function its() {
  if (learning === null) throw new Error("There is no network yet.");
  return learning;
}

/** @param {Float32Array[]} arrays */
function joined(arrays) {
  const all = new Float32Array(arrays.reduce((n, array) => n + array.length, 0));
  let place = 0;
  for (const array of arrays) {
    all.set(array, place);
    place += array.length;
  }
  return all;
}

/** Some steps, and then whatever was asked meanwhile. */
function slice() {
  if (!running || learning === null) return;
  const began = performance.now();
  if (wanted === null) {
    learning.go(perSlice);
    const took = performance.now() - began;
    perSlice = Math.max(1, Math.min(perSlice * 2, Math.round((perSlice * SLICE) / Math.max(took, 0.1))));
  } else {
    // what is owed by now; what there is no time for is let go
    const owed = Math.floor(((began - dueFrom) / 1000) * wanted) - due;
    for (let k = 0; k < owed && performance.now() - began < SLICE && learning.diverged === null; k += 1) learning.go(1);
    due += owed;
  }
  const now = performance.now();
  if (now - pace.since > 500) {
    rate = ((learning.step - pace.step) / (now - pace.since)) * 1000;
    [pace.since, pace.step] = [now, learning.step];
  }
  if (learning.diverged !== null) running = false;
  if (running) soon();
}

// a timer waits 4 ms at least, a message does not
const channel = new MessageChannel();
channel.port1.onmessage = () => slice();
function soon() {
  if (wanted === null) channel.port2.postMessage(null);
  else setTimeout(slice, Math.min(16, 1000 / wanted));
}

self.onmessage = async ({ data: { id, kind, asked, arrays } }) => {
  try {
    if (kind === "kernels") {
      engine = new Engine(await WebAssembly.compile(arrays.kernels));
      self.postMessage({ id, answer: engine.names, arrays: {} });
      return;
    }
    const [answer, found] = ANSWERS[kind](asked, arrays);
    self.postMessage({ id, answer, arrays: found }, { transfer: Object.values(found).map((array) => array.buffer) });
  } catch (error) {
    running = false;
    const said = error instanceof Refused ? error.said : null;
    self.postMessage({ id, refused: said ?? (error instanceof Error ? error.message : String(error)) });
  }
};
