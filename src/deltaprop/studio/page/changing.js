// What is changed by hand: a weight, a bias, an input or target of the sample, the learning rate; what the gradient promised
// of it, and what it did.

import { promiseOf } from "./along.js";
import { covered, next, sample } from "./asked.js";
import { look, setLearningRate, setParameters, setRow, shown } from "./run.js";
import { computed, signal } from "./vendored/preact.js";
import { placeOf } from "./weights.js";

/** @typedef {{ kind: "weight" | "bias" | "input" | "target" | "rate", value: number, slope: number | null,
 *   set: (value: number) => Promise<unknown> }} Knob  slope: how the loss of the batch grows with it, if that is told */

/** What can be turned there, if anything. @param {string} of a place of the picture, or the id of a number @returns {Knob | null} */
export function knobOf(of) {
  const [now, seen, coming] = [shown.value, look.value, next.value];
  if (covered.value || now === null || seen === null || coming === null || seen.running || coming.plan.sizes !== now.plan.sizes) return null;
  const { worked, rows } = coming;
  const slope = (/** @type {string} */ array, /** @type {number[]} */ ...at) => {
    const { dims, data } = worked.array(array);
    return data[at.reduce((place, k, axis) => place * dims[axis] + k, 0)];
  };
  if (of === "loss" || of === "learning_rate") {
    return { kind: "rate", value: now.plan.learningRate, slope: null, set: (value) => (value > 0 ? setLearningRate(value) : Promise.resolve()) };
  }
  const [, kind, ...at] = /** @type {[string, string, ...any[]]} */ (
    (/^(n|w)\.(\d+)\.(\d+)(?:\.(\d+))?$/.exec(of) ?? /^(W|b)\.(\d+)\[(\d+)(?:,(\d+))?\]$/.exec(of) ?? /^(x|targets)\[(\d+),(\d+)\]$/.exec(of) ?? ["", ""]).map((part, k) => (k > 1 && part !== undefined ? Number(part) : part))
  ); // prettier-ignore
  const [first, second, third] = at;
  if (kind === "x" || kind === "targets" || (kind === "n" && first === 0)) {
    const s = kind === "n" ? sample.value : first;
    const row = rows[s];
    if (row === undefined || (kind === "targets" && now.classes)) return null;
    const numbers = [...now.training.x[row], ...(now.classes ? [] : [now.training.answers[row]])];
    const place = kind === "targets" ? numbers.length - 1 : second;
    const set = (/** @type {number} */ value) => setRow(row, numbers.map((own, k) => (k === place ? value : own))); // prettier-ignore
    return { kind: kind === "targets" ? "target" : "input", value: numbers[place], slope: kind === "targets" ? null : slope("dx", s, place), set };
  }
  const isWeight = kind === "w" || kind === "W";
  if (!isWeight && ((kind !== "n" && kind !== "b") || !now.plan.biases)) return null;
  const place = placeOf(now.sizes, first, isWeight ? second : -1, isWeight ? third : second);
  if (seen.parameters[place] === undefined) return null;
  return {
    kind: isWeight ? "weight" : "bias", value: seen.parameters[place],
    slope: isWeight ? slope(`dW.${first}`, second, third) : slope(`db.${first}`, second),
    set: (value) => {
      const { parameters } = /** @type {import("./run.js").Look} */ (look.value);
      return setParameters(parameters.map((own, k) => (k === place ? value : own)));
    },
  }; // prettier-ignore
}

/** The turn that was begun: of what, from where, what was promised of each unit, and the loss then. */
const turn = signal(/** @type {{ of: string, s: number, from: number, slope: number | null, loss: number, step: number } | null} */ (null));
let [isOpen, isEnding, turning] = [false, false, false]; // the same turn goes on; is over when all of it is done; is being done
/** @type {{ of: string, value: number } | null} */ let wanted = null;

/** Turn something to a value; until `turned` it is one turn. Of values that come too fast the last one counts.
 *  @param {string} of @param {number} value */
export async function turnTo(of, value) {
  if (!Number.isFinite(value)) return;
  wanted = { of, value };
  if (turning) return;
  turning = true;
  try {
    while (wanted !== null) {
      /** @type {{ of: string, value: number }} */ const now = wanted;
      wanted = null;
      if (!isOpen || turn.value?.of !== now.of) await begin(now.of);
      const knob = knobOf(now.of);
      if (knob && knob.value !== now.value) await knob.set(now.value);
    }
  } finally {
    turning = false;
    if (isEnding) [isOpen, isEnding] = [false, false];
  }
}

/** A turn begins, from numbers that are worked out. @param {string} of */
async function begin(of) {
  for (let tries = 0; tries < 400 && !isWorkedOut(); tries += 1) await new Promise((go) => setTimeout(go, 5));
  const [knob, coming] = [knobOf(of), next.value];
  if (knob === null || coming === null) return;
  turn.value = { of, s: sample.value, from: knob.value, slope: knob.slope, loss: coming.worked.number("loss"), step: coming.step };
  isOpen = true;
}

/** Whether the step that comes is that of the numbers that there are. */
function isWorkedOut() {
  return next.value !== null && next.value.of === look.value?.parameters && next.value.plan === shown.value?.plan;
}

/** Where the sample's point is wanted; of places that come too fast the last one counts. @type {number[] | null} */
let wantedAt = null;
let moving = false;

/** Move the sample's point to other inputs. @param {number[]} x */
export async function movePoint(x) {
  wantedAt = x;
  if (moving) return;
  forgetTurn();
  moving = true;
  try {
    while (wantedAt !== null) {
      const [now, row] = [shown.value, next.value?.rows[sample.value]];
      /** @type {number[]} */ const to = wantedAt;
      wantedAt = null;
      if (now && row !== undefined && !look.value?.running && !covered.value) {
        await setRow(row, [...to, ...now.training.x[row].slice(to.length), ...(now.classes ? [] : [now.training.answers[row]])]);
      }
    }
  } finally {
    moving = false;
  }
}

/** The turn is over. */
export function turned() {
  if (turning) isEnding = true;
  else isOpen = false;
}

/** Forget the last turn. */
export function forgetTurn() {
  [turn.value, isOpen] = [null, false];
}

/** From where the turn that goes on began. @param {string} of @returns {number | null} */
export function turnedFrom(of) {
  return isOpen && turn.value?.of === of ? turn.value.from : null;
}

/** What was promised of the last turn, and what it did; of the learning rate: what the step is promised to do and does. */
export const outcome = computed(() => {
  const [begun, coming] = [turn.value, next.value];
  if (begun === null || coming === null || begun.step !== coming.step) return null;
  const knob = knobOf(begun.of);
  if (knob === null || (knob.kind === "input" && begun.s !== sample.value)) return null;
  const loss = coming.worked.number("loss");
  if (knob.kind === "rate") return { kind: "rate", promised: promiseOf(coming), done: coming.worked.number("loss.after") - loss };
  return { kind: knob.kind, promised: begun.slope === null ? null : begun.slope * (knob.value - begun.from), done: loss - begun.loss };
});
