// A step in which somebody goes on with numbers of his own: each stands where it was worked out, and what comes after is made
// of it, as checking/step.py does.

import { readRef } from "../../explaining/live/origins.js";
import { Step } from "../../explaining/live/step.js";
import { compiled, placeOf } from "../../explaining/live/trees.js";

/** What z an output comes from; of several those that differ by a constant. @type {Record<string, (p: number) => number>} */
const INVERSES = {
  identity: (p) => p,
  sigmoid: (p) => Math.log(p) - Math.log1p(-p),
  softmax: Math.log,
};

export class OwnStep extends Step {
  /** @param {any} program @param {Map<string, import("../../explaining/live/trees.js").Quantity>} given
   *  @param {Map<string, number>} own by the ids of numbers */
  constructor(program, given, own) {
    super(program, given);
    /** @type {Map<string, [number[], number][]>} */
    this.own = new Map();
    for (const [id, value] of own) {
      const { base, index } = readRef(id);
      this.own.set(base, [...(this.own.get(base) ?? []), [index, value]]);
    }
    this.hasOwnOutput = false;
  }

  /** Put one's own numbers into an array; whether any is another one. @param {string} id */
  put(id) {
    const [own, found] = [this.own.get(id), this.arrays.get(id)];
    if (!own || !found) return false;
    const data = Float64Array.from(found.data);
    for (const [index, value] of own) data[placeOf(index, found.dims)] = value;
    this.arrays.set(id, { ...found, data });
    return data.some((value, k) => value !== found.data[k]);
  }

  /** @param {any} assignment @param {boolean} byRows @param {(id: string) => string} [called] */
  assign(assignment, byRows, called = (id) => id) {
    super.assign(assignment, byRows, called);
    this.put(called(assignment[0]));
  }

  /** @param {(id: string) => string} called */
  output(called) {
    super.output(called);
    this.hasOwnOutput = this.put(called(`a.${this.last}`));
  }

  /** Do something with the z that one's own output comes from. @param {(id: string) => string} called @param {() => void} work */
  byOutput(called, work) {
    const [z, a] = [called(`z.${this.last}`), called(`a.${this.last}`)];
    const [kept, inverse] = [this.array(z), INVERSES[this.program.loss.output]];
    if (this.hasOwnOutput && inverse) {
      const back = this.array(a).data.map(inverse);
      this.arrays.set(z, { ...kept, data: kept.data.map((value, k) => (Number.isFinite(back[k]) ? back[k] : value)) });
    }
    work();
    this.arrays.set(z, kept);
  }

  /** @param {(id: string) => string} called */
  losses(called) {
    this.byOutput(called, () => super.losses(called));
    this.put(called("loss"));
  }

  /** @param {Float64Array} z @param {Float64Array} p @param {Float64Array} t @param {number} s @param {number} j */
  lossTerm(z, p, t, s, j) {
    const { loss } = this.program;
    if (!this.hasOwnOutput || !loss.shift) return super.lossTerm(z, p, t, s, j);
    const value = compiled(loss.value, ["z", "t", "p"])([z[j], t[j], p[j]]);
    return t[j] === 0 && !Number.isFinite(value) ? 0 : value;
  }

  outputDelta() {
    this.byOutput((id) => id, () => super.outputDelta());
    this.put(`delta.${this.last}`);
  }

  penalize() {
    super.penalize();
    for (const [id] of this.program.parameters) if (this.arrays.has(`data_d${id}`)) this.put(`d${id}`);
  }
}
