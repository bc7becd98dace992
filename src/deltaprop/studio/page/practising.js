// The round of practice that is open: begun, answered, gone on with; and what came of all of them in this session.

import { covered, next } from "./asked.js";
import { facts } from "./facts.js";
import { mode } from "./modes.js";
import { asks, givenUp, isOver, kept, marked, open, roundOf, topicOf } from "./round.js";
import { go, look, phase, playing, shown } from "./run.js";
import { change, setup } from "./setup.js";
import { batch, effect, signal } from "./vendored/preact.js";

/** @typedef {import("./round.js").Round} Round */
/** @typedef {import("./modes.js").Mode} Mode */
/** @typedef {{ asked: number, first: number, later: number, follows: number, kept: number, shown: number,
 *   mistakes: Record<string, number> }} Tally
 *  first: right at once and without a hint; kept: gone on with though they are wrong; mistakes: by name */

/** @type {{ value: import("./round.js").Wish }} */
export const wish = signal({ topic: "mixture", amount: "some", samples: 1, short: false });
/** @type {{ value: Round | null }} */
export const round = signal(null);
/** The question that was answered last, for what is said about it. @type {{ value: { before: Round, after: Round } | null }} */
export const last = signal(null);
/** Whether the run went on while numbers were hidden. */
export const broken = signal(false);
/** @type {{ value: Tally }} */
export const tally = signal({ asked: 0, first: 0, later: 0, follows: 0, kept: 0, shown: 0, mistakes: {} });

/** Of which run, step and weights the round is, and its first sample. */
let of = { shown: /** @type {unknown} */ (null), step: -1, parameters: new Float64Array(), from: 0 };
let seed = 0;
let waiting = false; // for the next step, to begin with

/** Which picture of the network shows a topic. @type {Record<string, Mode>} */
const MODES = { forward: "values", loss: "values", delta: "deltas", gradient: "gradients", update: "updates" };

/** Watch the run: a round is over where it goes on. */
export function followRun() {
  effect(() => {
    const [seen, now, coming] = [look.value, shown.value, next.value];
    if (round.value !== null && seen !== null && isOther(seen, now)) batch(() => close(true));
    if (waiting && (now !== of.shown || seen?.diverged)) waiting = false;
    if (waiting && coming !== null && seen !== null && coming.of === seen.parameters && !seen.running) {
      waiting = false;
      begin();
    }
  });
}

/** @param {import("./run.js").Look} seen @param {unknown} now */
function isOther(seen, now) {
  return now !== of.shown || seen.step !== of.step || seen.parameters.some((value, k) => value !== of.parameters[k]);
}

/** Whether a round can begin now. */
export const canBegin = () => next.value !== null && look.value !== null && !look.value.diverged && !playing.value;

/** Begin a round at a sample of the batch that comes. @param {number} [from] */
export function begin(from = 0) {
  const [coming, seen] = [next.value, look.value];
  if (coming === null || seen === null || !canBegin()) return;
  if (coming.of !== seen.parameters) {
    // the step of this network is still being worked out
    [of, waiting] = [{ ...of, shown: shown.value }, true];
    return;
  }
  seed += 1;
  of = { shown: shown.value, step: seen.step, parameters: Float64Array.from(seen.parameters), from };
  batch(() => {
    [phase.value, last.value, broken.value, covered.value] = [null, null, false, true];
    put(roundOf(coming.worked, coming.plan, wish.value, from, seed));
  });
}

/** Another round: with the next samples of the batch, or the next step of the run. */
export function another() {
  const from = of.from + wish.value.samples;
  close(false);
  const coming = next.value;
  if (coming !== null && of.step === coming.step && from + wish.value.samples <= coming.rows.length) return begin(from);
  waiting = true;
  void go(1);
}

/** @param {boolean} isBroken the run went on */
export function close(isBroken) {
  [round.value, covered.value, broken.value] = [null, false, isBroken];
}

/** @param {Round} now */
function put(now) {
  round.value = now;
  if (isOver(now)) covered.value = false;
  else mode.value = MODES[topicOf(asks(now)[0].split("[")[0])];
}

/** Count what was answered between two states of a round, and what mistakes were made. @param {Round} before @param {Round} after */
function count(before, after) {
  const found = { ...tally.value, mistakes: { ...tally.value.mistakes } };
  for (const [id, { how }] of after.answers) {
    if (before.answers.has(id)) continue;
    found.asked += 1;
    if (how !== "right") found[how] += 1;
    else if (before.tries || before.hints) found.later += 1;
    else found.first += 1;
  }
  if (after.marks !== before.marks) {
    const made = [...after.marks.values()].filter(({ verdict }) => verdict === "named" || verdict === "wrong");
    for (const name of new Set(made.map(({ names }) => names[0] ?? "slip"))) found.mistakes[name] = (found.mistakes[name] ?? 0) + 1;
  }
  tally.value = found;
}

/** @param {(round: Round) => Round} work */
function doing(work) {
  const before = round.value;
  if (before === null || isOver(before)) return;
  const after = work(before);
  batch(() => {
    count(before, after);
    last.value = { before, after };
    put(after);
  });
}

/** @param {Record<string, string>} typed by id */
export const check = (typed) => doing((now) => marked(now, typed, facts.mistakes));
export const keep = () => doing(kept);
export const giveUp = () => doing(givenUp);

/** One more hint. */
export function hint() {
  if (round.value) round.value = { ...round.value, hints: Math.min(round.value.hints + 1, 2) };
}

/** Whether anything is still to be answered in the question. */
export const isOpen = () => round.value !== null && open(round.value).length > 0;

/** A network small enough to work with by hand, its weights with two decimals; undone like any change. */
export function small() {
  const { data } = setup.value;
  wish.value = { ...wish.value, short: true };
  change({
    data: { ...data, name: "moons", n: 40, noise: 0.05, parts: 1 }, layers: [{ n: 2, activation: "sigmoid" }],
    loss: "cross_entropy", optimizer: "gradient_descent", learningRate: 0.3, batchSize: 4, l2: 0, l1: 0, scheme: "short", biases: true,
  }); // prettier-ignore
}
