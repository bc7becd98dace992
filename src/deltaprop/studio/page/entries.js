// Right equations with a number of another index in them: each number of a line, or all of one array, replaced by others of the
// same array, as checking/mistakes/entries.py has it. What is replaced are the leaves of the line itself.

import { Origins, readRef } from "../../explaining/live/origins.js";
import { evaluate, isLeaf, leafValue, placeOf } from "../../explaining/live/trees.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {{ taken: string, belongs: string, value: number }} Exchange  ids; "" where more than one is another */

const OF_SAMPLES = ["x", "targets", "z", "a", "delta"];

/** What a number comes to with numbers of another index in its equation. @param {Step} step @param {string} id @returns {Exchange[]} */
export function exchanges(step, id) {
  const { quantity, layer, after, base } = readRef(id);
  const isLast = layer === step.last;
  if (quantity === "loss" || (isLast && (quantity === "a" || (quantity === "delta" && !step.program.loss.delta)))) return [];
  const origins = new Origins(step);
  const own = step.arrays.has(`data_${base}`) ? `data_${id}` : id; // a penalty is none of its parts
  const tree = origins.expression(own);
  const more = origins.value(id) - origins.value(own);
  const leaves = leavesOf(tree);
  const isWhole = leaves.every((leaf) => leaf.id !== undefined);
  /** @type {Exchange[]} */
  const found = [];
  for (const [kind, places] of grouped(leaves, after)) {
    const { dims } = step.array(kind);
    const others = /** @type {[string, number[], number[]][][]} */ ([]);
    for (const at of places) for (const to of indices(dims)) if (mayStand(kind, at, to)) others.push([[kind, at, to]]);
    if (isWhole && places.length > 1) others.push(...lines(kind, dims, places));
    for (const moved of others) {
      const value = more + evaluate(tree, (leaf) => valueOf(step, leaf, moved));
      const [[, at, to]] = moved;
      const one = moved.length === 1;
      found.push({ taken: one ? `${kind}[${to}]` : "", belongs: one ? `${kind}[${at}]` : "", value });
    }
  }
  return found;
}

/** The leaves of a tree that are numbers of the step, or what is left of a sum. @param {any} tree @returns {any[]} */
function leavesOf(tree) {
  if (isLeaf(tree)) return [tree];
  return Array.isArray(tree) && tree[0] !== "n" ? tree.slice(1).flatMap((part) => (typeof part === "object" ? leavesOf(part) : [])) : [];
}

/** The arrays of the leaves and where in them these stand; z and a of a layer are one, of a step also other states.
 *  @param {any[]} leaves @param {boolean} isUpdate @returns {Map<string, number[][]>} */
function grouped(leaves, isUpdate) {
  /** @type {Map<string, number[][]>} */
  const found = new Map();
  for (const { id } of leaves) {
    if (id === undefined) continue;
    const { base, index, quantity } = readRef(id);
    if (!index.length || (isUpdate && !/^d?[Wb]$/.test(quantity))) continue;
    const places = found.get(base) ?? [];
    if (!places.some((place) => String(place) === String(index))) found.set(base, [...places, index]);
  }
  for (const base of [...found.keys()]) if (base.startsWith("a.") && found.has(`z${base.slice(1)}`)) found.delete(base);
  return found;
}

/** Whether somebody may take a number for another one: of samples only in the same row or column.
 *  @param {string} kind @param {number[]} at @param {number[]} to */
function mayStand(kind, at, to) {
  const inLine = at.some((i, axis) => i === to[axis]);
  return String(at) !== String(to) && (at.length < 2 || !OF_SAMPLES.includes(readRef(kind).quantity) || inLine);
}

/** All of them one line further; in a square of weights also the column for the row.
 *  @param {string} kind @param {number[]} dims @param {number[][]} places @returns {[string, number[], number[]][][]} */
function lines(kind, dims, places) {
  const axis = places.every(([i]) => i === places[0][0]) ? 0 : 1;
  const found = [];
  for (let other = 0; other < (dims[axis] ?? 0); other += 1) {
    if (other === places[0][axis]) continue;
    found.push(places.map((place) => /** @type {[string, number[], number[]]} */ ([kind, place, place.map((i, k) => (k === axis ? other : i))])));
  }
  if (kind.startsWith("W") && dims[0] === dims[1]) {
    found.push(places.map((place) => /** @type {[string, number[], number[]]} */ ([kind, place, [...place].reverse()])));
  }
  return found;
}

/** @param {number[]} dims @returns {number[][]} */
function indices(dims) {
  return dims.reduce((all, n) => all.flatMap((at) => Array.from({ length: n }, (_, i) => [...at, i])), /** @type {number[][]} */ ([[]]));
}

/** A leaf's number, or that which stands in its place. @param {Step} step @param {any} leaf @param {[string, number[], number[]][]} moved */
function valueOf(step, leaf, moved) {
  if (leaf.id === undefined) return leafValue(leaf);
  const { base, index } = readRef(leaf.id);
  const belongs = (/** @type {string} */ kind) => kind === base || (kind.startsWith("z.") && base === `a${kind.slice(1)}`);
  const found = moved.find(([kind, at]) => belongs(kind) && String(at) === String(index));
  if (!found) return leafValue(leaf);
  const { dims, data } = step.array(base);
  return data[placeOf(found[2], dims)];
}
