// Sets that are drawn by hand: their points as a text that stands in an address.

/** @typedef {{ x: number, y: number, answer: number }} Drawn  a point, and its class from 0, or its number */
/** @typedef {"classes" | "numbers"} Task */

export const MOST_DRAWN = 600;
export const MOST_CLASSES = 6;
export const EDGE = 1.15; // of the plane, from the middle
const [FINE, SHADES] = [128, 20]; // parts of 1 that places, and numbers, are rounded to
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.min(Math.max(value, least), most);

/** A place or a number as it will be kept. @param {Task} task @param {Drawn} point @returns {Drawn} */
export function rounded(task, { x, y, answer }) {
  const place = (/** @type {number} */ v) => Math.round(within(v, -EDGE, EDGE) * FINE) / FINE;
  const kept = task === "classes" ? within(Math.round(answer), 0, MOST_CLASSES - 1) : Math.round(within(answer, -1, 1) * SHADES) / SHADES;
  return { x: place(x), y: place(y), answer: kept };
}

/** Points as text: "c" or "n", then four digits for each. @param {Task} task @param {Drawn[]} points */
export function textOfDrawn(task, points) {
  const written = points.slice(0, MOST_DRAWN).map((point) => {
    const { x, y, answer } = rounded(task, point);
    const third = task === "classes" ? answer : (answer + 1) * SHADES;
    const bits = ((x * FINE + 256) << 15) | ((y * FINE + 256) << 6) | Math.round(third);
    return [18, 12, 6, 0].map((shift) => DIGITS[(bits >> shift) & 63]).join("");
  });
  return task[0] + written.join("");
}

/** The points of such a text; none where it is no such text. @param {string} text @returns {{ task: Task, points: Drawn[] }} */
export function drawnOf(text) {
  const task = text.startsWith("n") ? "numbers" : "classes";
  if (!/^[cn]([\w-]{4})*$/.test(text)) return { task, points: [] };
  const read = text.slice(1).match(/.{4}/g) ?? [];
  const points = read.slice(0, MOST_DRAWN).map((digits) => {
    const bits = Array.from(digits).reduce((all, digit) => all * 64 + DIGITS.indexOf(digit), 0);
    const third = bits & 63;
    const point = { x: ((bits >> 15) - 256) / FINE, y: (((bits >> 6) & 511) - 256) / FINE, answer: third };
    return rounded(task, task === "classes" ? point : { ...point, answer: third / SHADES - 1 });
  });
  return { task, points };
}

/** How many classes a drawn set has; 0 where numbers are asked for. @param {string} text */
export function drawnClasses(text) {
  const { task, points } = drawnOf(text);
  return task === "numbers" ? 0 : points.reduce((most, { answer }) => Math.max(most, answer + 1), 2);
}

/** Points with other answers, where a number is asked for instead of a class, or a class instead of a number.
 *  @param {Drawn[]} points @param {Task} task what is asked for now */
export function answeredAnew(points, task) {
  if (task === "classes") return points.map((point) => ({ ...point, answer: Number(point.answer > 0) }));
  const last = points.reduce((most, { answer }) => Math.max(most, answer), 1);
  return points.map((point) => ({ ...point, answer: (2 * point.answer) / last - 1 }));
}
