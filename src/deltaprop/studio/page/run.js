// The run that is shown: begun from a setup, driven by the controls, looked at once a frame.

import { PageBackend, ServerBackend, runAt } from "./backend.js";
import { engineBytes } from "./engine.js";
import { facts, keptRun } from "./facts.js";
import { isTable } from "./open_table.js";
import { forgetTables, prepare } from "./own.js";
import { planeOf } from "./plane.js";
import { problemOf } from "./problem.js";
import { fromAddress, lossesOf, setup, toAddress } from "./setup.js";
import { batch, computed, effect, signal } from "./vendored/preact.js";
import { withBiases, withoutBiases } from "./weights.js";

/** @typedef {import("./answers.js").Frame} Frame */
/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {import("./problem.js").Part} Part */
/** @typedef {import("./problem.js").Shown} Shown */
/** @typedef {Frame & { field: Float32Array, parameters: Float64Array, curve: Float64Array[] }} Look
 *  curve: step, loss, held, right, heldRight, each an array. */

/** @typedef {"forward" | "loss" | "backward" | "update"} Phase */

/** @type {Phase[]} */ export const PHASES = ["forward", "loss", "backward", "update"];
export const SIDE = 48; // points of a field across and down
export const REACH = 1.15; // of the plane, from the middle
const DRAWN = 16; // neurons of a hidden layer, and inputs; of more the first are drawn

/** @type {{ value: Shown | null }} */ export const shown = signal(null);
/** @type {{ value: Look | null }} */ export const look = signal(null);
/** What the network makes of the points, row by row, where somebody looks at it.
 *  @type {{ value: { outputs: Float64Array, heldOutputs: Float64Array | null } | null }} */
export const judged = signal(null);
export const judges = signal(false);
/** Which plane fields lie over. @type {{ value: import("./plane.js").Axes }} */ export const axes = signal(null);
export const plane = computed(() => shown.value && planeOf(shown.value, axes.value));
export const playing = signal(false);
/** Steps a second; null: as many as there can be; "phases": one phase a second. */
export const speed = signal(/** @type {number | "phases" | null} */ (null));
export const trouble = signal(/** @type {string | null} */ (null));
/** Whether there is somebody to ask. */
export const isReady = signal(false);
export const where = signal(/** @type {"page" | "server"} */ ("page"));
/** What of a step is looked at: of the one that comes, or in "update" of the one that was just taken. */
/** @type {{ value: Phase | null }} */
export const phase = signal(null);

/** @type {PageBackend | ServerBackend} */ let backend;
let begun = 0; // runs, so that an answer about one that is over is not shown
let ofRun = 0; // which run is shown: while another begins, the one before
/** @type {number[][]} */ let points = [];
let asking = false;
let again = false; // to be looked at once more
let played = 0; // times, so that a look of before does not end it
let judgeAgain = 0; // when outputs may be asked for again, while it runs
let walking = 0; // the timer of the next phase
let orders = 0; // of the controls
/** @type {Shown} */ let asBegun; // without what was changed by hand
/** @type {import("./facts.js").KeptRun | null} */ let kept = keptRun; // until something else was tried
let knocking = 0; // the timer of looking whether the server is back

/** @param {string} id */
const textOf = (id) => document.getElementById(id)?.textContent ?? "";

export async function start() {
  const kernels = textOf("kernels");
  if (facts.server !== null) {
    await connected(facts.server);
  } else {
    const own = new PageBackend(textOf("worker"));
    await own.begin(/** @type {Uint8Array<ArrayBuffer>} */ (await engineBytes(kernels)));
    backend = own;
  }
  where.value = /** @type {"page"} */ (backend.where);
  performance.mark("engine ready");
  isReady.value = true;
  effect(() => void begin(setup.value));
  effect(() => {
    if (plane.value) void refresh();
  });
  requestAnimationFrame(watch);
}

/** @param {string} path */
async function connected(path) {
  const next = new ServerBackend(runAt(path), () => lost(path));
  await next.opened();
  backend = next;
}

/** The server has gone: it is asked again and again, and when it is back, what the address says is begun anew.
 *  @param {string} path */
