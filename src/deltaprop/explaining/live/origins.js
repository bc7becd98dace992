// Where a number comes from: the expression of any number of a step, as a page displays it.
// The rules are those of the files in derivation/, over the arrays of a Step.
import { added, fitting, roundingBound, shortened, MOST_TERMS } from "./lines.js";
import { multiplied, rescaled } from "./constants.js";
import { later, logSum } from "./step.js";
import { element, entries, joined, times } from "./elements.js";
import { bound, evaluate, filled, matrixOf, placeOf } from "./trees.js";

/** @typedef {any} Tree */
/** @typedef {{quantity: string, layer: number, after: boolean, index: number[], base: string}} Ref */

const LARGEST_EXPONENT = 690;
const MINUS_LOG = (/** @type {Tree} */ p) => ["+", "-", ["f", "log", p]];

/** @param {string} id @returns {Ref} */
export function readRef(id) {
  const found = /^([A-Za-z]\w*?)(?:\.(\d+))?(\.after)?(?:\[([\d,]+)\])?$/.exec(id);
  if (!found) throw new Error(`${id} is no id.`);
  const [, quantity, layer, after, index] = found;
  return {
    quantity,
    layer: Number(layer || 0),
    after: Boolean(after),
    index: index ? index.split(",").map(Number) : [],
    base: id.split("[")[0],
  };
}

export class Origins {
  /** @param {import("./step.js").Step} step */
  constructor(step) {
    this.step = step;
    this.program = step.program;
    /** @type {import("./elements.js").Making} */
    this.making = { add: added, most: MOST_TERMS, formOf: (name, args) => this.formOf(name, args) };
    /** @type {Map<any, Tree>} */
    this.known = new Map();
  }

  /** A number's value. @param {string} id @returns {number} */
  value(id) {
    const { quantity, layer, after, index, base } = readRef(id);
    const step = this.step;
    const [s, j, k] = index;
    if (quantity === "loss" && index.length) return step.array(after ? "losses.after" : "losses").data[s];
    if (quantity === "sample_delta") return step.array("sample_delta").data[s * this.program.out + j];
    if (quantity === "upstream") return evaluate(this.upstream(s, j));
    if (quantity === "jacobian") return this.jacobian(layer, s, j, k).value;
    const { dims, data } = step.array(base);
    return data[placeOf(index, dims)];
  }

  /** An entry of an array as an operand. @param {string} id */
  operand(id) {
    return { id, value: this.value(id) };
  }

  /** What a number is made of; itself where no formula tells it. @param {string} id @returns {Tree} */
  expression(id) {
    const ref = readRef(id);
    const { quantity, layer, after, index, base } = ref;
    const set = this.program.update.find((/** @type {any} */ a) => a[0] === base && this.holds(a, index, true));
    if (set) return this.assigned(set, index, true);
    const called = after ? later : (/** @type {string} */ name) => name;
    const last = this.program.layers;
    const [s, j, k] = index;
    switch (quantity) {
      case "loss":
        return index.length ? this.lossOf(s, called, id) : this.wholeLoss(called);
      case "l2_penalty":
      case "l1_penalty":
        return this.penalty(quantity.slice(0, 2), called);
      case "smoothed_targets": {
        const names = { t: this.operand(`targets[${s},${j}]`), e: this.operand("label_smoothing") };
        const spread = ["n", String(this.program.loss.smoothing)];
        return filled(["+", "++", ["*", ["+", "+-", ["n", "1"], "e"], "t"], ["/", "e", spread]], names);
      }
      case "upstream":
        return this.upstream(s, j);
      case "jacobian":
        return this.jacobian(layer, s, j, k).tree;
      case "sample_delta":
        return this.throughJacobian(s, j);
      case "a":
        if (layer === last) return this.output(s, j, called);
        break;
      case "delta":
        if (layer === last) return this.weighed(s, this.outputDelta(s, j, id));
        break;
      default:
    }
    const plain = `${quantity}${layer ? `.${layer}` : ""}`;
    const data = this.program.gradients.find((/** @type {any} */ a) => a[0] === `data_${plain}`);
    if (data) return this.penalized(plain, index);
    for (const [list, byRows] of /** @type {const} */ ([
      ["forward", false],
      ["backward", false],
      ["gradients", true],
    ])) {
      const found = this.program[list].find(
        (/** @type {any} */ a) => a[0] === plain && this.holds(a, index, byRows),
      );
      if (found) return this.assigned(found, index, byRows, called);
    }
    return this.operand(id);
  }

