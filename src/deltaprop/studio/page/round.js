// A round of practice: numbers of one step are hidden, asked for in the order in which they are worked out, and marked. What is
// known at a time is what stands before the question; wrong numbers that somebody goes on with are gone on with.

import { numberText } from "../../explaining/live/numbers.js";
import { readRef } from "../../explaining/live/origins.js";
import { givenOf } from "../../explaining/live/step.js";
import { mark } from "./marking.js";
import { idsOf, valueOf } from "./mistakes.js";
import { OwnStep } from "./own_step.js";
import { stepOf } from "./program.js";
import { Random } from "./random.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {import("./answers.js").Plan} Plan */
/** @typedef {import("./marking.js").Mark} Mark */
/** @typedef {"mixture" | "forward" | "loss" | "delta" | "gradient" | "update"} Topic */
/** @typedef {"some" | "each" | "layer"} Amount  one of each quantity; all, one by one; all of a row at once */
/** @typedef {{ topic: Topic, amount: Amount, samples: number, short: boolean }} Wish  short: given numbers have two decimals */
/** @typedef {"right" | "follows" | "kept" | "shown"} How  kept: gone on with though it is wrong; shown: given up */
/** @typedef {{ how: How, text: string, value: number }} Answer */
/** @typedef {{
 *   wish: Wish, plan: Plan, right: Step, world: Step, order: string[], questions: string[][], at: number,
 *   answers: Map<string, Answer>, marks: Map<string, Mark>, tries: number, hints: number }} Round
 *  world: the step as it is from the wrong numbers that are gone on with. order: of quantities. questions: the ids that are
 *  asked for together. marks: of the question that is open; tries and hints: at it. */

/** @type {Topic[]} */ export const TOPICS = ["mixture", "forward", "loss", "delta", "gradient", "update"];
/** @type {Amount[]} */ export const AMOUNTS = ["some", "each", "layer"];
export const SHOWN = 5; // significant digits of what is told
const MOST_SOME = 12; // numbers, one of each quantity

/** What a round is about. @param {string} base of a number @returns {Topic} */
export function topicOf(base) {
  const { quantity, after } = readRef(base);
  if (after) return "update";
  if (quantity === "z" || quantity === "a") return "forward";
  if (quantity === "loss" || quantity === "delta") return quantity;
  return "gradient";
}

/** The quantities of a step in the order in which they are worked out. @param {any} program @returns {string[]} */
function orderOf(program) {
  const last = program.layers;
  const layers = Array.from({ length: last }, (_, k) => k + 1);
  const back = [...layers].reverse();
  return [
    ...layers.flatMap((l) => [`z.${l}`, `a.${l}`]), "loss", ...back.map((l) => `delta.${l}`),
    ...back.flatMap((l) => [`W.${l}`, `b.${l}`].filter((id) => id in program.given).map((id) => `d${id}`)), ...program.update.map((/** @type {any} */ [to]) => to),
  ]; // prettier-ignore
}

/** What of it is asked: a that is z is not, nor what an optimizer keeps. @param {string[]} order @param {Plan} plan
 *  @param {any} program @param {Topic} topic */
function askedOf(order, plan, program, topic) {
  return order.filter((base) => {
    const { quantity, layer } = readRef(base);
    const isLast = layer === program.layers;
    const bends = isLast ? program.loss.output !== "identity" : plan.activations[layer - 1] !== "identity";
    if (quantity === "a" && !bends) return false;
    if (quantity.includes("_")) return false;
    return topic === "mixture" || topic === topicOf(base);
  });
}

/** @param {string[]} asked @param {Step} step @param {Amount} amount @param {Random} random @returns {string[][]} */
function questionsOf(asked, step, amount, random) {
  const idsIn = (/** @type {string} */ base) => idsOf(base, step.array(base).dims);
  const one = (/** @type {string[]} */ ids) => ids[Math.floor(random.uniform() * ids.length)];
  if (amount === "each") return asked.flatMap(idsIn).map((id) => [id]);
  if (amount === "some") {
    const kept = new Set(random.order(asked.length).slice(0, MOST_SOME));
    return asked.filter((_, k) => kept.has(k)).map((base) => [one(idsIn(base))]);
  }
  return asked.flatMap((base) => {
    const { dims } = step.array(base);
    const ids = idsIn(base);
    const wide = dims.length > 1 && dims[1] > 1 ? dims[1] : ids.length;
    return Array.from({ length: Math.ceil(ids.length / wide) }, (_, k) => ids.slice(k * wide, (k + 1) * wide));
  });
}

const rounded = (/** @type {number} */ value) => Math.round(value * 100) / 100 + 0;

/** A round about the step that comes, with some samples of its batch alone. @param {Step} coming @param {Plan} plan
 *  @param {Wish} wish @param {number} from the first sample @param {number} seed of what is drawn @returns {Round} */