function lost(path) {
  clearTimeout(walking);
  [playing.value, walking, trouble.value] = [false, 0, "server gone"];
  clearTimeout(knocking);
  knocking = setTimeout(async () => {
    try {
      await connected(path);
    } catch {
      return; // then it was lost again
    }
    forgetTables();
    trouble.value = null;
    await begin(setup.value);
  }, 1000);
}

/** @param {import("./setup.js").Setup} wish */
async function begin(wish) {
  begun += 1;
  const own = begun;
  clearTimeout(walking);
  [playing.value, walking] = [false, 0]; // whoever plays from here on plays what begins
  /** @type {ReturnType<typeof problemOf>} */ let problem;
  try {
    if (isTable(wish.data.name)) {
      await null; // a setup is begun from within an effect, which is to follow the setup alone
      const isHere = await prepare((kind, asked, arrays) => backend.ask(kind, asked, arrays), wish);
      if (own !== begun) return;
      if (!isHere) return nothing();
      const losses = lossesOf(wish.data);
      if (!losses.includes(wish.loss)) {
        setup.value = { ...wish, loss: losses[0] };
        return;
      }
    }
    problem = problemOf(wish);
    const { plan, table, arrays } = problem;
    if (kept && toAddress(fromAddress(kept.address)) !== toAddress(wish)) kept = null;
    const edits = kept?.edits ?? [];
    if (edits.length) arrays.edits = Float64Array.from(edits.flatMap(([, flat]) => flat));
    if (problem.shown.training.x.length === 0) return nothing();
    await backend.ask("begin", { plan, table, edits: edits.map(([step]) => step), changes: kept?.changes ?? [] }, arrays);
  } catch (error) {
    if (own === begun) [playing.value, trouble.value, ofRun] = [false, /** @type {Error} */ (error).message, own]; // the one before goes on
    return;
  }
  if (own !== begun) return;
  try {
    const first = await frameOf(problem.shown, -1, false);
    if (own !== begun) return;
    batch(() => {
      [points, asBegun, ofRun] = [[], problem.shown, own];
      [phase.value, judged.value, shown.value] = [null, null, problem.shown];
      show(first);
    });
  } catch (error) {
    if (own === begun) trouble.value = /** @type {Error} */ (error).message;
    return;
  }
  requestAnimationFrame(() => performance.mark("first frame"));
  if (kept) await goOnTo(kept.step);
}

/** Go on as far as a run that was kept had come, unless somebody drives meanwhile. @param {number} step */
async function goOnTo(step) {
  kept = null;
  const [own, order] = [begun, orders];
  for (let now = 0; now < step && own === begun && order === orders && !look.value?.diverged; ) {
    const steps = Math.min(step - now, 5000);
    await backend.ask("go", { steps });
    await refresh();
    now += steps;
  }
}

/** There are no points yet, or no table: nothing runs, and nothing is shown. */
function nothing() {
  if (playing.peek()) void backend.ask("pause", {});
  clearTimeout(walking);
  [walking, playing.value, phase.value, trouble.value] = [0, false, null, null];
  [shown.value, look.value] = [null, null];
}

/** How many neurons of each layer are drawn: of the last one all. @param {number[]} sizes */
export function drawnOf(sizes) {
  const isPicture = Boolean(shown.value?.table?.picture);
  return sizes.map((n, layer) => (layer === sizes.length - 1 ? n : layer === 0 && isPicture ? 1 : Math.min(n, DRAWN)));
}

/** How many rows the page has, to learn from and held out: of a large table the first.
 *  @param {Shown} of @returns {[number, number]} */
const shownRows = ({ training, held }) => [training.x.length, held.x.length];

/** @param {Shown} of @param {number} since which step the curve is asked for @param {boolean} outputs
 *  @returns {Promise<{ answer: Frame, arrays: Arrays }>} */
function frameOf(of, since, outputs) {
  const { base, across, up } = planeOf(of, axes.value);
  const ends = /** @type {[number, number]} */ ([-REACH, REACH]);
  const over = { x: ends, y: ends, columns: SIDE, rows: SIDE, allNeurons: true, most: DRAWN };
  return backend.ask("frame", { since, plane: over, parameters: true, outputs, shown: shownRows(of) }, { base, across, up });
}