  /** Whether an assignment works out an entry.
   *  @param {any} assignment @param {number[]} index @param {boolean} byRows */
  holds([, , start, stop], index, byRows) {
    const place = byRows ? (index.length > 1 ? index[0] : 0) : index[1];
    return start <= place && place < stop;
  }

  /** @param {any} assignment @param {number[]} index @param {boolean} byRows
   *  @param {(id: string) => string} [called] @returns {Tree} */
  assigned(assignment, index, byRows, called = (id) => id) {
    const [to, , start, , tree] = assignment;
    const key = called === later ? `${to} ${start} later` : assignment;
    if (!this.known.has(key))
      this.known.set(
        key,
        bound(tree, (id) => this.step.array(id), called),
      );
    const arrays = this.known.get(key);
    const [i, j] = byRows
      ? [index.length > 2 ? index[1] : index.length > 1 ? index[0] - start : 0, index[index.length - 1] || 0]
      : [index[0], index[1] - start];
    if (to.includes(".after") && !ofArrays(tree)) return entries(arrays, i, j);
    const found = element(arrays, i, j, this.making);
    const { quantity, layer } = readRef(to);
    return quantity === "delta" && this.program.linear.includes(layer) ? times(found, ["n", "1"]) : found;
  }

  /** @param {string} name @param {Tree[]} args @returns {Tree} */
  formOf(name, args) {
    const { names, forms } = this.program.functions[name];
    const all = names.length > args.length ? [...args, this.formOf(name.slice(0, -1), args)] : args;
    const named = Object.fromEntries(
      names.map((/** @type {string} */ n, /** @type {number} */ k) => [n, all[k]]),
    );
    const found = forms.map((/** @type {Tree} */ form) => filled(form, named));
    if (found.length === 1) return found[0];
    return fitting(found, this.step.apply(name, ...all.map((arg) => evaluate(arg))));
  }

  /** An expression times the share that its sample has in the loss.
   *  @param {number} s @param {Tree} tree @returns {Tree} */
  weighed(s, tree) {
    const { n } = this.program;
    const share = this.step.array("share").data[s];
    if (share === 1) return tree;
    if (Math.abs(share * n - 1) <= 1e-12) return times(["/", ["n", "1"], ["n", String(n)]], tree);
    return times({ id: `share[${s}]`, value: share }, tree);
  }

  // the output and the loss

  /** @param {number} s @param {number} j @param {(id: string) => string} [called] */
  names(s, j, called = (id) => id) {
    const last = this.program.layers;
    const t = this.program.loss.smoothing ? "smoothed_targets" : "targets";
    return {
      z: this.operand(`${called(`z.${last}`)}[${s},${j}]`),
      p: this.operand(`${called(`a.${last}`)}[${s},${j}]`),
      t: this.operand(`${t}[${s},${j}]`),
    };
  }

  /** @param {number} s @param {number} j @param {(id: string) => string} called @returns {Tree} */
  output(s, j, called) {
    const { loss, out, layers } = this.program;
    const name = called(`z.${layers}`);
    /** @type {Tree} */
    let z = matrixOf(name, this.step.array(name), [s, 0], 1, out);
    if (loss.shift && z.data.some((/** @type {number} */ v) => Math.abs(v) > LARGEST_EXPONENT)) {
      z = ["+", "+-", z, this.largestLogit(s, called)];
    }
    const p = loss.forms.map((/** @type {Tree} */ form) => element(filled(form, { z }), 0, j, this.making));
    return p.length > 1 ? fitting(p, this.value(`${called(`a.${layers}`)}[${s},${j}]`)) : p[0];
  }

  /** @param {number} s @param {(id: string) => string} called */
  logits(s, called) {
    const { out, layers } = this.program;
    return this.step.array(called(`z.${layers}`)).data.subarray(s * out, (s + 1) * out);
  }

  /** @param {number} s @param {(id: string) => string} called */
  largestLogit(s, called) {
    const row = this.logits(s, called);
    const top = row.indexOf(Math.max(...row));
    return { id: `${called(`z.${this.program.layers}`)}[${s},${top}]`, value: row[top] };
  }

  /** @param {number} s @param {(id: string) => string} called @param {string} id @returns {Tree} */
  lossOf(s, called, id) {
    const { out, loss } = this.program;
    const terms = Array.from({ length: out }, (_, j) => this.lossTerm(s, j, called))
      .filter(Boolean)
      .map((term) => rescaled(term, loss.factor));
    return terms.length ? shortened(terms) : this.operand(id);
  }

