// What the number that is asked about is made of, directly and further back; and where numbers stand in the picture.

import { Origins, readRef } from "../../explaining/live/origins.js";
import { about, current, idsAbout, leavesOf, sample } from "./asked.js";
import { mode } from "./modes.js";
import { look } from "./run.js";
import { computed, signal } from "./vendored/preact.js";

/** @typedef {import("./asked.js").Worked} Worked */

const MOST = 2000; // numbers that are followed back

/** The line that is pointed at, if one is. */
export const lineAt = signal(/** @type {string | null} */ (null));

/** Where a number stands in the picture: "n.1.3", "w.2.0.4", "loss". @param {string} id @param {number} last the last layer */
export function placeOfId(id, last) {
  if (/^(n|w)\.\d|^loss$/.test(id) || !/^[A-Za-z]\w*(\.\d+)?(\.after)?(\[[\d,]+\])?$/.test(id)) return /^(n|w)\.\d|^loss/.test(id) ? id : null;
  const { quantity, layer, index } = readRef(id);
  const kind = quantity.replace(/^(data_|[a-z]_)/, "").replace(/^d(?=[Wbx]$)/, "");
  if (kind === "W" && index.length === 2) return `w.${layer}.${index.join(".")}`;
  if (kind === "b" && index.length === 1) return `n.${layer}.${index[0]}`;
  if (["loss", "objective"].includes(kind)) return "loss";
  if (index.length !== 2) return null;
  if (kind === "x") return `n.0.${index[1]}`;
  if (["z", "a", "delta", "sample_delta", "upstream"].includes(kind)) return layer ? `n.${layer}.${index[1]}` : null;
  return ["targets", "smoothed_targets"].includes(kind) ? `n.${last}.${index[1]}` : null;
}

/** Which of the numbers about something the mode is about. @param {string} of @param {number} s @param {number} last */
function mainOf(of, s, last) {
  const [kind, first, ...at] = of.split(".");
  const ids = idsAbout(of, s, last).flatMap((part) => part.ids);
  if (of === "loss") return mode.value === "updates" ? "loss.after" : `loss[${s}]`;
  if (kind !== "n" && kind !== "w") return of;
  const wanted = { values: first === "0" ? "x" : kind === "n" ? "a" : "z", deltas: first === "0" ? "dx" : "delta", gradients: `d${kind === "n" ? "b" : "W"}`, updates: ".after" }[mode.value];
  const own = ids.find((id) => (wanted === ".after" ? id.includes(wanted) : readRef(id).quantity === wanted));
  return own ?? ids[at.length > 2 ? 1 : 0];
}

/** Origins whose sums have all their terms. @param {Worked} given */
function whole({ worked }) {
  const origins = new Origins(worked);
  const add = (/** @type {any[]} */ terms) => (terms.length === 1 ? terms[0] : ["+", "+".repeat(terms.length), ...terms]);
  origins.making = { ...origins.making, add, most: Infinity };
  return origins;
}

/** Each place that the number is made of, and whether directly. @param {Worked} given @param {string} id @param {number} s
 *  @returns {Map<string, "direct" | "further">} */
function litBy(given, id, s) {
  const origins = whole(given);
  const { last } = given.worked;
  /** @type {Map<string, "direct" | "further">} */
  const found = new Map();
  const seen = new Set([id]);
  const own = placeOfId(id, last);
  let layer = [id];
  for (let depth = 0; layer.length && seen.size < MOST; depth += 1) {
    const next = [];
    for (const from of layer) {
      for (const leaf of leavesOf(origins.expression(from))) {
        if (seen.has(leaf)) continue;
        seen.add(leaf);
        const place = placeOfId(leaf, last);
        // z and delta stand where their a and neuron do: what makes them is direct, too
        const isOwn = place === own && depth < 2;
        if (place && !isOwn && !found.has(place)) found.set(place, depth === 0 || layer.every((one) => placeOfId(one, last) === own) ? "direct" : "further");
        const { quantity, index } = readRef(leaf);
        const isOfOther = index.length === 2 && !/[Wb]$/.test(quantity) && index[0] !== s;
        if (!isOfOther) next.push(leaf);
      }
    }
    layer = next;
  }
  return found;
}

/** What is lit in the picture. @type {{ value: Map<string, "direct" | "further"> }} */
export const lit = computed(() => {
  const [of, given] = [about.value, current.value];
  if (of === null || given === null || look.value?.running) return new Map();
  const id = lineAt.value ?? mainOf(of, sample.value, given.worked.last);
  try {
    return litBy(given, id, sample.value);
  } catch {
    return new Map(); // a number that this network has not
  }
});
