// What the page's marking says, for tests: a line of JSON in, a line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [facts, page] = process.argv.slice(-2);
// the page's data stands in an element of it
globalThis.document = { getElementById: () => ({ textContent: readFileSync(facts, "utf8") }) };
const { stepOf } = await import(`${page}/program.js`);
const { givenBy, idsOf } = await import(`${page}/mistakes.js`);
const { exchanges } = await import(`${page}/entries.js`);
const { OwnStep } = await import(`${page}/own_step.js`);
const { givenOf } = await import(`${page}/../../explaining/live/step.js`);
const { isTooCoarse, mark, mayStandFor, namesOf, readWritten } = await import(`${page}/marking.js`);
const told = JSON.parse(readFileSync(facts, "utf8"));

/** What each mistake makes of each number of some quantities: name, rank, and the numbers in order. */
function mistakes({ plan, now, keys }) {
  const step = stepOf(plan, now);
  return Object.fromEntries(
    keys.map((key) => {
      const ids = idsOf(key, step.array(key).dims);
      const each = ids.map((id) => givenBy(told.mistakes, step, plan, id));
      return [key, each[0].map(({ name, rank }, k) => [name, rank, each.map((all) => all[k].value)])];
    }),
  );
}

/** Every quantity, where somebody goes on with numbers of his own. */
function goesOn({ plan, now, own, keys }) {
  const step = ownStep(plan, now, own);
  return Object.fromEntries(keys.map((key) => [key, Array.from(step.array(key).data)]));
}

function ownStep(plan, now, own) {
  const { program } = stepOf(plan, now);
  return new OwnStep(program, givenOf(program), new Map(Object.entries(own))).run();
}

/** Which texts may stand for which numbers, and which of them are too coarse. */
function written({ pairs }) {
  return pairs.map(([text, number]) => {
    const read = readWritten(text);
    return read && [read.value, read.digits, mayStandFor(read, number), isTooCoarse(read, number)];
  });
}

/** The names of the mistakes that give each text, and its verdict, all before it being right. */
function named({ plan, now, typed }) {
  const step = stepOf(plan, now);
  return typed.map(([id, text]) => {
    const steps = { right: step, world: step, written: step };
    return [namesOf(readWritten(text), id, step, told.mistakes, plan), mark(text, id, steps, told.mistakes, plan).verdict];
  });
}

/** Verdicts on numbers behind wrong ones that are gone on with. */
function behind({ plan, now, own, typed }) {
  const right = stepOf(plan, now);
  const world = ownStep(plan, now, own);
  return typed.map(([id, text]) => mark(text, id, { right, world, written: world }, told.mistakes, plan).verdict);
}

/** What numbers come to with others of another index in their equations. */
function entries({ plan, now, ids }) {
  const step = stepOf(plan, now);
  return ids.map((id) => exchanges(step, id).map(({ taken, belongs, value }) => [taken, belongs, value]));
}

const ANSWERS = { entries, mistakes, goesOn, written, named, behind };
for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...what } = JSON.parse(line);
  let answer;
  try {
    answer = ANSWERS[ask](what);
  } catch (error) {
    answer = String(error.stack);
  }
  console.log(JSON.stringify(answer, (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v)));
}
