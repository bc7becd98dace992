// Ask: the equation of what was clicked, with its numbers; each of them asked in turn; what can be changed by hand.

import { lineAt, placeOfId } from "../ancestors.js";
import { MOST_PRODUCTS, about, covered, current, idsAbout, lineAbout, pointed, productsOf, sample } from "../asked.js";
import { forgetTurn, knobOf, outcome, turnTo, turned, turnedFrom } from "../changing.js";
import { facts, short, told } from "../facts.js";
import { phase, playing, shown, speed } from "../run.js";
import { html, signal, useEffect, useRef } from "../vendored/preact.js";
import { panel } from "./parts.js";

const trail = signal(/** @type {string[]} */ ([]));

/** Ask about something; what was asked before can be gone back to. @param {string | null} of */
export function ask(of) {
  if (covered.value) return;
  // a weight or an input in a formula is that of the picture
  const place = of !== null && /^[Wx](\.\d+)?\[/.test(of) ? placeOfId(of, 0) : of;
  if (place !== null && about.value !== null && place !== about.value) trail.value = [...trail.value.slice(-19), about.value];
  if (place === null) trail.value = [];
  if (place !== about.value) forgetTurn();
  about.value = place;
  panel.value = "ask";
}

/** The id of the number under an event. @param {Event} event */
const idAt = (event) => /** @type {Element} */ (event.target).closest("[data-id]")?.getAttribute("data-id") ?? null;

/** Point at where a number of a formula stands; and know its line. @param {Event} event */
function pointAt(event) {
  const last = (shown.value?.sizes.length ?? 1) - 1;
  const id = idAt(event);
  pointed.value = id === null ? null : placeOfId(id, last);
  lineAt.value = /** @type {Element} */ (event.target).closest("li.line")?.getAttribute("data-id") ?? null;
}

function pointAtNothing() {
  [pointed.value, lineAt.value] = [null, null];
}

/** The arrows go from number to number of a line, Enter asks about one. @param {KeyboardEvent} event */
function pressed(event) {
  const line = /** @type {Element} */ (event.target).closest("li.line");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!line) return;
  if (by !== undefined) {
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ (Array.from(line.querySelectorAll(".parts [data-id]")));
    const place = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = all[Math.min(Math.max(place + by, 0), all.length - 1)];
    next?.setAttribute("tabindex", "-1");
    next?.focus();
  } else if (event.key === "Enter") {
    const id = idAt(event);
    if (id) ask(id);
  }
}

/** @param {{ id: string }} given */
function Line({ id }) {
  const line = lineAbout(id);
  if (line === null) return null;
  return html`<li class="line" data-id=${id} data-value=${line.value} tabindex="0">
    <span class="symbol" dangerouslySetInnerHTML=${{ __html: line.symbol }}></span>
    <span class="parts" dangerouslySetInnerHTML=${{ __html: line.parts }}></span></li>`;
}

/** The lines about something; what is pointed at in the picture is lit in them. @param {{ of: string, last: number }} given */
function Lines({ of, last }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const at = pointed.value;
  useEffect(() => {
    for (const operand of ref.current?.querySelectorAll(".parts [data-id]") ?? []) {
      operand.classList.toggle("lit", at !== null && placeOfId(operand.getAttribute("data-id") ?? "", last) === at);
    }
  });
  return html`<div class="lines" ref=${ref} onClick=${(/** @type {MouseEvent} */ event) => {
    const id = idAt(event);
    if (id) ask(id);
  }} onMouseOver=${pointAt} onMouseLeave=${pointAtNothing} onFocusIn=${pointAt} onFocusOut=${pointAtNothing} onKeyDown=${pressed}>${idsAbout(of, sample.value, last).map(
    ({ title, ids }) => html`${title && html`<h3>${title}</h3>`}<ul>${ids.map((id) => html`<${Line} key=${id} id=${id} />`)}</ul>`,
  )}</div>`;
}

/** What can be changed by hand, by typing, dragging, or the arrows. @param {{ of: string }} given */
function Edit({ of }) {
  const knob = knobOf(of);
  if (knob === null) return null;
  const { kind, value } = knob;
  const typed = async (/** @type {string} */ text) => {
    if (text.trim() === "") return;
    await turnTo(of, Number(text));
    turned();
  };
  const middle = turnedFrom(of) ?? value; // the range stays while it is dragged
  const size = Math.max(2, 2 * Math.abs(middle));
  const [least, most] = kind === "rate" ? [middle / 50, 4 * middle] : [-size, size];
  const found = outcome.value;
  return html`<div class="edit"><label for="weight">${told(`this ${kind}`)}</label>
    <input id="weight" type="number" step="any" value=${value} onChange=${(/** @type {any} */ event) => typed(event.target.value)} />
    <input id="turn" type="range" aria-label=${told("drag")} min=${least} max=${most} step=${(most - least) / 400} value=${value}
      onInput=${(/** @type {any} */ event) => turnTo(of, Number(Number(event.target.value).toPrecision(5)))} onChange=${turned} />
    <p class="promise" role="status">${found && (found.promised === null ? told("promise none", { done: short(found.done) })
      : told(found.kind === "rate" ? "promise of rate" : "promise", { promised: short(found.promised), done: short(found.done) }))}</p></div>`;
}

export function AskView() {
  const of = about.value;
  if (covered.value) return html`<p class="hint">${told("covered")}</p>`;
  if (of === null) return html`<div class="ask"><p class="hint">${told("ask hint")}</p>
    <button type="button" id="ask-loss" onClick=${() => ask("loss")}>${told("ask about the loss")}</button></div>`;
  const found = current.value;
  const now = shown.value;
  const running = playing.value && speed.value !== "phases";
  return html`<div class="ask">
    <div class="ask-tools"><button type="button" disabled=${trail.value.length === 0} onClick=${() => {
      about.value = trail.value[trail.value.length - 1];
      trail.value = trail.value.slice(0, -1);
    }}>← ${told("asked before")}</button>
      <button type="button" id="ask-loss" onClick=${() => ask("loss")}>${told("ask about the loss")}</button>
      <button type="button" class="close" aria-label=${told("close")} onClick=${() => ask(null)}>×</button></div>
    ${running && html`<p class="hint">${told("ask while it stands")}</p>`}
    ${now && productsOf(now.plan) > MOST_PRODUCTS && html`<p class="hint">${told("ask too large", { most: MOST_PRODUCTS.toLocaleString(facts.language), products: productsOf(now.plan).toLocaleString(facts.language) })}</p>`}
    ${found && now && !running && html`<p class="hint">${told(phase.value === "update" ? "the step taken" : "the step that comes", { step: found.step + 1, rows: found.rows.length, row: found.rows[sample.value] + 1 })}</p>
      <${Edit} of=${of} /><${Lines} of=${of} last=${now.sizes.length - 1} />`}
  </div>`;
}
