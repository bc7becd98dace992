// Practise: what is asked, the fields to fill in, what is said about them, hints, and what came of the session.

import { lineOf } from "../../../explaining/live/lines.js";
import { mathOf, pieces, symbolsOf, textOf } from "../../../explaining/live/mathml.js";
import { Origins, readRef } from "../../../explaining/live/origins.js";
import { partsOfLine } from "../../../explaining/live/write_lines.js";
import { next } from "../asked.js";
import { facts, told } from "../facts.js";
import { DIGITS } from "../marking.js";
import {
  another, begin, broken, canBegin, check, close, giveUp, hint, keep, last, round, small, tally, wish,
} from "../practising.js";
import { symbolsFor } from "../program.js";
import { AMOUNTS, SHOWN, TOPICS, asks, canKeep, isOver, open, shownText } from "../round.js";
import { look } from "../run.js";
import { html, signal, useEffect, useRef } from "../vendored/preact.js";
import { Choice } from "./parts.js";
import { PractiseNumbers } from "./practise_numbers.js";

/** @typedef {import("../round.js").Round} Round */

/** What stands in the fields. */
const typed = signal(/** @type {Record<string, string>} */ ({}));

/** @param {Round} now */
const symbolIn = (now) => symbolsOf(symbolsFor(now.right.program.n));

/** A symbol as text: z¹₂. @param {Round} now @param {string} id @returns {string} */
function nameOf(now, id) {
  if (/^d[Wb]\./.test(id)) return `∂L/∂${nameOf(now, id.slice(1))}`;
  const place = document.createElement("template");
  place.innerHTML = `<math>${symbolIn(now)(id)}</math>`;
  return textOf(place.content.firstElementChild);
}

/** The lines that tell a number, its own at the end: of a loss of several parts, and of a gradient with a penalty, also these.
 *  @param {Round} now @param {string} id */
function linesOf(now, id) {
  const { arrays, program } = now.right;
  if (id !== "loss") return arrays.has(`data_${id.split("[")[0]}`) ? [`data_${id}`, id] : [id];
  const parts = Array.from({ length: program.n }, (_, s) => `loss[${s}]`);
  const penalties = ["l2", "l1"].filter((name) => program.loss[name]).map((name) => `${name}_penalty`);
  return parts.length + penalties.length > 1 ? [...parts, ...penalties, "loss"] : parts;
}

/** A number's line, or a part of it. @param {{ now: Round, id: string, part: "symbols" | "numbers" | "all" }} given */
function Line({ now, id, part }) {
  const origins = new Origins(now.world);
  const symbolOf = symbolIn(now);
  const line = lineOf(id, origins.expression(id), origins.value(id), SHOWN);
  const more = facts.words["terms left out"];
  const of = (/** @type {((id: string) => string) | null} */ symbols) => {
    const [first, ...others] = pieces(line.tree, { digits: line.digits, symbolOf: symbols, more });
    return `<span class=${symbols ? "symbols" : "numbers"}>${mathOf([`<mo>=</mo>${first}`, ...others])}</span>`;
  };
  const parts = part === "all" ? partsOfLine(line, symbolOf, more) : of(part === "symbols" ? symbolOf : null);
  return html`<li class="line"><span class="symbol" dangerouslySetInnerHTML=${{ __html: `<math>${symbolOf(id)}</math>` }}></span>
    <span class="parts" dangerouslySetInnerHTML=${{ __html: parts }}></span></li>`;
}

/** The hints that were asked for: the equations, then with numbers. @param {{ now: Round }} given */
function Hints({ now }) {
  const lines = open(now).map((id) => linesOf(now, id));
  const ids = lines.flat();
  const withNumbers = lines.flatMap((own) => (own.length > 1 ? own.slice(0, -1) : own)); // the parts of a sum would tell it
  return html`${now.hints > 0 && html`<h3>${told("hint symbols")}</h3><ul class="lines">${ids.map((id) => html`<${Line} now=${now} id=${id} part="symbols" />`)}</ul>`}
    ${now.hints > 1 && html`<h3>${told("hint numbers")}</h3><ul class="lines">${withNumbers.map((id) => html`<${Line} now=${now} id=${id} part="numbers" />`)}</ul>`}`;
}

/** What a mistake is called, and what to change. @param {string} name */
const described = (name) => facts.mistakes.words[name] ?? [name, ""];

