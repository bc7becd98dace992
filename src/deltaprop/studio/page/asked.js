// The number that is asked about, in the step that comes next: its line, what it is made of, and what it makes.

import { lineOf } from "../../explaining/live/lines.js";
import { symbolsOf } from "../../explaining/live/mathml.js";
import { numberText } from "../../explaining/live/numbers.js";
import { Origins } from "../../explaining/live/origins.js";
import { Step } from "../../explaining/live/step.js";
import { partsOfLine } from "../../explaining/live/write_lines.js";
import { facts, told } from "./facts.js";
import { asTold, stepOf, symbolsFor } from "./program.js";
import { look, phase, shown, trace, trouble } from "./run.js";
import { computed, effect, signal } from "./vendored/preact.js";

/** @typedef {{ id: string, symbol: string, parts: string, value: string, leaves: string[] }} Asked  a line, as HTML
 *  and its number in all 17 digits */

/** @typedef {{
 *   step: number, rows: number[], worked: Step, of: Float64Array, plan: import("./answers.js").Plan, origins: Origins }} Worked
 *  A step: which, of which rows, its numbers, and of which parameters. */

/** What was asked about, "n.1.3", "w.2.0.4", "b.1.2", "loss", or the id of a number. */
export const about = signal(/** @type {string | null} */ (null));
/** What is pointed at, "n.1.3", "w.2.0.4", "loss". */
export const pointed = signal(/** @type {string | null} */ (null));
/** Which sample of the batch. */
export const sample = signal(0);
/** Whether the step is wanted while it runs, too: where a picture shows it. */
export const wantedRunning = signal(false);
/** The step that comes. @type {{ value: Worked | null }} */
export const next = signal(null);
/** The step that was taken before it. @type {{ value: Worked | null }} */
export const taken = signal(null);
/** Whether the numbers of the step are hidden, as somebody practises with them. */
export const covered = signal(false);
/** Whether the loss of all points would give away that of the hidden batch, as there are so few. */
export const coversLoss = computed(() => covered.value && (shown.value?.training.x.length ?? 0) <= 2);
/** The step that is shown; none while its numbers are hidden. @type {{ value: Worked | null }} */
export const current = computed(() => (covered.value ? null : phase.value === "update" && taken.value ? taken.value : next.value));

/** Of a step: so many are worked out one by one, and shown. */
export const MOST_PRODUCTS = 400_000;
const PATIENCE = 8; // while it runs, a step is worked out so many times as seldom as it could be

const LONGEST = 30; // milliseconds: a step that takes longer is worked out where the run stands, or it would stutter

let working = false;
let notBefore = 0;
let took = 0;

/** How many products the weights of a batch take, forward. @param {import("./answers.js").Plan} plan */
export function productsOf({ sizes, batchSize }) {
  return batchSize * sizes.slice(1).reduce((n, size, l) => n + size * sizes[l], 0);
}

/** Work the step out that comes next. */
export function follow() {
  effect(() => {
    const [seen, now] = [look.value, shown.value];
    if (seen === null || now === null || (seen.running && !wantedRunning.value)) return;
    if (seen.running && took > LONGEST) next.value = null;
    else if (!working && (!seen.running || performance.now() > notBefore)) void catchUp();
  });
}

/** Until what is worked out is what is looked at. */
async function catchUp() {
  working = true;
  try {
    for (let seen = null; seen !== look.value && look.value !== null; ) {
      seen = look.value;
      await worked(seen);
      if (look.value.running) return;
    }
  } catch (error) {
    trouble.value = /** @type {Error} */ (error).message;
  } finally {
    working = false;
  }
}

/** @param {import("./run.js").Look} seen */
async function worked(seen) {
  const now = /** @type {import("./run.js").Shown} */ (shown.value);
  const { sizes } = now;
  if (productsOf(now.plan) > MOST_PRODUCTS) {
    next.value = null;
    return;
  }
  const { answer, arrays } = await trace();
  if (shown.value !== now) return; // another run
  const began = performance.now();
  const rows = /** @type {number[]} */ (answer.rows);
  const table = (/** @type {ArrayLike<number>} */ flat, /** @type {number} */ width) =>
    rows.map((_, i) => Array.from({ length: width }, (_, j) => flat[i * width + j]));
  const [x, targets] = [table(arrays.x, sizes[0]), table(arrays.targets, sizes[sizes.length - 1])];
  const states = Object.keys(arrays).filter((name) => name.startsWith("state_")).map((name) => arrays[name]); // prettier-ignore
  const parameters = /** @type {Float64Array} */ (arrays.parameters);
  const plan = now.plan;
  const step = stepOf(plan, { x, targets, parameters, states, steps: answer.step });
  asTold(step, plan, arrays);
  const before = next.value;
  sample.value = Math.min(sample.value, rows.length - 1);
  const known = before?.plan === plan ? before.step : NaN;
  if (known !== answer.step) taken.value = known === answer.step - 1 ? before : null;
  next.value = {
    step: answer.step, rows, worked: step, of: seen.parameters, plan, origins: new Origins(step),
  }; // prettier-ignore
  took = performance.now() - began;
  notBefore = performance.now() + PATIENCE * took;
}

