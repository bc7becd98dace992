// What the named mistakes make of a number, from the numbers before it as a step has them: formulas of arrays, which Python
// exports (mistakes.py) of those that checking/mistakes names.

import { indexOf, readRef } from "../../explaining/live/origins.js";
import { filled, matrixOf, placeOf, values } from "../../explaining/live/trees.js";

/** @typedef {import("../../explaining/live/step.js").Step} Step */
/** @typedef {import("../../explaining/live/trees.js").Block} Block */
/** @typedef {{ formulas: [string, string, number, string[], string, any][], steps: Record<string, any[]>,
 *   words: Record<string, [string, string]> }} Mistakes  see mistakes.py; words: what goes wrong, and what to change */
/** @typedef {{ activations: string[], loss: string, optimizer: Record<string, string | number> }} Made  of a plan, what the network is */
/** @typedef {{ name: string, rank: number, value: number }} Given  what a form of a mistake gives */

const BENT = (/** @type {string} */ name) => name !== "identity";
const SLOPED = ["sigmoid", "tanh"];

/** What every mistake that can be made there gives for a number, the commonest forms first.
 *  @param {Mistakes} mistakes @param {Step} step worked out @param {Made} made @param {string} id @returns {Given[]} */
export function givenBy(mistakes, step, made, id) {
  const place = new Place(step, made, id);
  /** @type {Given[]} */
  const found = [];
  for (const [quantity, name, rank, losses, when, tree] of mistakes.formulas) {
    if (quantity !== place.kind || (losses.length && !losses.includes(made.loss)) || !place.is(when)) continue;
    const block = place.work(tree);
    if (block) found.push({ name, rank, value: place.at(block) });
  }
  if (place.kind === "after") found.push(...place.steps(mistakes.steps[String(made.optimizer.name)] ?? []));
  return found.sort((one, other) => one.rank - other.rank);
}

/** A quantity of a step, in which a mistake is made. */
class Place {
  /** @param {Step} step @param {Made} made @param {string} id */
  constructor(step, made, id) {
    const { quantity, layer, index, base, after } = readRef(id);
    const isLast = layer === step.last;
    this.step = step;
    this.made = made;
    this.base = base;
    this.layer = layer;
    this.index = index;
    this.array = quantity;
    this.isLast = isLast;
    this.kind = after ? "after" : isLast && quantity === "a" ? "output" : isLast && quantity === "delta" ? "output_delta" : quantity;
    this.apply = (/** @type {string} */ name, /** @type {number[]} */ ...all) =>
      step.apply(name === "f'" ? `${this.activation}'` : name, ...all);
  }

  get activation() {
    return this.made.activations[this.layer - 1] ?? "identity";
  }

  /** Whether the layer is what a mistake needs. @param {string} when */
  is(when) {
    const { loss } = this.step.program;
    const { dims } = this.kind === "delta" ? this.step.array(`W.${this.layer + 1}`) : this.weights;
    const isSquare = dims[0] === dims[1];
    const { activation } = this;
    switch (when) {
      case "":
        return true;
      case "square":
        return isSquare;
      case "oblong":
        return !isSquare;
      case "bent":
        return this.made.activations.some(BENT);
      case "bias":
        return this.array === "b";
      case "last":
        return this.isLast;
      case "penalized":
        return Boolean(loss.l2 || loss.l1);
      case "sloped":
        return this.made.loss === "half_squared_error_sigmoid" || this.made.activations.some((name) => SLOPED.includes(name));
      default:
        return when.startsWith("not ") ? BENT(activation) && when !== `not ${activation}` : when === activation;
    }
  }

  get weights() {
    return this.step.array(`W.${this.layer || 1}`);
  }

  /** The number of a block that stands where it is asked for. @param {Block} block */
  at({ rows, cols, data }) {
    const [i, j] = this.index.length > 1 ? this.index : [0, this.index[0] ?? 0];
    return data[(rows > 1 ? i : 0) * cols + (cols > 1 ? j : 0)];
  }

  /** What a formula comes to; null where it names what there is not. @param {any} tree @returns {Block | null} */
  work(tree) {
    /** @type {Record<string, any>} */
    const names = {};
    for (const name of namesIn(tree)) {
      const own = this.named(name);
      if (own === null) return null;
      names[name] = own;
    }
    return values(filled(tree, names), this.apply);
  }

  /** An array of the step, with its shape. @param {string} id @returns {any} null where there is none */
  matrix(id) {
    const found = this.step.arrays.get(id);
    return found ? matrixOf(id, found) : null;
  }

  /** a of the layer below one, or x. @param {number} layer */
  below(layer) {
    return layer > 1 ? `a.${layer - 1}` : "x";
  }

  /** Another one of some arrays of the same shape: the next, or the one before; itself where there is none.
   *  @param {string[]} ids @param {string} own @param {number} turn @returns {string | null} */
  other(ids, own, turn) {
    const shape = String(this.step.arrays.get(own)?.dims);
    const alike = ids.filter((id) => String(this.step.arrays.get(id)?.dims) === shape);
    return alike.includes(own) ? alike[(alike.indexOf(own) + turn + alike.length) % alike.length] : null;
  }