/** What is said about one number. @param {Round} after @param {string} id */
function saidAbout(after, id) {
  const symbol = nameOf(after, id);
  const [answer, found] = [after.answers.get(id), after.marks.get(id)];
  const text = (answer?.text ?? found?.text.trim() ?? "").slice(0, 20).replaceAll("-", "−");
  if (answer) return told(`practise ${answer.how}`, { symbol, text });
  if (!found) return null;
  if (found.verdict === "unread") return told("practise unread", { symbol, text });
  if (found.verdict === "coarse") return told("practise coarse", { symbol, text, digits: DIGITS });
  if (found.verdict === "wrong") return told("practise wrong", { symbol, text });
  const [first, ...others] = found.names;
  const [doc, fix] = described(first);
  const more = others.slice(0, 2).map((name) => described(name)[0]);
  const { taken, belongs } = found;
  const where = taken && belongs ? told("practise stands", { taken: nameOf(after, taken), belongs: nameOf(after, belongs) }) : "";
  return [
    told("practise named", { symbol, text, doc }), where, told("practise fix", { fix }),
    more.length ? told("practise or", { docs: more.join(told("practise or between")) }) : "",
  ].filter(Boolean).join(told("practise between")); // prettier-ignore
}

/** What was said last, for everybody to read or hear. */
function Verdicts() {
  const found = last.value;
  const kinds = (/** @type {Round} */ after, /** @type {string} */ id) => after.answers.get(id)?.how ?? after.marks.get(id)?.verdict ?? "";
  const lines = found
    ? asks(found.before).filter((id) => !found.before.answers.has(id)).map((id) => ({ text: saidAbout(found.after, id), kind: kinds(found.after, id) }))
    : []; // prettier-ignore
  return html`<div class="verdicts" role="status">${lines.map(({ text, kind }) => text && html`<p class=${`verdict ${kind}`}>${text}</p>`)}</div>`;
}

/** The lines of what was given up, or is wrong. @param {{ now: Round, ids: string[] }} given */
function Solution({ now, ids }) {
  const wanted = ids.filter((id) => now.answers.get(id)?.how === "shown");
  if (!wanted.length) return null;
  return html`<ul class="lines solution">${wanted.flatMap((id) => linesOf(now, id)).map((id) => html`<${Line} now=${now} id=${id} part="all" />`)}</ul>`;
}

/** The question that is open. @param {{ now: Round }} given */
function Question({ now }) {
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  const ids = asks(now);
  const left = open(now);
  useEffect(() => {
    typed.value = {};
    first.current?.focus();
  }, [now.at]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    check(typed.value);
    first.current?.select();
  };
  return html`<form class="question" onSubmit=${submit} autocomplete="off">
    <p class="progress">${told("practise progress", { at: now.at + 1, of: now.questions.length })} ${told(`practise what ${kindOf(ids[0])}`)}</p>
    <div class="fields">${ids.map((id) => {
      const answer = now.answers.get(id);
      if (answer) return html`<p class="field done"><math dangerouslySetInnerHTML=${{ __html: symbolIn(now)(id) }}></math> = ${shownText(now, id)}</p>`;
      const isFirst = id === left[0];
      return html`<label class="field" for=${`answer-${id}`}><math dangerouslySetInnerHTML=${{ __html: symbolIn(now)(id) }}></math> =
        <input id=${`answer-${id}`} ref=${isFirst ? first : null} type="text" inputmode="text" autocomplete="off" spellcheck=${false} size="10"
          aria-label=${nameOf(now, id)} value=${typed.value[id] ?? ""}
          onInput=${(/** @type {any} */ event) => (typed.value = { ...typed.value, [id]: event.target.value })} /></label>`;
    })}</div>
    <div class="do"><button type="submit" id="check" class="main">${told("practise check")}</button>
      <button type="button" id="hint" disabled=${now.hints > 1} onClick=${hint}>${told(now.hints ? "practise more hint" : "practise hint")}</button>
      <button type="button" id="give-up" onClick=${giveUp}>${told("practise give up")}</button>
      ${canKeep(now) && html`<button type="button" id="keep" onClick=${keep}>${told("practise keep")}</button>`}</div></form>`;
}

/** What kind of number is asked for. @param {string} id */
function kindOf(id) {
  const { quantity, after } = readRef(id);
  return after ? `${quantity} after` : quantity;
}

