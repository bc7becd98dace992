// The page with other numbers: every line, equation, picture and sentence is written again.
import { all, put } from "./dom.js";
import { lineOf } from "./lines.js";
import { numberText } from "./numbers.js";
import { escaped, number, symbolsOf } from "./mathml.js";
import { Origins, readRef } from "./origins.js";
import { batchOf, decided, promiseOf, proofOf } from "./referee.js";
import { partsOf, placeOf, withParts } from "./trees.js";
import { Written } from "./written.js";
import { fillEquation, widthClass } from "./write_equations.js";
import { partsOfLine, proofHtml } from "./write_lines.js";

/** @typedef {import("./step.js").Step} Step */
/** @typedef {any} Data */

const MOST_SAMPLES = 10; // of a batch, in its table
const WORTH_A_REASON = 1e-9;
const FAR = 10;
const LONGEST = 7; // characters of a number in the picture

/** Words with what fills them in. @param {string} text @param {Record<string, string | number>} values */
export function said(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** @param {number} value */
const signOf = (value) => (value < 0 ? "negative" : value > 0 ? "positive" : "zero");

export class Filled {
  /** @param {Data} data @param {Step} step */
  constructor(data, step) {
    this.data = data;
    this.words = data.words;
    this.step = step;
    this.origins = new Origins(step);
    this.written = new Written(data.program);
    this.symbolOf = symbolsOf(data.symbols);
    const ids = new Set(all("li.line").map((line) => line.id));
    /** @param {string} id */
    this.known = (id) => ids.has(id);
  }

  /** A number's value, as it is written. @param {string} id */
  value(id) {
    return this.origins.value(id) * this.written.multiple(readRef(id).quantity);
  }

  /** A number as the page shows it. @param {number} value */
  text(value) {
    return numberText(value, this.data.digits);
  }

  /** A line of the page, worked out again. @param {string} id */
  line(id) {
    const made = this.written.line(id, this.origins.expression(id), this.origins.value(id));
    const line = lineOf(id, made.tree, made.value, this.data.digits);
    const tree = this.joined(line.tree);
    return { ...line, tree, hasFormula: line.hasFormula && tree.id !== id };
  }

  /** An expression in which a number that has the symbol of another has its id, too.
   *  @param {any} tree @returns {any} */
  joined(tree) {
    if (Array.isArray(tree))
      return tree[0] === "n"
        ? tree
        : withParts(
            tree,
            partsOf(tree).map((part) => this.joined(part)),
          );
    return tree.id === undefined ? tree : { ...tree, id: this.joinedId(tree.id) };
  }

  /** @param {string} id */
  joinedId(id) {
    const [base, index] = id.split("[");
    const other = this.data.joined[base];
    return other ? `${other}${index ? `[${index}` : ""}` : id;
  }

  /** Write everything. */
  fill() {
    for (const item of all("li.given")) this.given(item);
    for (const item of all("li.step")) this.ofStep(item);
    this.proofs();
    this.equations();
    this.picture();
    this.rate();
    this.proved();
    this.batch();
    this.promise();
  }

  /** @param {HTMLElement} item */
  given(item) {
    const value = this.value(item.id);
    const text = this.text(value);
    item.dataset.value = numberText(value, 17);
    const math = item.querySelector(".number");
    if (math) put(math, `<mo>${Number(text) === value ? "=" : "≈"}</mo>${number(text)}`);
  }

  /** A line with its formula, its result and its proof. @param {HTMLElement} item */
  ofStep(item) {
    item.hidden = !this.origins.isTold(item.id);
    this.formula(item);
  }

  /** @param {HTMLElement} item */
  formula(item) {
    const line = this.line(item.id);
    item.dataset.value = numberText(line.value, 17);
    const parts = item.querySelector(".parts");
    if (parts) put(parts, partsOfLine(line, this.symbolOf, this.words["terms left out"]));
  }

  /** What central differences say of the gradients. */
  proofs() {
    const items = all("li.step").filter((item) => item.querySelector(".proof"));
    const found = decided(
      items.map(({ id }) => {
        const { base, index } = readRef(id);
        const parameter = base.slice(1);
        const { dims } = this.step.array(parameter);
        return proofOf(this.step, parameter, placeOf(index, dims), this.origins.value(id));
      }),
    );
    items.forEach((item, k) => {
      const element = /** @type {Element} */ (item.querySelector(".proof"));
      const measured = found[k].measured * this.written.multiple(readRef(item.id).quantity);
      element.className = `proof ${found[k].verdict === "undecided" ? "kink" : found[k].verdict}`;
      put(
        element,
        proofHtml({ ...found[k], measured }, this.words, (value, digits) => numberText(value, digits || this.data.digits)),
      );
    });
  }

  equations() {
    const elements = all(".equation");
    let widest = 0;
    const called = (/** @type {string} */ id) => this.joinedId(id);
    const arrayOf = (/** @type {string} */ id) => this.written.array(this.step, id);
    const { digits } = this.data;
    this.data.equations.forEach((/** @type {any} */ equation, /** @type {number} */ k) => {
      const width = fillEquation(elements[k], equation, arrayOf, this.step.apply, digits, this.known, called);
      widest = Math.max(widest, width);
    });
    for (const element of elements) {
      element.classList.remove("wide", "wider");
      if (widthClass(widest)) element.classList.add(widthClass(widest));
    }
  }

  // the picture

  /** A number that fits beside its symbol. @param {number} value */
  short(value) {
    let text = this.text(value);
    for (let digits = this.data.digits - 1; digits > 0 && text.length > LONGEST; digits -= 1) {
      text = numberText(value, digits);
    }
    return text.replaceAll("-", "−");
  }

  picture() {
    for (const text of all(".network text[data-of]")) {
      const id = text.dataset.of || "";
      const value = this.value(id);
      const sign = /^[∂d] /.exec(text.textContent || "")?.[0] || "";
      text.textContent = `${sign}${this.short(value)}`;
      delete text.dataset.before;
      if (text.dataset.again) text.dataset.again = this.short(this.value(afterOf(id)));
      if (text.classList.contains("number")) setSign(text, value);
    }
    for (const edge of all(".network .edge[data-of]")) {
      const { base, index } = readRef(edge.dataset.of || "");
      const { dims, data } = this.step.array(base);
      const w = data[placeOf(index, dims)];
      const share = Math.abs(w) / (Math.max(...data.map(Math.abs)) || 1);
      setSign(edge, w);
      edge.querySelector(".line")?.setAttribute("stroke-width", (0.8 + 3.2 * share).toFixed(2));
      const title = edge.querySelector("title");
      const gradient = this.short(this.value(`d${edge.dataset.of}`));
      if (title) title.textContent = this.edgeTitle(title.textContent || "", this.short(w), gradient);
    }
    for (const words of all(".network desc[data-form]")) {
      const numbers = (/** @type {string} */ _, /** @type {string} */ id) => this.short(this.value(id));
      words.textContent = (words.dataset.form || "").replace(/\{([^}]+)\}/g, numbers);
    }
    for (const drawn of all("figure.drawn")) drawn.classList.add("as-it-was");
  }

  /** @param {string} before @param {string} w @param {string} gradient */
  edgeTitle(before, w, gradient) {
    const [one, other] = before.split(",  ").map((part) => part.split(" = ")[0]);
    return `${one} = ${w},  ${other} = ${gradient}`;
  }

  // sentences

  rate() {
    const [place, form] = this.data.rate;
    const item = all(".conventions li")[place];
    if (item) item.textContent = said(form, { rate: this.text(this.step.number("learning_rate")) });
  }

  proved() {
    const sentence = document.querySelector("#neurons .proved, #neurons .failed");
    if (!sentence) return;
    const judged = all("li.step .proof").filter((proof) => !proof.classList.contains("kink"));
    const right = judged.filter((proof) => proof.classList.contains("right")).length;
    sentence.className = right < judged.length ? "failed" : "proved";
    sentence.textContent = said(this.words.proved, { right, count: judged.length });
  }

  /** @param {HTMLElement} section @param {string[]} sentences */
  sentences(section, sentences) {
    for (const old of Array.from(section.querySelectorAll(":scope > p"))) old.remove();
    for (const text of sentences) {
      const paragraph = document.createElement("p");
      paragraph.textContent = text.replace(/(?<![\w.])-(?=\d)/g, "−");
      section.append(paragraph);
    }
  }

  batch() {
    const section = document.getElementById("batch");
    const body = section?.querySelector("tbody");
    if (!section || !body) return;
    const { words } = this;
    const { samples, norm, uncancelled, conflict } = batchOf(this.step);
    const ofLoss = this.written.multiple("loss");
    const order = samples
      .map((each, k) => ({ each, k }))
      .sort((a, b) => a.each.cosine - b.each.cosine || a.k - b.k)
      .slice(0, MOST_SAMPLES);
    put(
      body,
      order
        .map(({ each }) => {
          const numbers = [this.text(each.loss * ofLoss), this.text(each.norm), each.cosine.toFixed(3)];
          const cells = numbers.map((text) => `<td class="figure"><math>${number(text)}</math></td>`);
          const against = each.cosine < 0 ? escaped(words.against.trim()) : "";
          return `<tr><th scope="row">${each.sample + 1}</th>${cells.join("")}<td>${against}</td></tr>`;
        })
        .join(""),
    );
    const more = samples.length - order.length;
    const sentences = more ? [said(words["more samples"], { count: more.toLocaleString("en-US") })] : [];
    sentences.push(
      said(words.cancellation, { share: `${(uncancelled * 100).toFixed(0)}%`, norm: this.text(norm) }),
    );
    if (conflict) {
      const [s, r, own] = conflict;
      sentences.push(said(words.conflict, { one: s + 1, other: r + 1, cosine: own.toFixed(3) }));
    }
    this.sentences(section, sentences);
  }

  promise() {
    const section = document.getElementById("promise");
    const rows = section ? Array.from(section.querySelectorAll("tbody tr")) : [];
    if (!section || !rows.length) return;
    const { crossed, ...found } = promiseOf(this.step);
    const ofLoss = this.written.multiple("loss");
    const [before, after, promised, bent, brought] = [
      found.before, found.after, found.promised, found.bent, found.brought,
    ].map((value) => value * ofLoss);
    [before, after, promised, bent, promised + bent, brought].forEach((value, k) => {
      const cell = rows[k].querySelector("td");
      const beyond = !Number.isFinite(value) && Number.isFinite(brought);
      if (cell)
        put(cell, beyond ? escaped(this.words["no number"]) : `<math>${number(this.text(value))}</math>`);
    });
    this.sentences(section, [...this.reasons(promised, bent, brought, crossed)]);
  }

  /** Why promise and fact differ. @param {number} promised @param {number} bent
   *  @param {number} brought @param {number} crossed */
  *reasons(promised, bent, brought, crossed) {
    const { words } = this;
    const gap = brought - promised;
    if (![promised, bent, brought].every(Number.isFinite)) {
      yield words[Number.isFinite(brought) ? "promise overflows" : "step overflows"];
      return;
    }
    if (Math.abs(gap) <= WORTH_A_REASON * Math.abs(promised)) {
      yield words["promise kept"];
      return;
    }
    yield said(words.gap, { gap: this.text(gap), bent: this.text(bent), rest: this.text(gap - bent) });
    if (crossed) yield said(words["crossed kinks"], { count: crossed.toLocaleString("en-US") });
    if (promised < 0 && brought > 0) yield words["step too long"];
    const times = promised < 0 && bent > 0 ? -promised / (2 * bent) : Infinity;
    if (times <= FAR) yield said(words["best length"], { times: numberText(times, 3) });
  }
}

/** @param {Element} element @param {number} value */
function setSign(element, value) {
  element.classList.remove("negative", "positive", "zero");
  element.classList.add(signOf(value));
}

/** The id of a number after the step. @param {string} id */
function afterOf(id) {
  const [base, index] = id.split("[");
  return `${base}.after${index ? `[${index}` : ""}`;
}