  /** Ids of one kind, of layers from one to another. @param {string} kind @param {number} [from] @param {number} [to] */
  ids(kind, from = 1, to = this.step.last) {
    return Array.from({ length: to - from + 1 }, (_, k) => `${kind}.${from + k}`);
  }

  /** @param {number} value @returns {any} */
  number(value) {
    return { id: "", origin: [], rows: 1, cols: 1, data: Float64Array.of(value) };
  }

  /** One row of an array. @param {string} id @param {number} row from the end where it is negative */
  row(id, row) {
    const all = this.matrix(id);
    const at = row < 0 ? all.rows - 1 : row;
    return { ...all, rows: 1, data: all.data.subarray(at * all.cols, (at + 1) * all.cols) };
  }

  /** @param {number} turn the targets, those of each class at the place of another one */
  targets(turn) {
    const all = this.matrix("smoothed_targets");
    return moved(all, (s, j) => [s, (j - turn + all.cols) % all.cols]);
  }

  /** What a name of a formula stands for; null where there is no such thing. @param {string} name @returns {any} */
  named(name) {
    const { step, layer, base } = this;
    const l = layer || step.last;
    const below = this.below(l);
    const inputs = ["x", ...this.ids("a")];
    const other = (/** @type {string[]} */ ids, /** @type {string} */ own, /** @type {number} */ turn) => {
      const id = this.other(ids, own, turn);
      return id === null ? null : this.matrix(id);
    };
    const slopeOf = (/** @type {string} */ f, /** @type {string} */ a) => ["ap", `${f}'`, this.matrix(`z.${l}`), this.matrix(`${a}.${l}`)];
    switch (name) {
      case "W": case "z": case "a": case "delta":
        return this.matrix(`${name}.${l}`);
      case "b":
        return this.matrix(`b.${l}`) ?? this.number(0); // a network without biases
      case "below":
        return this.matrix(below);
      case "z_below":
        return this.matrix(l > 1 ? `z.${l - 1}` : "x");
      case "below_column": {
        const all = this.matrix(below);
        return { ...all, cols: 1, data: Float64Array.from({ length: all.rows }, (_, s) => all.data[s * all.cols]) };
      }
      case "below_first": case "below_last":
        return this.row(below, name === "below_first" ? 0 : -1);
      case "delta_first": case "delta_last":
        return this.row(`delta.${l}`, name === "delta_first" ? 0 : -1);
      case "below_before":
        return other(inputs.slice(0, l), below, -1);
      case "any_below_next": case "any_below_before":
        return other(inputs, below, name === "any_below_next" ? 1 : -1);
      case "delta_next":
        return other(this.ids("delta", l), `delta.${l}`, 1);
      case "W_next": case "W_before":
        return other(this.ids("W"), `W.${l}`, name === "W_next" ? 1 : -1);
      case "W_up_next": case "W_up_before":
        return other(this.ids("W"), `W.${l + 1}`, name === "W_up_next" ? 1 : -1);
      case "delta_up": case "W_up": case "dW_up":
        return this.matrix(`${name.slice(0, -3)}.${l + 1}`);
      case "W_up_after":
        return this.matrix(`W.${l + 1}.after`);
      case "up":
        return this.isLast ? null : ["@", this.matrix(`delta.${l + 1}`), ["T", this.matrix(`W.${l + 1}`)]];
      case "slope":
        return BENT(this.activation) ? slopeOf(this.activation, "a") : this.number(1);
      case "slope_fed_with_z":
        return BENT(this.activation) ? slopeOf(this.activation, "z") : this.number(1);
      case "sigmoid_slope": case "tanh_slope": case "relu_slope":
        return slopeOf(name.slice(0, -6), "a");
      case "z_near": {
        const wide = (/** @type {number} */ k) => step.arrays.get(`z.${k}`)?.dims[1] === step.array(`z.${l}`).dims[1];
        const near = [l + 1, l - 1].find((k) => k >= 1 && k <= step.last && wide(k));
        return near === undefined ? null : this.matrix(`z.${near}`);
      }
      case "p":
        return this.matrix(`a.${step.last}`);
      case "t":
        return this.targets(0);
      case "t_next": case "t_before":
        return this.targets(name === "t_next" ? 1 : -1);
      case "share": {
        const { data } = step.array("share");
        return { id: "share", origin: [0, 0], rows: data.length, cols: 1, data };
      }
      case "n":
        return this.number(step.program.n);
      case "k":
        return this.number(step.program.out);
      case "n_in":
        return this.number(this.weights.dims[0]);
      case "learning_rate": case "l1": case "l2":
        return this.number(step.arrays.get(name)?.data[0] ?? 0);
      case "right":
        return this.matrix(base);
      case "w":
        return this.matrix(base.replace(".after", ""));
      case "g":
        return this.matrix(`d${base.replace(".after", "")}`);
      case "penalty":
        return this.number(step.number("l2_penalty") + step.number("l1_penalty"));
      case "data":
        if (this.kind === "loss") return this.number(this.dataLoss());
        return this.matrix(`data_${base}`) ?? this.matrix(base);
      case "below_shifted":
        return shifted(this.matrix(below));
      case "delta_shifted":
        return shifted(this.matrix(`delta.${l}`));
      case "data_columns_turned": case "data_rows_turned": {
        const all = this.named("data");
        return moved(all, (i, j) => (name === "data_rows_turned" ? [all.rows - 1 - i, j] : [i, all.cols - 1 - j]));
      }
      case "pen":
        return { ...this.matrix(`W.${l}`), data: this.penalties() };
      case "all_squares": case "all_sizes":
        return this.number(this.allParameters(name === "all_squares" ? (w) => w * w : Math.abs));
      case "right_by_next": case "right_by_before":
        return this.byOther(name === "right_by_next" ? 1 : -1);
      default:
        throw new Error(`No formula may name ${name}.`);
    }
  } // prettier-ignore