/** Look at the run as it is now. */
async function refresh() {
  again = asking;
  if (asking || shown.value === null || ofRun !== begun) return;
  asking = true;
  const own = begun;
  const before = played;
  try {
    const since = points.length ? points[points.length - 1][0] : -1;
    const outputs = judges.value && (!playing.value || performance.now() > judgeAgain);
    const began = performance.now();
    const now = await frameOf(shown.value, since, outputs);
    if (own !== begun) return;
    if (outputs) judgeAgain = performance.now() + Math.max(150, 5 * (performance.now() - began));
    show(now);
    if (!now.answer.running && !walking && before === played) playing.value = false;
  } catch (error) {
    if (own === begun) trouble.value = /** @type {Error} */ (error).message;
  } finally {
    asking = false;
    if (again) void refresh();
  }
}

/** @param {{ answer: Frame, arrays: Arrays }} now */
function show({ answer: frame, arrays }) {
  const fresh = Array.from({ length: arrays.curve.length / 5 }, (_, k) => Array.from(arrays.curve.slice(5 * k, 5 * k + 5)));
  const last = fresh.length ? fresh[0][0] : Infinity;
  points = thinned([...points.filter(([step]) => step < Math.min(last, frame.step + 1)), ...fresh]);
  const { step, loss, held, right, heldRight } = frame.figures;
  const all = points.length && points[points.length - 1][0] === step ? points : [...points, [step, loss, held, right, heldRight]];
  if (arrays.outputs) {
    const { outputs, heldOutputs = null } = /** @type {Record<string, Float64Array>} */ (arrays);
    judged.value = { outputs, heldOutputs };
  }
  trouble.value = frame.diverged ? "diverged" : null;
  showChanges(frame);
  look.value = {
    ...frame,
    field: /** @type {Float32Array} */ (arrays.field),
    parameters: asPlaced(/** @type {Float64Array} */ (arrays.parameters)),
    curve: [0, 1, 2, 3, 4].map((k) => Float64Array.from(all.map((point) => point[k] ?? NaN))),
  };
}

/** Flat parameters as the page places them. @param {Float64Array} flat */
function asPlaced(flat) {
  const { plan, sizes } = /** @type {Shown} */ (shown.value);
  return plan.biases ? flat : withBiases(flat, sizes);
}

/** Show learning rate and rows as they are now. @param {Frame} frame */
function showChanges({ learningRate, rows }) {
  const now = /** @type {Shown} */ (shown.value);
  const { plan, training, classes } = asBegun;
  const isSame = now.plan.learningRate === learningRate && JSON.stringify(now.changed ?? []) === JSON.stringify(rows);
  if (isSame) return;
  const [x, answers] = [[...training.x], [...training.answers]];
  for (const [row, ...numbers] of rows) {
    x[row] = numbers.slice(0, x[row].length);
    if (!classes && numbers.length > x[row].length) answers[row] = numbers[x[row].length];
  }
  shown.value = { ...now, plan: { ...plan, learningRate }, training: { x, answers }, changed: rows };
}

/** Of too many points every other one, the first and the last kept. @param {number[][]} all */
function thinned(all) {
  return all.length <= 1500 ? all : all.filter((_, k) => k % 2 === 0 || k === all.length - 1);
}

/** Once a frame: where it runs, look. */
function watch() {
  if (playing.value && !walking && !asking) void refresh();
  requestAnimationFrame(watch);
}

/** Look at what is made of the points, too, or no more. @param {boolean} wanted */
export function judge(wanted) {
  judges.value = wanted;
  if (wanted) void refresh();
  else judged.value = null;
}

// the controls

/** @param {() => Promise<unknown>} work */
async function doing(work) {
  orders += 1;
  try {
    await work();
  } catch (error) {
    trouble.value = /** @type {Error} */ (error).message;
  }
  await refresh();
}

