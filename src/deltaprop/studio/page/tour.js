// The guided tour, in the order of the tutorial: each step puts the studio into a state, and may wait for the learner.

import { about } from "./asked.js";
import { mode } from "./modes.js";
import { planOf } from "./problem.js";
import { go, goTo, look, onePhase, pause, phase, playing, shown, trouble } from "./run.js";
import { TUTORIAL, USUAL, change, setup, toAddress } from "./setup.js";
import { effect, signal } from "./vendored/preact.js";
import { panel } from "./views/parts.js";

/** @typedef {import("./setup.js").Setup} Setup */
/** @typedef {{
 *   name: string, wish: Setup, at?: number, phase?: import("./run.js").Phase, mode?: import("./modes.js").Mode, about?: string,
 *   target: string, then?: string, until?: () => boolean, show?: () => Promise<unknown> | void }} TourStep
 *  What is said stands in language/en_tour.py, by its name. wish, at, phase, mode, about: how the studio stands when it
 *  begins. target: what it is about, as a selector; then: when
 *  it is done. until: what the learner is to bring about; show: does it. */

const CLOUDS = { ...USUAL, data: { ...USUAL.data, name: "blobs", parts: 3 }, layers: [{ n: 4, activation: "tanh" }] };
const MOONS = { ...USUAL, data: { ...USUAL.data, name: "moons", parts: 1, noise: 0.05 } };
const STANDS = { phase: '[id="one phase"]', step: '[id="one step"]', network: ".network .picture" };

const isRight = () => (look.value?.figures.right ?? 0) >= 0.95;
const asks = (/** @type {string} */ of) => about.value === of;

/** @param {string | null} of */
function asked(of) {
  about.value = of;
  panel.value = "ask";
}

/** @type {TourStep[]} */
export const STEPS = [
  { name: "begin", wish: TUTORIAL, target: "h1" },
  { name: "net", wish: TUTORIAL, target: STANDS.network },
  {
    name: "forward", wish: TUTORIAL, target: STANDS.phase, then: STANDS.network, until: () => phase.value === "forward", show: onePhase,
  },
  {
    name: "loss", wish: TUTORIAL, phase: "forward", target: STANDS.phase, then: STANDS.network, until: () => phase.value === "loss", show: onePhase,
  },
  {
    name: "backward", wish: TUTORIAL, phase: "loss", target: STANDS.phase, then: STANDS.network, until: () => phase.value === "backward", show: onePhase,
  },
  {
    name: "layer", wish: TUTORIAL, target: "[data-neuron='n.1.0']", then: "#panel",
    until: () => asks("n.1.0"), show: () => asked("n.1.0"),
  },
  { name: "delta", wish: TUTORIAL, mode: "deltas", about: "n.1.0", target: "#panel" },
  {
    name: "gradient", wish: TUTORIAL, mode: "gradients", target: STANDS.network, then: "#panel",
    until: () => asks("w.2.1.0"), show: () => asked("w.2.1.0"),
  },
  {
    name: "update", wish: TUTORIAL, mode: "updates", about: "w.2.1.0", target: STANDS.step,
    until: () => look.value?.step === 1, show: () => go(1),
  },
  { name: "again", wish: TUTORIAL, at: 1, target: ".figures" },
  {
    name: "repeat", wish: TUTORIAL, at: 1, target: STANDS.step,
    until: () => (look.value?.figures.loss ?? 1) < 5e-5, show: () => go(12),
  },
  {
    name: "rate", wish: TUTORIAL, target: "#learning-rate",
    until: () => setup.value.learningRate >= 0.3 && (trouble.value === "diverged" || (look.value?.figures.loss ?? 0) > 10),
    show: () => withChange({ learningRate: 0.3 }, 4),
  },
  { name: "classes", wish: CLOUDS, target: "#play, #pause", until: isRight, show: () => go(300) },
  {
    name: "softmax", wish: CLOUDS, at: 30, target: "[data-neuron='n.2.1']", then: "#panel",
    until: () => /^n\.2\./.test(about.value ?? ""), show: () => asked("n.2.1"),
  },
  {
    name: "sigmoid", wish: CLOUDS, about: "n.2.1", target: "#loss-of", then: STANDS.network,
    until: () => setup.value.loss === "binary_cross_entropy", show: () => withChange({ loss: "binary_cross_entropy" }, 30),
  },
  {
    name: "zero", wish: { ...MOONS, scheme: "zero" }, mode: "deltas", target: "#play, #pause", then: STANDS.network,
    until: () => (look.value?.step ?? 0) >= 100, show: () => go(300),
  },
  {
    name: "start", wish: { ...MOONS, scheme: "zero" }, mode: "deltas", target: "#scheme",
    until: () => setup.value.scheme === "glorot" && isRight(), show: () => withChange({ scheme: "glorot" }, 500),
  },
  { name: "finish", wish: MOONS, at: 500, target: "#tab-settings" },
]; // prettier-ignore

