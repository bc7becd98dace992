// The loss of the batch along the step: what it would be had the step been taken with another learning rate.

import { current, lossAt } from "./asked.js";
import { look } from "./run.js";
import { effect, signal } from "./vendored/preact.js";

/** @typedef {import("./asked.js").Worked} Worked */
/** @typedef {{ of: Worked, scale: number, etas: number[], losses: number[], eta: number, now: number, after: number, slope: number }} Along
 *  losses at w + eta / (its eta) (after - w), from -1 to 4 times `scale`; slope: by eta, as the gradient has it. */

export const along = signal(/** @type {Along | null} */ (null));
export const LEAST = -1; // of the scale
export const MOST = 4;

const PIECES = 50;
const SLICE = 10; // milliseconds of points before something else may be done

let working = false;
let scale = NaN; // the learning rate that is one unit along the step

/** All parameters of a step, before or after it. @param {import("../../explaining/live/step.js").Step} step @param {"" | ".after"} end */
function flat(step, end) {
  return Float64Array.from(step.program.parameters.flatMap((/** @type {[string]} */ [id]) => Array.from(step.array(`${id}${end}`).data)));
}

/** What the gradient says the loss changes by on the way to the parameters after the step. @param {Worked} given */
export function promiseOf({ worked }) {
  return worked.program.parameters.reduce((/** @type {number} */ sum, /** @type {[string]} */ [id]) => {
    const [before, after, gradient] = [id, `${id}.after`, `d${id}`].map((name) => worked.array(name).data);
    return gradient.reduce((part, g, k) => part + g * (after[k] - before[k]), sum);
  }, 0);
}

/** Work the curve out, as long as it is the current step's. @param {Worked} given */
async function workedOut(given) {
  const { worked, plan } = given;
  const eta = plan.learningRate;
  // the scale stays while the learning rate is moved, so that the point is seen to move
  if (!(eta >= scale / 8 && eta <= MOST * scale)) scale = eta;
  const [before, after] = [flat(worked, ""), flat(worked, ".after")];
  const pieces = look.value?.running ? PIECES / 2 : PIECES;
  const etas = Array.from({ length: pieces + 1 }, (_, k) => scale * (LEAST + ((MOST - LEAST) * k) / pieces));
  const losses = [];
  let began = performance.now();
  for (const at of etas) {
    losses.push(at === 0 ? worked.number("loss") : lossAt(worked, before.map((w, k) => w + (at / eta) * (after[k] - w))));
    if (performance.now() - began < SLICE) continue;
    await new Promise((go) => setTimeout(go));
    began = performance.now();
  }
  along.value = {
    of: given, scale, etas, losses, eta, now: worked.number("loss"), after: worked.number("loss.after"), slope: promiseOf(given) / eta,
  }; // prettier-ignore
}

/** Follow the step, while it is wanted. @param {() => boolean} isWanted */
export function followAlong(isWanted) {
  effect(() => {
    const given = current.value;
    if (given === null || !isWanted() || working) return;
    void catchUp(isWanted);
  });
}

/** @param {() => boolean} isWanted */
async function catchUp(isWanted) {
  working = true;
  try {
    for (let given = current.value; given !== null && isWanted() && along.value?.of !== given; given = current.value) await workedOut(given);
  } finally {
    working = false;
  }
}