/** How the round went, and what was not right. @param {{ now: Round }} given */
function Over({ now }) {
  const all = [...now.answers];
  const right = all.filter(([, { how }]) => how === "right").length;
  const wrong = all.filter(([, { how }]) => how === "kept" || how === "follows").map(([id]) => id);
  const true_ = { ...now, world: now.right };
  const next = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => next.current?.focus(), []);
  return html`<p class="over" role="status">${told("practise over", { right, of: all.length })}</p>
    ${wrong.length > 0 && html`<h3>${told("practise should be")}</h3>
      <ul class="lines">${wrong.flatMap((id) => linesOf(now, id)).map((id) => html`<${Line} now=${true_} id=${id} part="all" />`)}</ul>`}
    <div class="do"><button type="button" id="another" class="main" ref=${next} onClick=${another}>${told("practise another")}</button></div>`;
}

/** What came of the whole session. */
function Tally() {
  const { asked, first, later, follows, kept, shown: given, mistakes } = tally.value;
  const names = Object.entries(mistakes).sort(([, a], [, b]) => b - a);
  if (!asked && !names.length) return null;
  const others = /** @type {const} */ ([["later", later], ["follows", follows], ["kept", kept], ["shown", given]]).filter(([, n]) => n > 0); // prettier-ignore
  return html`<section class="tally" aria-labelledby="tally-title"><h3 id="tally-title">${told("practise session")}</h3>
    <p>${[...(asked ? [told("tally first", { first, asked })] : []), ...others.map(([key, n]) => told(`tally ${key}`, { n }))].join(told("practise between"))}</p>
    ${names.length > 0 && html`<ul>${names.map(([name, n]) => html`<li>${told("tally mistake", { n, doc: name === "slip" ? told("practise slip") : described(name)[0] })}</li>`)}</ul>`}</section>`;
}

/** What to practise. */
function Choices() {
  const { topic, amount, samples, short } = wish.value;
  const put = (/** @type {Partial<import("../round.js").Wish>} */ more) => (wish.value = { ...wish.value, ...more });
  return html`<div class="choices">
    <${Choice} id="practise-topic" label=${told("practise topic")} value=${topic} options=${TOPICS.map((name) => [name, told(`topic ${name}`)])} onChoose=${(/** @type {any} */ value) => put({ topic: value })} />
    <${Choice} id="practise-amount" label=${told("practise amount")} value=${amount} options=${AMOUNTS.map((name) => [name, told(`amount ${name}`)])} onChoose=${(/** @type {any} */ value) => put({ amount: value })} />
    <${Choice} id="practise-samples" label=${told("practise samples")} value=${samples} options=${[[1, "1"], [2, "2"]]} onChoose=${(/** @type {string} */ value) => put({ samples: Number(value) })} />
    <${Choice} id="practise-short" label=${told("practise numbers")} value=${short ? "short" : "view"} options=${[["view", told("numbers view")], ["short", told("numbers short")]]} onChoose=${(/** @type {string} */ value) => put({ short: value === "short" })} />
    <button type="button" id="begin" class=${round.value ? "" : "main"} disabled=${!canBegin() || isLarge()} onClick=${() => begin()}>${told(round.value ? "practise anew" : "practise begin")}</button>
    ${round.value && !isOver(round.value) && html`<button type="button" id="stop" onClick=${() => close(false)}>${told("practise stop")}</button>`}</div>`;
}

const MOST = 3000; // parameters of a network that one works with

/** Whether the network is too large to work with. */
const isLarge = () => (look.value?.parameters.length ?? 0) > MOST;

export function PractiseView() {
  const now = round.value;
  const batch = next.value?.rows.length ?? 0;
  return html`<div class="practise"><${Choices} />
    ${now === null && html`<p class="hint">${told("practise about", { digits: DIGITS })}</p>
      ${broken.value && html`<p class="verdict" role="status">${told("practise broken")}</p>`}
      ${isLarge() && html`<p class="hint">${told("practise large")}</p>`}
      <p class="hint">${told("practise small about")} <button type="button" id="small-network" onClick=${small}>${told("practise small")}</button></p>`}
    ${now !== null && html`<p class="hint">${told(now.wish.samples === 1 ? "practise step one" : "practise step", { n: Math.min(now.wish.samples, batch) })}</p>
      <div class="round"><div>${isOver(now) ? null : html`<${Question} now=${now} />`}<${Verdicts} />
        <${Solution} now=${now} ids=${last.value ? asks(last.value.before).filter((id) => !asks(now).includes(id)) : []} />
        ${isOver(now) ? html`<${Over} now=${now} />` : html`<${Hints} now=${now} />`}</div>
        <${PractiseNumbers} now=${now} /></div>`}
    <${Tally} /></div>`;
}