export function roundOf(coming, plan, wish, from, seed) {
  const { program } = coming;
  const { given } = program;
  const rows = (/** @type {number[][]} */ all) => all.slice(from, from + wish.samples);
  const flat = (/** @type {string} */ of) => program.parameters.flatMap((/** @type {any} */ [id]) => Array.from(coming.array(`${of}${id}`).data));
  const states = Object.keys(given).filter((key) => key.endsWith("_W.1")).map((key) => flat(key.slice(0, -3))); // prettier-ignore
  const short = (/** @type {number[]} */ all) => (wish.short ? all.map(rounded) : all);
  const right = stepOf(plan, {
    x: rows(given.x).map(short), targets: rows(given.targets), parameters: Float64Array.from(short(flat(""))), states,
    steps: (given.t ?? 1) - 1,
  }); // prettier-ignore
  const order = orderOf(right.program);
  const asked = askedOf(order, plan, right.program, wish.topic);
  const questions = questionsOf(asked, right, wish.amount, new Random(seed, 9));
  return { wish, plan, right, world: right, order, questions, at: 0, answers: new Map(), marks: new Map(), tries: 0, hints: 0 };
}

/** The ids that are asked for now. @param {Round} round @returns {string[]} */
export const asks = (round) => round.questions[round.at] ?? [];
/** Those of them that are not answered yet. @param {Round} round */
export const open = (round) => asks(round).filter((id) => !round.answers.has(id));
/** @param {Round} round */
export const isOver = (round) => round.at >= round.questions.length;

/** Whether a number may be shown now: it is given, comes before what is asked for, or was answered.
 *  @param {Round} round @param {string} id */
export function isKnown(round, id) {
  if (isOver(round)) return true;
  const { base } = readRef(id);
  if (base in round.right.program.given) return true;
  const place = round.order.indexOf(base);
  const now = round.order.indexOf(readRef(asks(round)[0]).base);
  return place >= 0 && (place < now || (place === now && round.answers.has(id)));
}

/** The sample that is asked about. @param {Round} round */
export function sampleAsked(round) {
  const { quantity, index } = readRef(asks(round)[0]);
  return ["z", "a", "delta"].includes(quantity) ? index[0] : 0;
}

/** Where in the picture of the network the numbers stand that are asked for: "n.1.3", "w.2.0.4", "loss".
 *  @param {Round} round */
export function placesAsked(round) {
  return open(round).map((id) => {
    const { quantity, layer, index } = readRef(id);
    if (quantity === "loss") return "loss";
    return quantity.endsWith("W") ? `w.${layer}.${index.join(".")}` : `n.${layer}.${index[index.length - 1]}`;
  });
}

/** A number as it is told: as it was typed, where it is gone on with. @param {Round} round @param {string} id */
export function shownText(round, id) {
  const answer = round.answers.get(id);
  return answer?.how === "kept" ? answer.text : numberText(valueOf(round.world, id), SHOWN);
}

/** The step made of the numbers as they are shown, or were typed. @param {Round} round */
function writtenStep(round) {
  const { program } = round.right;
  const near = (/** @type {number} */ value) => Number(numberText(value, SHOWN));
  const given = new Map([...givenOf(program)].map(([id, array]) => [id, { ...array, data: array.data.map(near) }]));
  /** @type {Map<string, number>} */
  const own = new Map();
  for (const base of round.order) {
    for (const id of idsOf(base, round.right.array(base).dims)) {
      if (isKnown(round, id)) own.set(id, round.answers.get(id)?.value ?? near(valueOf(round.world, id)));
    }
  }
  return new OwnStep(program, given, own).run();
}

/** The step from the wrong numbers that are gone on with. @param {Round} round */
function worldOf({ right, answers }) {
  const kept = new Map([...answers].filter(([, { how }]) => how === "kept").map(([id, { value }]) => [id, value]));
  return kept.size ? new OwnStep(right.program, givenOf(right.program), kept).run() : right;
}

/** Mark what was typed. @param {Round} round @param {Record<string, string>} typed by id
 *  @param {import("./mistakes.js").Mistakes} mistakes @returns {Round} */
export function marked(round, typed, mistakes) {
  const { plan, right, world } = round;
  const steps = { right, world, written: writtenStep(round) };
  const [answers, marks] = [new Map(round.answers), new Map()];
  for (const id of open(round)) {
    if (!typed[id]?.trim()) continue;
    const found = mark(typed[id], id, steps, mistakes, plan);
    marks.set(id, found);
    const { verdict, text, value } = found;
    if (verdict === "right" || verdict === "follows") answers.set(id, { how: verdict, text: text.trim(), value });
  }
  return forward({ ...round, answers, marks, tries: round.tries + 1 });
}

/** Go on with the numbers that were typed. @param {Round} round @returns {Round} */
export function kept(round) {
  const answers = new Map(round.answers);
  for (const id of open(round)) {
    const found = round.marks.get(id);
    if (found && Number.isFinite(found.value)) answers.set(id, { how: "kept", text: found.text.trim(), value: found.value });
  }
  return forward({ ...round, answers, world: worldOf({ ...round, answers }) });
}

/** Whether all that is open was typed, though it is wrong. @param {Round} round */
export const canKeep = (round) => open(round).length > 0 && open(round).every((id) => Number.isFinite(round.marks.get(id)?.value ?? NaN));

/** Give up: the numbers are shown. @param {Round} round @returns {Round} */
export function givenUp(round) {
  const answers = new Map(round.answers);
  for (const id of open(round)) {
    const value = valueOf(round.world, id);
    answers.set(id, { how: "shown", text: numberText(value, SHOWN), value });
  }
  return forward({ ...round, answers });
}

/** The next question, where this one is answered. @param {Round} round @returns {Round} */
function forward(round) {
  return open(round).length ? round : { ...round, at: round.at + 1, tries: 0, hints: 0 };
}
