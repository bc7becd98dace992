// What the page's marking says, for tests: a line of JSON in, a line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [facts, page] = process.argv.slice(-2);
// the page's data stands in an element of it
globalThis.document = { getElementById: () => ({ textContent: readFileSync(facts, "utf8") }) };
const { stepOf } = await import(`${page}/program.js`);
const { givenBy, idsOf } = await import(`${page}/mistakes.js`);
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

const ANSWERS = { mistakes };
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