  dataLoss() {
    const { step } = this;
    const shares = step.array("share").data;
    return step.array("losses").data.reduce((sum, own, s) => sum + (shares[s] === 0 ? 0 : shares[s] * own), 0);
  }

  penalties() {
    const id = `W.${this.layer}`;
    const { loss } = this.step.program;
    return loss.l2 || loss.l1 ? this.step.ofPenalties(id) : this.step.array(id).data.map(() => 0);
  }

  /** @param {(w: number) => number} of */
  allParameters(of) {
    const all = this.step.program.parameters.map((/** @type {any} */ [id]) => this.step.array(id).data);
    return all.reduce((/** @type {number} */ sum, /** @type {Float64Array} */ data) => sum + data.reduce((own, w) => own + of(w), 0), 0);
  }

  /** The step by the gradient of another array of the same shape. @param {number} turn */
  byOther(turn) {
    const own = this.base.replace(".after", "");
    const all = this.step.program.parameters.map((/** @type {any} */ [id]) => id);
    const id = this.other(all, own, turn);
    if (id === null) return null;
    const mine = this.step.program.update.filter((/** @type {any} */ [to]) => to.endsWith(`${own}.after`));
    return this.stepped(mine.map((/** @type {any} */ [to, , , , tree]) => [to, tree]), new Map([[`d${own}`, `d${id}`]]));
  }

  /** What assignments set in the end, with some arrays for others. @param {[string, any][]} assignments
   *  @param {Map<string, string>} [instead] @returns {any} */
  stepped(assignments, instead = new Map()) {
    /** @type {Map<string, any>} */
    const set = new Map();
    for (const [to, tree] of assignments) {
      const names = Object.fromEntries(
        [...namesIn(tree)].map((name) => [name, set.get(name) ?? this.matrix(instead.get(name) ?? name)]),
      );
      if (Object.values(names).includes(null)) return null;
      set.set(to, { id: to, origin: [0, 0], ...values(filled(tree, names), this.apply) });
    }
    return set.get(this.base) ?? null;
  }

  /** What the mistakes of an optimizer's step give. @param {any[]} rows @returns {Given[]} */
  steps(rows) {
    const own = this.base.replace(".after", "");
    /** @type {Map<string, number>} */
    const ranks = new Map();
    return rows.flatMap(([name, needs, most, ofWeights, ofBiases]) => {
      if (!this.step.arrays.get(needs)?.data[0] || (ranks.get(name) ?? 0) >= most) return [];
      const formulas = JSON.parse(JSON.stringify(this.array === "b" ? ofBiases : ofWeights).replaceAll("{W}", own));
      const block = this.stepped(formulas);
      if (block === null) return [];
      const rank = ranks.get(name) ?? 0;
      ranks.set(name, rank + 1);
      return [{ name, rank, value: this.at(block) }];
    });
  }
}

/** An array with other numbers of it in its places. @param {any} all @param {(i: number, j: number) => [number, number]} from */
function moved(all, from) {
  const data = all.data.map((/** @type {number} */ _, /** @type {number} */ k) => {
    const [i, j] = from(Math.floor(k / all.cols), k % all.cols);
    return all.data[i * all.cols + j];
  });
  return { ...all, data };
}

/** Each number one column to the left. @param {any} all */
const shifted = (all) => moved(all, (i, j) => [i, (j + 1) % all.cols]);

/** The names in a tree. @param {any} tree @returns {Set<string>} */
function namesIn(tree) {
  if (typeof tree === "string") return new Set([tree]);
  if (!Array.isArray(tree) || tree[0] === "n") return new Set();
  const parts = tree.slice(["+", "f", "r", "ap"].includes(tree[0]) ? 2 : 1);
  return new Set(parts.flatMap((part) => [...namesIn(part)]));
}

/** The ids of all numbers of an array. @param {string} id @param {number[]} dims */
export function idsOf(id, dims) {
  const size = dims.reduce((all, n) => all * n, 1);
  return dims.length ? Array.from({ length: size }, (_, k) => `${id}[${indexOf(k, dims)}]`) : [id];
}

/** The number of a step with an id. @param {Step} step @param {string} id */
export function valueOf(step, id) {
  const { base, index } = readRef(id);
  const { dims, data } = step.array(base);
  return data[placeOf(index, dims)];
}