/** Which step is shown, from 0; null: the tour is closed. */
export const tourAt = signal(/** @type {number | null} */ (null));
/** Whether what the step waits for was brought about. */
export const isDone = signal(false);
let left = 0; // the step at which it was left
let arrivals = 0;
/** Ends the watch over what the step waits for. */
let unwatch = () => {};

/** Wait until something of the run holds. @param {() => boolean} holds @returns {Promise<void>} */
function when(holds) {
  return new Promise((resolve) => {
    const end = effect(() => {
      if (!holds()) return;
      queueMicrotask(() => end());
      resolve();
    });
  });
}

/** Try something else, and wait until its run has begun. @param {Partial<Setup>} wish */
async function begunWith(wish) {
  const before = shown.value;
  const next = { ...setup.value, ...wish };
  if (toAddress(next) === toAddress(setup.value)) return;
  change(wish);
  const plan = JSON.stringify(planOf(setup.value));
  await when(() => shown.value !== before && JSON.stringify(shown.value?.plan) === plan && look.value?.step === 0);
}

/** @param {Partial<Setup>} wish @param {number} steps */
async function withChange(wish, steps) {
  await begunWith(wish);
  await go(steps);
}

/** Go to a step of the tour. @param {number} k */
export async function goToStep(k) {
  const step = STEPS[Math.min(Math.max(k, 0), STEPS.length - 1)];
  arrivals += 1;
  const own = arrivals;
  unwatch();
  left = STEPS.indexOf(step);
  [tourAt.value, isDone.value] = [left, !step.until];
  if (playing.value) await pause();
  await begunWith(step.wish);
  if (own !== arrivals) return;
  const at = step.at ?? 0;
  if (look.value?.step !== at) await goTo(at);
  if (own !== arrivals) return;
  mode.value = step.mode ?? "values";
  phase.value = step.phase ?? null;
  asked(step.about ?? null);
  const { until } = step;
  if (!until) return;
  unwatch = effect(() => {
    if (!isDone.value && until()) isDone.value = true;
  });
}

/** Do what the step waits for. */
export const doIt = () => STEPS[tourAt.value ?? 0].show?.();

/** Go on where it was left; at the end, from the beginning. */
export const openTour = () => goToStep(left === STEPS.length - 1 ? 0 : left);

export function leaveTour() {
  arrivals += 1;
  unwatch();
  tourAt.value = null;
}

/** The step that an address opens the tour at, from 0; null where it does not. @param {string} address */
export function tourIn(address) {
  const told = new URLSearchParams(address).get("tour");
  return told === null ? null : Math.min(Math.max(Math.round(Number(told) || 1), 1), STEPS.length) - 1;
}

/** The tour's part of an address. */
export const tourAddress = () => (tourAt.value === null ? "" : `tour=${tourAt.value + 1}`);
