// Any given number can be typed anew: everything is worked out again, in the page.
import { askedByAddress, putInAddress } from "./address.js";
import { all, made, resultOf } from "./dom.js";
import { Filled, said } from "./fill.js";
import { textOf } from "./mathml.js";
import { numberText, setErfcSeries } from "./numbers.js";
import { indexOf, readRef } from "./origins.js";
import { beyond } from "./referee.js";
import { Step, givenOf } from "./step.js";
import { placeOf } from "./trees.js";
import { Written } from "./written.js";
import { readNumber, sharedOut, unfit } from "./typed.js";

/** @typedef {any} Data */
/** @typedef {Map<string, number>} Changes */

const MOST_TOLD = 6; // changes that stand above the numbers
const [NEAR, MOST_LINES] = [1e-4, 0.9]; // how many lines have to be how near to what the page shows

class Editing {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.words = data.words;
    /** What stands in the place of given numbers, by id. @type {Changes} */
    this.changes = new Map();
    this.step = this.stepOf(this.changes);
    this.original = this.step;
    this.taken = 0; // steps, one after another
    /** @type {Map<string, string>} */
    this.results = new Map(all("li.line").map((line) => [line.id, resultOf(line)]));
  }

  /** The step with some numbers changed. @param {Changes} changes */
  stepOf(changes) {
    const given = givenOf(this.data.program);
    for (const [id, value] of changes) {
      const { base, index } = readRef(id);
      const array = given.get(base);
      if (array) array.data[placeOf(index, array.dims)] = value;
    }
    return new Step(this.data.program, given).run();
  }

  /** Whether what this page works out is what it shows, but for numbers that are nothing but the
   *  rounding of others. */
  holds() {
    const filled = new Filled(this.data, this.step);
    const lines = all("li.line");
    const alike = lines.filter((line) => {
      const value = filled.value(line.id);
      line.dataset.value = numberText(value, 17);
      const shown = Number(resultOf(line));
      return shown === value || Math.abs(shown - value) <= NEAR * Math.abs(value);
    });
    return alike.length >= MOST_LINES * lines.length;
  }

  start() {
    const filled = new Filled(this.data, this.step);
    const brief = all("li.brief");
    for (const item of brief) filled.formula(item);
    if (brief.length) document.dispatchEvent(new Event("numbers"));
    this.bar();
    for (const item of all("li.given")) this.offer(item);
    window.addEventListener("hashchange", () => this.readAddress());
    this.readAddress();
  }

  // one number

  /** Make a given number one that can be clicked. @param {HTMLElement} item */
  offer(item) {
    const math = item.querySelector(".number");
    if (!math || item.id.startsWith("share[")) return; // shares follow from weights of all samples
    const button = made("button", "change");
    button.setAttribute("type", "button");
    const told = made("span", "unseen");
    told.textContent = said(this.words["live change"], { name: this.nameOf(item.id) });
    math.replaceWith(button);
    button.append(told, math);
    button.addEventListener("click", () => this.ask(item, button));
    item.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === item) {
        event.preventDefault();
        this.ask(item, button);
      }
    });
  }

  /** What a given number is called. @param {string} id */
  nameOf(id) {
    const item = document.getElementById(id);
    const name = item?.querySelector(".name")?.textContent;
    const symbol = textOf(item?.querySelector(".symbol")) || id;
    return name ? `${name} ${symbol}` : symbol;
  }

  /** Ask for another number, in the place of the old one.
   *  @param {HTMLElement} item @param {HTMLElement} button */
  ask(item, button) {
    if (item.querySelector("input")) return;
    const input = /** @type {HTMLInputElement} */ (made("input", "typed"));
    const value = this.step.array(readRef(item.id).base).data[this.placeOf(item.id)];
    input.value = String(value);
    input.size = Math.max(6, input.value.length);
    input.autocomplete = "off";
    input.inputMode = "text";
    input.setAttribute("aria-label", this.nameOf(item.id));
    button.hidden = true;
    button.after(input);
    input.focus();
    input.select();
    let open = true;
    const close = () => {
      if (!open) return;
      open = false;
      input.remove();
      item.querySelector(".unfit")?.remove();
      button.hidden = false;
    };
    const take = () => {
      const wrong = input.value.trim() === String(value) ? "" : this.take(item.id, input.value);
      if (wrong) this.refuse(item, input, wrong);
      else close();
      return !wrong;
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Escape" && event.key !== "Enter") return;
      event.preventDefault(); // or the button that gets the focus would be pressed
      if (event.key === "Escape") close();
      if (event.key === "Escape" || take()) button.focus();
    });
    input.addEventListener("blur", () => {
      if (open && !take())
        setTimeout(() => document.activeElement === document.body && input.isConnected && input.focus());
    });
    input.addEventListener("click", (event) => event.stopPropagation());
  }

  /** @param {HTMLElement} item @param {HTMLInputElement} input @param {string} wrong */
  refuse(item, input, wrong) {
    const told = item.querySelector(".unfit") || made("span", "unfit");
    told.id = `${item.id}-unfit`;
    told.setAttribute("role", "alert");
    told.textContent = wrong;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", told.id);
    input.after(told);
  }

  /** Put another number in place of a given one. @param {string} id @param {string} text
   *  @returns {string} why it cannot be taken; "" where it was */
  take(id, text) {
    const value = readNumber(text);
    const why = unfit(id, value, this.data.program);
    if (why)
      return said(this.words[why], { name: this.nameOf(id), text: text.trim() || this.words["live nothing"] });
    const changes = new Map(this.changes);
    this.put(changes, id, value);
    return this.change(changes, id);
  }

  /** Note a number, and what has to follow it: targets that add up to 1.
   *  @param {Changes} changes @param {string} id @param {number} value */
  put(changes, id, value) {
    const { base, index } = readRef(id);
    const { dims, data } = this.step.array(base);
    if (base === "targets" && this.data.program.loss.targets === "distribution" && dims[1] > 1) {
      const [s, j] = index;
      const row = data.subarray(s * dims[1], (s + 1) * dims[1]);
      sharedOut(row, j, value).forEach((t, k) => this.note(changes, `targets[${s},${k}]`, t));
    } else {
      this.note(changes, id, value);
    }
  }

  /** @param {Changes} changes @param {string} id @param {number} value */
  note(changes, id, value) {
    const { base } = readRef(id);
    if (this.original.array(base).data[this.placeOf(id)] === value) changes.delete(id);
    else changes.set(id, value);
  }

  /** @param {string} id */
  placeOf(id) {
    const { base, index } = readRef(id);
    return placeOf(index, this.original.array(base).dims);
  }

  // all numbers

  /** Work everything out with these changes and write it; say why where it cannot be.
   *  @param {Changes} changes @param {string} [cause] the number that was typed */
  change(changes, cause) {
    const step = this.stepOf(changes);
    const odd = beyond(step);
    if (odd) {
      const name = cause && cause !== "step" ? this.nameOf(cause) : this.words["live these"];
      return said(this.words["live beyond"], { name, number: odd.name, value: numberText(odd.value, 3) });
    }
    const loss = this.lossShown();
    [this.changes, this.step, this.taken] = [changes, step, changes.size ? this.taken : 0];
    this.write();
    this.tell(cause, loss);
    this.keepAddress();
    return "";
  }

  write() {
    new Filled(this.data, this.step).fill();
    for (const item of all("li.line")) {
      item.querySelector(".was")?.remove();
      const before = this.results.get(item.id) || "";
      const changed = resultOf(item) !== before;
      item.classList.toggle("changed", changed);
      if (changed) this.mark(item, before);
    }
    document.body.classList.toggle("other-numbers", this.changes.size > 0);
    document.dispatchEvent(new Event("numbers"));
  }

  /** Say what a number was; a given one can go back. @param {HTMLElement} item @param {string} before */
  mark(item, before) {
    const text = said(this.words["live was"], { number: before.replaceAll("-", "−") });
    if (!item.classList.contains("given")) {
      const was = made("small", "was");
      was.textContent = text;
      item.querySelector(".parts")?.append(was);
      return;
    }
    const back = made("button", "was");
    back.setAttribute("type", "button");
    back.title = said(this.words["live back one"], { name: this.nameOf(item.id) });
    back.setAttribute("aria-label", `${text}. ${back.title}`);
    back.textContent = `↩ ${text}`;
    back.addEventListener("click", (event) => {
      event.stopPropagation();
      const wrong = this.take(
        item.id,
        String(this.original.array(readRef(item.id).base).data[this.placeOf(item.id)]),
      );
      if (!wrong) item.querySelector("button")?.focus();
    });
    item.append(back);
  }

  // what is said of it

  bar() {
    const bar = made("section", "live");
    bar.id = "changes";
    bar.setAttribute("aria-label", this.words["live title"]);
    const told = made("p", "said");
    told.setAttribute("role", "status");
    const back = made("button", "back-to-original");
    back.setAttribute("type", "button");
    back.textContent = `↩ ${this.words["live back"]}`;
    back.hidden = true;
    const again = made("button", "take-step");
    again.setAttribute("type", "button");
    again.textContent = this.words["live step"];
    again.addEventListener("click", () => this.takeStep());
    back.addEventListener("click", () => {
      this.change(new Map());
      this.say(this.words["live original"]);
      again.focus();
      document.querySelector("h1")?.scrollIntoView({ block: "nearest" });
    });
    bar.append(told, again, back);
    document.querySelector("header")?.append(bar);
    this.say(this.words["live how"]);
    document.addEventListener("shown", () => this.offerHere());
  }

  /** Beside a given number that is shown in the panel: a way to change it. */
  offerHere() {
    document.querySelector("#inspector .change-here")?.remove();
    const item = /** @type {HTMLElement | null} */ (document.querySelector("li.given.current"));
    const button = /** @type {HTMLElement | null} */ (item?.querySelector("button.change") || null);
    if (!item) return;
    const place = document.querySelector("#inspector .now-formula");
    if (!button) {
      const fixed = made("span", "change-here");
      fixed.textContent = this.words["live fixed"];
      place?.after(fixed);
      return;
    }
    const here = made("button", "change-here");
    here.setAttribute("type", "button");
    here.textContent = said(this.words["live change"], { name: this.nameOf(item.id) });
    here.addEventListener("click", () => {
      item.scrollIntoView({ block: "nearest" });
      this.ask(item, button);
    });
    place?.after(here);
  }

  /** Go on from the numbers that the step leads to. */
  takeStep() {
    const changes = new Map(this.changes);
    for (const id of Object.keys(this.data.program.given)) {
      const after = this.step.arrays.get(`${id}.after`);
      after?.data.forEach((value, place) => this.note(changes, `${id}[${indexOf(place, after.dims)}]`, value));
    }
    if (this.data.program.given.t) this.note(changes, "t", this.step.number("t") + 1);
    const taken = this.taken + 1;
    const wrong = this.change(changes, "step");
    if (wrong) this.say(wrong);
    else this.taken = taken;
    if (!wrong)
      this.say(said(this.words["live steps"], { count: taken, loss: this.plain(this.lossShown()) }));
  }

  /** The loss, as it is written. */
  lossShown() {
    return this.step.number("loss") * new Written(this.data.program).multiple("loss");
  }

  /** A number in a sentence. @param {number} value */
  plain(value) {
    return numberText(value, this.data.digits).replace("-", "−");
  }

  /** @param {string} text */
  say(text) {
    const told = document.querySelector("#changes .said");
    if (told) told.textContent = text;
    const back = /** @type {HTMLElement | null} */ (document.querySelector("#changes .back-to-original"));
    if (back) back.hidden = this.changes.size === 0;
  }

  /** @param {string | undefined} cause @param {number} before the loss before the change */
  tell(cause, before) {
    const digits = this.data.digits;
    const list = [...this.changes]
      .slice(0, MOST_TOLD)
      .map(([id, value]) => `${this.nameOf(id)} = ${numberText(value, digits)}`);
    if (this.changes.size > MOST_TOLD) list.push("…");
    const loss = { before: numberText(before, digits), now: numberText(this.lossShown(), digits) };
    const now = said(this.words[cause && loss.before !== loss.now ? "live loss" : "live loss stays"], loss);
    const changed = list.length
      ? said(this.words["live changed"], { changes: list.join(this.words.further) })
      : this.words["live original"];
    this.say(`${changed}${/[。]$/.test(changed) ? "" : " "}${now}`.replace(/(?<![\w.])-(?=\d)/g, "−"));
  }

  // the address

  keepAddress() {
    // numbers that the page does not show are too many for an address
    const shown = [...this.changes.keys()].every((id) => document.getElementById(id));
    putInAddress(shown ? this.changes : new Map());
  }

  readAddress() {
    const asked = askedByAddress();
    if (!asked) return;
    /** @type {Changes} */
    const changes = new Map();
    let wrong = "";
    for (const [id, text] of asked) {
      const item = document.getElementById(id);
      const value = readNumber(text);
      if (!item?.classList.contains("given") || unfit(id, value, this.data.program)) wrong = `${id}=${text}`;
      else this.note(changes, id, value);
    }
    const odd = this.unevenTargets(changes);
    if (!wrong && !odd && !this.change(changes)) return;
    const all = asked.map((part) => part.join("=")).join(";");
    this.say(said(this.words["live address"], { text: wrong || all }));
  }

  /** Whether targets that have to add up to 1 would not. @param {Changes} changes */
  unevenTargets(changes) {
    if (this.data.program.loss.targets !== "distribution") return false;
    const {
      dims: [n, k],
      data,
    } = this.original.array("targets");
    return Array.from({ length: n }, (_, s) => s).some((s) => {
      const row = Array.from({ length: k }, (_, j) => changes.get(`targets[${s},${j}]`) ?? data[s * k + j]);
      return Math.abs(row.reduce((sum, t) => sum + t, 0) - 1) > 1e-6;
    });
  }
}

/** Make the page alive, where its data is there and what it works out is what it shows. */
export function start() {
  const element = document.getElementById("step-data");
  if (!element) return;
  const data = JSON.parse(element.textContent || "");
  setErfcSeries(data.program.erfc);
  const editing = new Editing(data);
  if (editing.holds()) editing.start();
}