  /** @param {number} s @param {number} j @param {(id: string) => string} called @returns {Tree | null} */
  lossTerm(s, j, called) {
    const { loss, out, layers } = this.program;
    const names = this.names(s, j, called);
    const t = names.t.value;
    let first = filled(loss.value, names);
    if (loss.written === "cross_entropy") {
      if (t === 0) return null;
      if (t === 1) first = MINUS_LOG(names.p);
    }
    if (loss.written === "cross_entropy" && loss.shift) {
      const ls = this.logSum(s, called);
      const row = this.logits(s, called);
      const byLogits = { ...names, top: this.largestLogit(s, called), ls };
      const forms = [first, filled(["*", "t", ["+", "++", "ls", ["+", "+-", "top", "z"]]], byLogits)];
      return fitting(forms, t * (evaluate(ls) - (names.z.value - Math.max(...row))));
    }
    if (loss.written === "binary_cross_entropy" && (t === 0 || t === 1)) {
      first = MINUS_LOG(t ? names.p : ["+", "+-", ["n", "1"], names.p]);
    }
    if (loss.shift) return first;
    const forms = [first, ...loss.elsewhere.map((/** @type {Tree} */ form) => filled(form, names))];
    const place = s * out + j;
    const [z, p] = ["z", "a"].map((kind) => this.step.array(called(`${kind}.${layers}`)).data);
    return fitting(forms, this.step.lossTerm(z, p, this.step.targets().data, s, place));
  }

  /** ln sum_k exp(z_k - max z). @param {number} s @param {(id: string) => string} called */
  logSum(s, called) {
    const row = this.logits(s, called);
    const top = this.largestLogit(s, called);
    const name = called(`z.${this.program.layers}`);
    const powers = Array.from(row, (value, k) => [
      "f",
      "exp",
      ["+", "+-", { id: `${name}[${s},${k}]`, value }, top],
    ]);
    const others = powers.filter((_, k) => k !== row.indexOf(top.value));
    /** @type {Tree[]} */
    const forms = [["f", "log", shortened(powers)]];
    if (others.length) {
      const part = (/** @type {string} */ n) => ["/", ["^", "others", ["n", n]], ["n", n]];
      forms.push(filled(["+", "+-+", "others", part("2"), part("3")], { others: shortened(others) }));
    }
    return fitting(forms, logSum(row));
  }

  /** @param {(id: string) => string} called @returns {Tree} */
  wholeLoss(called) {
    const { n, loss } = this.program;
    const own = (/** @type {number} */ s) => this.operand(`${called("loss")}[${s}]`);
    if (this.step.isOfOneSample) return own(0);
    let total = shortened(Array.from({ length: n }, (_, s) => this.weighed(s, own(s))));
    for (const name of ["l2_penalty", "l1_penalty"]) {
      if (loss[name.slice(0, 2)] && this.step.number(called(name))) {
        total = joined(total, this.operand(called(name)), "+");
      }
    }
    return total;
  }

  /** @param {string} kind l2 or l1 @param {(id: string) => string} called @returns {Tree} */
  penalty(kind, called) {
    /** @type {{id: string, value: number, size: number}[]} */
    const all = [];
    for (const [id, dims, penalized] of this.program.parameters) {
      if (!penalized) continue;
      this.step.array(called(id)).data.forEach((value, place) => {
        all.push({
          id: `${called(id)}[${indexOf(place, dims)}]`,
          value,
          size: kind === "l2" ? value * value : Math.abs(value),
        });
      });
    }
    let order = all.map((_, k) => k).sort((a, b) => all[b].size - all[a].size);
    if (order.length > MOST_TERMS) order = order.slice(0, MOST_TERMS - 1);
    const kept = new Set(order);
    const terms = all
      .filter((_, k) => kept.has(k))
      .map(({ id, value }) => (kind === "l2" ? ["^", { id, value }, ["n", "2"]] : ["f", "abs", { id, value }]));
    const rest = all.reduce((sum, own, k) => sum + (kept.has(k) ? 0 : own.size), 0);
    const whole = shortened(terms, all.length - terms.length, rest);
    return times(this.strength(kind, kind === "l2" ? 2 : 1), whole);
  }

  /** The strength of a penalty over a number, times what a convention multiplies it by.
   *  @param {string} kind l2 or l1 @param {number} over @returns {Tree} */
  strength(kind, over) {
    return rescaled(this.operand(kind), multiplied(this.program.loss.penalty_factor, [1, over]));
  }

  // the way back

