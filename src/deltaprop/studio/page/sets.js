// Sets: two inputs, and what is asked of them. Inputs lie about from -1 to 1.

import { drawnClasses, drawnOf } from "./drawn.js";
import { facts } from "./facts.js";
import { pointOf, readFormula } from "./formula.js";
import { isTable, openTable } from "./open_table.js";
import { Random } from "./random.js";

/** @typedef {{ x: number[][], labels?: number[], values?: number[], classes: number }} Points
 *  classes: how many; 0 where numbers are asked for. */
/** @typedef {{
 *   n: number, noise: number, seed: number, parts: number, points: string, formula: string }} Wish
 *  noise: the deviation of what is added to each input, or to the number asked for. parts: arms, blobs, waves. points:
 *  those that were drawn, as text. formula: what they are asked, where it is that. */
/** @typedef {{ name: string, parts?: [number, number, number], task: "classes" | "numbers",
 *   draw: (random: Random, i: number, wish: Wish) => [number, number, number] }} Recipe
 *  parts: fewest, usual, most. draw: one point, and its class or its number, before the noise. */

/** @type {Recipe[]} */
export const RECIPES = [
  {
    name: "moons",
    task: "classes",
    draw(random, i) {
      const angle = Math.PI * random.uniform();
      const own = i % 2;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      return own ? [0.65 * (1 - x) - 0.325, 0.65 * (0.5 - y) - 0.1625, 1] : [0.65 * x - 0.325, 0.65 * y - 0.1625, 0];
    },
  },
  {
    name: "circles",
    task: "classes",
    draw(random, i) {
      const angle = 2 * Math.PI * random.uniform();
      const radius = i % 2 ? 0.4 * Math.sqrt(random.uniform()) : random.between(0.6, 0.95);
      return [radius * Math.cos(angle), radius * Math.sin(angle), i % 2];
    },
  },
  {
    name: "spirals",
    task: "classes",
    parts: [2, 3, 5],
    draw(random, i, { parts }) {
      const arm = i % parts;
      const along = random.between(0.05, 1);
      const angle = 4.2 * along + (2 * Math.PI * arm) / parts;
      return [0.95 * along * Math.sin(angle), 0.95 * along * Math.cos(angle), arm];
    },
  },
  {
    name: "xor",
    task: "classes",
    draw(random) {
      const part = () => random.between(0.06, 0.95) * (random.uniform() < 0.5 ? -1 : 1);
      const [x, y] = [part(), part()];
      return [x, y, x * y > 0 ? 1 : 0];
    },
  },
  {
    name: "blobs",
    task: "classes",
    parts: [2, 3, 6],
    draw(random, i, { parts }) {
      const own = i % parts;
      const angle = (2 * Math.PI * own) / parts + 0.5;
      return [0.6 * Math.cos(angle) + 0.14 * random.normal(), 0.6 * Math.sin(angle) + 0.14 * random.normal(), own];
    },
  },
  {
    name: "plane",
    task: "numbers",
    draw(random) {
      const [x, y] = [random.between(-1, 1), random.between(-1, 1)];
      return [x, y, 0.6 * x + 0.4 * y];
    },
  },
  {
    name: "waves",
    task: "numbers",
    parts: [1, 2, 4],
    draw(random, _, { parts }) {
      const [x, y] = [random.between(-1, 1), random.between(-1, 1)];
      return [x, y, Math.sin((Math.PI * parts * x) / 2) * Math.cos((Math.PI * parts * y) / 2)];
    },
  },
];

/** Sets that are not drawn by chance: how many classes they have, and their points.
 *  @type {Record<string, { classes: (wish: Wish) => number, points: (wish: Wish) => Points }>} */
const OWN = {
  drawn: {
    classes: ({ points }) => drawnClasses(points),
    points({ points: text }) {
      const [{ points }, classes] = [drawnOf(text), drawnClasses(text)];
      const [x, answers] = [points.map((point) => [point.x, point.y]), points.map(({ answer }) => answer)];
      return classes ? { x, labels: answers, classes } : { x, values: answers, classes };
    },
  },
  tutorial: {
    classes: () => 0,
    points: () => ({ x: facts.tutorial.x, values: facts.tutorial.targets.map(([t]) => t), classes: 0 }),
  },
};

/** The set of a formula; what is read of it is kept, since many points are drawn of one. @type {Recipe} */
const FORMULA = {
  name: "formula",
  task: "numbers", // or classes: see classesOf
  draw: (random, _, { formula }) => pointOf(readAs(formula), random),
};
let read = { text: "", formula: /** @type {import("./formula.js").Formula | null} */ (null) };
/** @param {string} text */
function readAs(text) {
  if (read.formula === null || read.text !== text) read = { text, formula: readFormula(text) };
  return /** @type {import("./formula.js").Formula} */ (read.formula);
}

export const NAMES = [...RECIPES.map(({ name }) => name), "formula", ...Object.keys(OWN)];

/** @param {string} name */
function recipeOf(name) {
  const found = [...RECIPES, FORMULA].find((recipe) => recipe.name === name);
  if (!found) throw new Error(`There is no set called ${name}.`);
  return found;
}

/** Whether the points of a set are drawn by chance. @param {string} name */
export const isDrawnByChance = (name) => !(name in OWN) && !isTable(name);

/** Fewest, usual, most of the parts that a set has, if it has any. @param {string} name */
export const partsOf = (name) => (isDrawnByChance(name) ? recipeOf(name).parts : undefined);

/** How many classes a set has; 0 where a number is asked for. @param {Wish & { name: string }} wish */
export function classesOf(wish) {
  const { name, parts } = wish;
  if (name in OWN) return OWN[name].classes(wish);
  if (name === "formula") return readAs(wish.formula).classes;
  if (isTable(name)) return openTable.value?.classes.length ?? 2;
  const recipe = recipeOf(name);
  return recipe.task === "numbers" ? 0 : recipe.parts ? parts : 2;
}

/** The points of a set: the same for the same wish. @param {string} name @param {Wish} wish @returns {Points} */
export function pointsOf(name, wish) {
  if (name in OWN) return OWN[name].points(wish);
  const recipe = recipeOf(name);
  const [places, noises] = [new Random(wish.seed, 1), new Random(wish.seed, 2)];
  const classes = classesOf({ ...wish, name });
  /** @type {number[][]} */
  const x = [];
  /** @type {number[]} */
  const asked = [];
  for (let i = 0; i < wish.n; i += 1) {
    const [a, b, t] = recipe.draw(places, i, wish);
    const [more, further] = [wish.noise * noises.normal(), wish.noise * noises.normal()];
    x.push(classes ? [a + more, b + further] : [a, b]);
    asked.push(classes ? t : t + more);
  }
  const order = new Random(wish.seed, 3).order(wish.n);
  const sorted = { x: order.map((i) => x[i]) };
  const answers = order.map((i) => asked[i]);
  return classes ? { ...sorted, labels: answers, classes } : { ...sorted, values: answers, classes };
}
