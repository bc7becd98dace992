// Ask: the equation of what was clicked, with its numbers; each of them asked in turn; a parameter changed by typing.

import { about, covered, current, idsAbout, lineAbout, next, sample } from "../asked.js";
import { short, told } from "../facts.js";
import { look, parameterOf, phase, playing, setParameters, shown, speed } from "../run.js";
import { html, signal } from "../vendored/preact.js";
import { panel } from "./parts.js";

const trail = signal(/** @type {string[]} */ ([]));
/** What a change by hand promised, and what it did. */
const change = signal(/** @type {{ promised: number, done: number } | null} */ (null));

/** Ask about something; what was asked before can be gone back to. @param {string | null} of */
export function ask(of) {
  if (covered.value) return;
  if (of !== null && about.value !== null && of !== about.value) trail.value = [...trail.value.slice(-19), about.value];
  if (of === null) trail.value = [];
  change.value = null;
  about.value = of;
  panel.value = "ask";
}

/** A click on a symbol or number of a formula asks about it. @param {MouseEvent} event */
function clicked(event) {
  const id = /** @type {Element} */ (event.target).closest("[data-id]")?.getAttribute("data-id");
  if (id) ask(id);
}

/** @param {{ id: string }} given */
function Line({ id }) {
  const line = lineAbout(id);
  if (line === null) return null;
  return html`<li class="line" data-id=${id} data-value=${line.value}>
    <span class="symbol" dangerouslySetInnerHTML=${{ __html: line.symbol }}></span>
    <span class="parts" dangerouslySetInnerHTML=${{ __html: line.parts }}></span></li>`;
}

/** A parameter to change by hand. @param {{ of: string }} given */
function Edit({ of }) {
  const { sizes, plan } = /** @type {import("../run.js").Shown} */ (shown.value);
  const place = parameterOf(of, sizes);
  if (place === null || (of.startsWith("n") && !plan.biases)) return null;
  const { parameters } = /** @type {import("../run.js").Look} */ (look.value);
  const now = parameters[place];
  const typed = async (/** @type {string} */ text) => {
    const wanted = Number(text);
    if (text.trim() === "" || !Number.isFinite(wanted) || wanted === now || next.value === null) return;
    const [kind, layer, i, j] = of.split(".");
    const id = kind === "w" ? `dW.${layer}[${i},${j}]` : `db.${layer}[${i}]`;
    const before = next.value.worked.number("loss");
    const { lossAt } = next.value;
    const promised = next.value.origins.value(id) * (wanted - now);
    const others = Float64Array.from(parameters);
    others[place] = wanted;
    await setParameters(others);
    change.value = { promised, done: lossAt(others) - before };
  };
  const size = Math.max(2, 2 * Math.abs(now));
  return html`<div class="edit"><label for="weight">${told(of.startsWith("w") ? "this weight" : "this bias")}</label>
    <input id="weight" type="number" step="any" value=${now} onChange=${(/** @type {any} */ event) => typed(event.target.value)} />
    <input type="range" aria-label=${told("drag")} min=${-size} max=${size} step=${size / 100} value=${now} onChange=${(/** @type {any} */ event) => typed(event.target.value)} />
    ${change.value && html`<p class="promise" role="status">${told("promise", { promised: short(change.value.promised), done: short(change.value.done) })}</p>`}</div>`;
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
    ${found && now && !running && html`<p class="hint">${told(phase.value === "update" ? "the step taken" : "the step that comes", { step: found.step + 1, rows: found.rows.length, row: found.rows[sample.value] + 1 })}</p>
      ${(of.startsWith("w.") || of.startsWith("n.")) && html`<${Edit} of=${of} />`}
      <div class="lines" onClick=${clicked}>${idsAbout(of, sample.value, now.sizes.length - 1).map(
        ({ title, ids }) => html`${title && html`<h3>${title}</h3>`}<ul>${ids.map((id) => html`<${Line} id=${id} />`)}</ul>`,
      )}</div>`}
  </div>`;
}
