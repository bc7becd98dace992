// How often each class is taken for which, by the outputs of a network.

import { chosen } from "./learning.js";

/** Counts: a row for each true class, a column for each class that was chosen.
 *  @param {Float64Array} values the outputs, row by row @param {number[]} answers @param {number} classes
 *  @returns {number[][]} */
export function confusionOf(values, answers, classes) {
  const counts = Array.from({ length: classes }, () => Array(classes).fill(0));
  const outputs = { values, rows: answers.length, columns: values.length / answers.length };
  answers.forEach((answer, row) => (counts[answer][chosen(outputs, row)] += 1));
  return counts;
}
