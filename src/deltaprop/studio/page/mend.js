// Which change would help? Runs that do not learn, from practice; with each change they are tried anew, here.

import { facts } from "./facts.js";
import { tryRun, trouble } from "./run.js";
import { signal } from "./vendored/preact.js";

/** @typedef {{ sizes: number[], activation: string, learningRate: number, steps: number, x: number[][], parameters: number[] }} Trained */
/** @typedef {Partial<Trained> & { name: string, said: string }} Change  what is other than in the run */
/** @typedef {Trained & { fault: string, said: string, facts: string[], targets: number[], changes: Change[] }} Prepared
 *  said: what keeps it from learning. facts: what can be seen of it. */
/** @typedef {{ curve: [number, number][], loss: number, right: number, steps: number, diverged: boolean }} Tried  curve: steps and losses */

/** The most of a run that has learnt: as practice has it. */
const LEARNT = 0.15;

/** Which run. */
export const at = signal(0);
/** The change that was picked. */
export const picked = signal(/** @type {string | null} */ (null));
/** What came of the run as it is, "", and with each change. @type {{ value: Record<string, Tried> }} */
export const outcomes = signal({});

/** @param {Tried} tried */
export const hasLearnt = ({ loss, diverged }) => !diverged && loss <= LEARNT;

/** What comes of a run; null where it can't be tried, and the page says why. @param {Trained} trained @param {number[]} targets */
async function tried(trained, targets) {
  try {
    return await triedBy(trained, targets);
  } catch (error) {
    trouble.value = /** @type {Error} */ (error).message;
    return null;
  }
}

/** @param {Trained} trained @param {number[]} targets @returns {Promise<Tried>} */
async function triedBy({ sizes, activation, learningRate, steps, x, parameters }, targets) {
  /** @type {import("./answers.js").Plan} */
  const plan = {
    sizes, activations: sizes.slice(2).map(() => activation), loss: "binary_cross_entropy", optimizer: { name: "gradient_descent" },
    learningRate, l2: 0, l1: 0, batchSize: targets.length, seed: 0, biases: true,
  }; // prettier-ignore
  const { answer, arrays } = await tryRun(
    plan,
    { x: Float64Array.from(x.flat()), targets: Float64Array.from(targets), answers: Int32Array.from(targets), parameters: Float64Array.from(parameters) },
    steps,
  );
  /** @type {[number, number][]} */
  const curve = [];
  for (let k = 0; k < arrays.curve.length; k += 5) curve.push([arrays.curve[k], arrays.curve[k + 1]]);
  if (answer.loss !== null) curve.push([answer.step, answer.loss]);
  return { curve, loss: answer.loss ?? Infinity, right: answer.right, steps, diverged: answer.diverged !== null };
}

/** Show a run. @param {number} k */
export async function show(k) {
  [at.value, picked.value, outcomes.value] = [k, null, {}];
  const own = facts.mend[k];
  const found = await tried(own, own.targets);
  if (at.value === k && found !== null) outcomes.value = { ...outcomes.value, "": found };
}

/** Pick a change: all of them are tried, and each is shown as soon as it is. @param {string} name */
export async function pick(name) {
  const k = at.value;
  picked.value = name;
  const { changes, ...own } = facts.mend[k];
  for (const { name: other, said: _, ...others } of changes) {
    const found = await tried({ ...own, ...others }, own.targets);
    if (at.value !== k || found === null) return;
    outcomes.value = { ...outcomes.value, [other]: found };
  }
}