export function play() {
  played += 1;
  playing.value = true;
  clearTimeout(walking);
  if (speed.value === "phases") {
    walking = setTimeout(walk);
    return doing(() => backend.ask("pause", {}));
  }
  [walking, phase.value] = [0, null];
  const rate = speed.value;
  return doing(() => backend.ask("play", { rate }));
}

/** One phase a second, until somebody pauses. */
async function walk() {
  const own = begun;
  await onePhase();
  if (playing.value && walking && own === begun && trouble.value === null) walking = setTimeout(walk, 1000);
  else if (walking) await pause();
}

export function pause() {
  clearTimeout(walking);
  [playing.value, walking] = [false, 0];
  return doing(() => backend.ask("pause", {}));
}

/** @param {number} steps */
export function go(steps) {
  phase.value = null;
  return doing(() => backend.ask("go", { steps }));
}

export function epoch() {
  const { step, stepsPerEpoch } = /** @type {Look} */ (look.value);
  return go(stepsPerEpoch - (step % stepsPerEpoch));
}

/** @param {number} step */
export function goTo(step) {
  phase.value = null;
  return doing(() => backend.ask("goTo", { step: Math.max(step, 0) }));
}

/** The next phase of a step: three are looked at, the fourth takes it. */
export async function onePhase() {
  const next = PHASES[phase.value ? (PHASES.indexOf(phase.value) + 1) % PHASES.length : 0];
  const own = begun;
  if (next === "update") await doing(() => backend.ask("go", { steps: 1 }));
  if (own === begun) phase.value = next;
}

/** Change something by hand, of the step that comes. @param {() => Promise<unknown>} ask */
function changing(ask) {
  if (phase.value === "update") phase.value = null;
  points = points.filter(([step]) => step < /** @type {Look} */ (look.value).step); // it comes anew
  return doing(ask);
}

/** @param {Float64Array} parameters */
export function setParameters(parameters) {
  const { plan, sizes } = /** @type {Shown} */ (shown.value);
  const own = plan.biases ? parameters : withoutBiases(parameters, sizes);
  return changing(() => backend.ask("setParameters", {}, { parameters: own }));
}

/** @param {number} learningRate */
export function setLearningRate(learningRate) {
  return changing(() => backend.ask("setLearningRate", { learningRate }));
}

/** Another row to learn from, and where numbers are asked for, another target. @param {number} row @param {number[]} numbers */
export function setRow(row, numbers) {
  return changing(() => backend.ask("setRow", { row: [row, ...numbers] }));
}

/** Try another run beside the one that is shown. @param {import("./answers.js").Plan} plan @param {Arrays} arrays
 *  @param {number} steps @returns {Promise<{ answer: import("./answers.js").TriedAnswer, arrays: Arrays }>} */
export function tryRun(plan, arrays, steps) {
  return backend.ask("try", { plan, steps }, arrays);
}

export function trace() {
  return backend.ask("trace", {});
}

/** What is needed to play the run again: see KeptRun. @returns {Promise<import("./facts.js").KeptRun>} */
export async function runToKeep() {
  const { answer, arrays } = await backend.ask("edits", {});
  const n = arrays.edits.length / answer.edits.length;
  const edits = answer.edits.map((/** @type {number} */ step, /** @type {number} */ k) => [step, Array.from(arrays.edits.slice(k * n, (k + 1) * n))]);
  return { address: toAddress(setup.value), step: /** @type {Look} */ (look.value).step, edits, changes: answer.changes };
}

/** A worked example in a form that Python writes, where there is a server. @param {unknown} example @param {string} form
 *  @returns {Promise<string>} */
export async function explained(example, form) {
  const { answer } = await backend.ask("explain", { example, form, language: facts.language });
  return answer.text;
}

/** The numbers of the run, for whoever wants them from outside, such as a browser's console. */
async function numbersNow() {
  const { arrays } = await backend.ask("frame", { since: 2 ** 53, plane: null, parameters: true, outputs: true, shown: shownRows(/** @type {Shown} */ (shown.value)) });
  return { parameters: Array.from(arrays.parameters), outputs: Array.from(arrays.outputs) };
}
Object.assign(globalThis, { deltapropNumbers: numbersNow });
