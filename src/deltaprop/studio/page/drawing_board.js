// What is drawn with: the class, or the number, that points get; the cursor of the keyboard; a stroke while it lasts.

import { EDGE, MOST_CLASSES, MOST_DRAWN, answeredAnew, drawnOf, rounded, textOfDrawn } from "./drawn.js";
import { change, setup } from "./setup.js";
import { computed, signal } from "./vendored/preact.js";

/** @typedef {import("./drawn.js").Drawn} Drawn */
/** @typedef {import("./drawn.js").Task} Task */

const [SPRAY, RUBBER, FIRST] = [0.09, 0.1, 120]; // how far points fall, how far it erases, points taken over at first
export const STEP = 0.05; // of the keyboard's cursor

export const tool = signal(/** @type {"paint" | "erase"} */ ("paint"));
export const ofClass = signal(0);
export const ofNumber = signal(1);
export const cursor = signal({ x: 0, y: 0 });
/** The points while a stroke lasts. @type {{ value: Drawn[] | null }} */
const stroke = signal(null);
const kept = computed(() => drawnOf(setup.value.data.points));
export const task = computed(() => kept.value.task);
export const points = computed(() => stroke.value ?? kept.value.points);
export const isFull = computed(() => points.value.length >= MOST_DRAWN);

/** @param {Task} of @param {Drawn[]} all */
const put = (of, all) => change({ data: { ...setup.value.data, name: "drawn", points: textOfDrawn(of, all) } });

/** A point there, as it will be kept. @param {number} x @param {number} y @returns {Drawn} */
const pointAt = (x, y) => rounded(task.value, { x, y, answer: task.value === "classes" ? ofClass.value : ofNumber.value });

/** Points without those near a place. @param {Drawn[]} all @param {number} x @param {number} y */
const without = (all, x, y) => all.filter((point) => Math.hypot(point.x - x, point.y - y) > RUBBER);

/** One point more. @param {Drawn[]} all @param {Drawn} point */
const withPoint = (all, point) => (all.length >= MOST_DRAWN ? all : [...all, point]);

/** Draw a set that begins with the points of another. @param {import("./sets.js").Points} other */
export function drawOn({ x, labels, values }) {
  const of = labels ? "classes" : "numbers";
  const answers = labels ?? /** @type {number[]} */ (values);
  put(of, x.slice(0, FIRST).map(([a, b], i) => ({ x: a, y: b, answer: answers[i] })).filter(({ x: a, y }) => Math.max(Math.abs(a), Math.abs(y)) <= EDGE)); // prettier-ignore
}

/** The mouse or finger is down, or moves. @param {number} x @param {number} y @param {boolean} isFirst */
export function press(x, y, isFirst) {
  const all = stroke.value ?? kept.value.points;
  if (tool.value === "erase") return void (stroke.value = without(all, x, y));
  const [angle, far] = [2 * Math.PI * Math.random(), isFirst ? 0 : SPRAY * Math.sqrt(Math.random())];
  stroke.value = withPoint(all, pointAt(x + far * Math.cos(angle), y + far * Math.sin(angle)));
}

/** The stroke is over. */
export function lift() {
  const all = stroke.value;
  if (all === null) return;
  put(task.value, all);
  stroke.value = null;
}

export const clear = () => put(task.value, []);

/** @param {Task} of */
export function askFor(of) {
  if (of !== task.value) put(of, answeredAnew(kept.value.points, of));
}

const MOVES = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
}); // prettier-ignore

/** What a key does on the board; whether it does anything. @param {string} key @param {boolean} isFast */
export function typed(key, isFast) {
  const { x, y } = cursor.value;
  const move = MOVES[key];
  if (move) {
    const [across, up] = move.map((v) => v * STEP * (isFast ? 5 : 1));
    const inside = (/** @type {number} */ v) => Math.round(Math.min(Math.max(v, -EDGE), EDGE) / STEP) * STEP;
    cursor.value = { x: inside(x + across), y: inside(y + up) };
  } else if (key === " " || key === "Enter") {
    put(task.value, withPoint(kept.value.points, pointAt(x, y)));
  } else if (key === "Delete" || key === "Backspace") {
    put(task.value, without(kept.value.points, x, y));
  } else if (task.value === "classes" && Number(key) >= 1 && Number(key) <= MOST_CLASSES) {
    ofClass.value = Number(key) - 1;
  } else if (task.value === "numbers" && ["+", "-", "="].includes(key)) {
    ofNumber.value = Math.min(Math.max(Math.round(20 * ofNumber.value + (key === "-" ? -2 : 2)) / 20, -1), 1);
  } else return false;
  return true;
}