/** The step that comes, once it is worked out; refused while its numbers are hidden. @returns {Promise<Worked>} */
export function stepThatComes() {
  return new Promise((resolve, reject) => {
    const end = effect(() => {
      const [found, seen, wrong] = [next.value, look.value, trouble.value];
      if (covered.value) reject(new Error(told("covered")));
      else if (found && found.of === seen?.parameters) resolve(found);
      else if (wrong !== null) reject(new Error(wrong));
      else return;
      queueMicrotask(() => end());
    });
  });
}

/** The loss of a step's batch at other parameters. @param {Step} step @param {Float64Array} flat */
export function lossAt(step, flat) {
  const given = new Map(Object.keys(step.program.given).map((id) => [id, step.array(id)]));
  let from = 0;
  for (const [id] of step.program.parameters) {
    const { dims, data } = step.array(id);
    given.set(id, { dims, data: flat.slice(from, from + data.length) });
    from += data.length;
  }
  const other = new Step(step.program, given);
  other.forward();
  return other.number("loss");
}

/** The given numbers of the step that is shown, and any other of it by its id, for whoever wants them from outside, such as a browser's console. */
Object.assign(globalThis, {
  deltapropStep: () => current.value?.worked.program.given ?? null,
  deltapropValue: (/** @type {string} */ id) => current.value?.origins.value(id) ?? null,
});

/** The ids of the numbers that tell about something. @param {string} of @param {number} s @param {number} last the last layer
 *  @returns {{ title: string, ids: string[] }[]} */
export function idsAbout(of, s, last) {
  const [kind, first, ...at] = of.split(".");
  const [layer, i, j] = [Number(first), ...at.map(Number)];
  const parts = (/** @type {[string, string[]][]} */ ...given) => given.map(([key, ids]) => ({ title: told(key), ids }));
  if (kind === "n" && layer === 0) return parts(["forward", [`x[${s},${i}]`]], ["backward", [`dx[${s},${i}]`]]);
  if (kind === "n") {
    const delta = layer === last ? [`sample_delta.${layer}[${s},${i}]`, `delta.${layer}[${s},${i}]`] : [`delta.${layer}[${s},${i}]`];
    return parts(
      ["forward", [`z.${layer}[${s},${i}]`, `a.${layer}[${s},${i}]`]], ["backward", delta],
      ["update", [`db.${layer}[${i}]`, `b.${layer}.after[${i}]`]],
    ); // prettier-ignore
  }
  if (kind === "w") {
    const place = `[${i},${j}]`;
    const [w, out] = [`W.${layer}`, j];
    return parts(
      ["forward", [`z.${layer}[${s},${out}]`]], ["backward", [`delta.${layer}[${s},${out}]`]],
      ["update", [`d${w}${place}`, `${w}.after${place}`]],
    ); // prettier-ignore
  }
  if (of === "loss") return parts(["loss", [`loss[${s}]`, "loss"]], ["after", ["loss.after"]]);
  return [{ title: "", ids: [of] }];
}

/** A number's line. @param {string} id @returns {Asked | null} */
export function lineAbout(id) {
  const found = current.value;
  if (found === null) return null;
  try {
    const { origins, rows } = found;
    const symbolOf = symbolsOf(symbolsFor(rows.length));
    const line = lineOf(id, origins.expression(id), origins.value(id), 5);
    const parts = partsOfLine(line, symbolOf, facts.words["terms left out"]);
    return { id, symbol: `<math>${symbolOf(id)}</math>`, parts, value: numberText(line.value, 17), leaves: leavesOf(line.tree) };
  } catch {
    return null; // a number that this network has not
  }
}

/** The ids of what a line is made of. @param {any} tree @returns {string[]} */
export function leavesOf(tree) {
  if (Array.isArray(tree)) return tree[0] === "n" ? [] : tree.slice(1).flatMap(leavesOf);
  return tree?.id === undefined ? [] : [tree.id];
}