  /** Whether a number is told: those on the way through the Jacobian where dl/dp is a number.
   *  @param {string} id */
  isTold(id) {
    const { quantity, index } = readRef(id);
    const through = ["upstream", "jacobian", "sample_delta"].includes(quantity);
    return !through || this.jacobianSamples.includes(index[0]);
  }

  /** Samples whose dl/dp are numbers. */
  get jacobianSamples() {
    const { n, out, loss } = this.program;
    if (!loss.jacobian) return [];
    return Array.from({ length: n }, (_, s) => s).filter((s) =>
      Array.from({ length: out }, (_, j) => evaluate(this.upstream(s, j))).every(Number.isFinite),
    );
  }

  /** @param {number} s @param {number} j @returns {Tree} */
  upstream(s, j) {
    const { loss } = this.program;
    return rescaled(filled(loss.by_output, this.names(s, j)), loss.factor);
  }

  /** @param {number} layer @param {number} s @param {number} i @param {number} j */
  jacobian(layer, s, i, j) {
    const p = (/** @type {number} */ k) => this.operand(`a.${layer}[${s},${k}]`);
    if (i !== j) {
      return { tree: ["*", p(i), ["+", "+-", ["n", "0"], p(j)]], value: p(i).value * -p(j).value };
    }
    const others = Array.from({ length: this.program.out }, (_, k) => k)
      .filter((k) => k !== j)
      .map(p);
    const value = p(i).value * others.reduce((sum, q) => sum + q.value, 0);
    /** @type {Tree[]} */
    const forms = [["*", p(i), ["+", "+-", ["n", "1"], p(j)]]];
    if (others.length) forms.push(times(p(i), shortened(others)));
    return { tree: fitting(forms, value), value };
  }

  /** @param {number} s @param {number} j @param {string} id @returns {Tree} */
  outputDelta(s, j, id) {
    const { loss } = this.program;
    if (loss.delta) return rescaled(filled(loss.delta, this.names(s, j)), loss.factor);
    return this.jacobianSamples.includes(s) ? this.throughJacobian(s, j) : this.operand(id);
  }

  /** @param {number} s @param {number} j @returns {Tree} */
  throughJacobian(s, j) {
    const { out, layers } = this.program;
    /** @type {Tree[]} */
    const terms = [];
    /** @type {Tree[]} */
    const mean = [];
    const known = (/** @type {string} */ id, /** @type {Tree} */ tree, /** @type {number} */ value) => ({
      id,
      value,
      rounding: roundingBound(tree),
    });
    const slopes = Array.from({ length: out }, (_, i) => {
      const tree = this.upstream(s, i);
      return known(`upstream.${layers}[${s},${i}]`, tree, evaluate(tree));
    });
    slopes.forEach((slope, i) => {
      const { tree, value } = this.jacobian(layers, s, i, j);
      terms.push(times(slope, known(`jacobian.${layers}[${s},${i},${j}]`, tree, value)));
      mean.push(times(this.operand(`a.${layers}[${s},${i}]`), slope));
    });
    const p = this.operand(`a.${layers}[${s},${j}]`);
    const shorter = times(p, ["+", "+-", slopes[j], shortened(mean)]);
    return fitting([shortened(terms), shorter], this.value(`sample_delta.${layers}[${s},${j}]`));
  }

  /** @param {string} plain such as dW.1 @param {number[]} index @returns {Tree} */
  penalized(plain, index) {
    const { loss } = this.program;
    const at = `[${index.join(",")}]`;
    const w = this.operand(`${plain.slice(1)}${at}`);
    let total = /** @type {Tree} */ (this.operand(`data_${plain}${at}`));
    if (loss.l2) total = joined(total, times(this.strength("l2", 1), w), "+");
    if (loss.l1) {
      const sign = ["+", "+-", [">", w, ["n", "0"]], ["<", w, ["n", "0"]]];
      total = joined(total, times(this.strength("l1", 1), sign), "+");
    }
    return total;
  }
}

/** Whether a tree is of whole arrays: its entries are no formula of entries alone.
 *  @param {Tree} tree @returns {boolean} */
function ofArrays(tree) {
  return Array.isArray(tree) && (["@", "T", "r", "ap"].includes(tree[0]) || tree.some(ofArrays));
}

/** The index of a place in an array, as an id has it. @param {number} place @param {number[]} dims */
export function indexOf(place, dims) {
  const index = [];
  for (let axis = dims.length - 1, left = place; axis >= 0; axis -= 1) {
    index.unshift(left % dims[axis]);
    left = Math.floor(left / dims[axis]);
  }
  return index.join(",");
}
