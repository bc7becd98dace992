// What the network makes of the points: which class is taken for which, or the numbers it says beside the true ones.

import { covered } from "../asked.js";
import { confusionOf } from "../confusion.js";
import { CLASSES, css, glyph } from "../drawing.js";
import { short, told } from "../facts.js";
import { judge, judged, judges, shown } from "../run.js";
import { html } from "../vendored/preact.js";

/** @typedef {import("../run.js").Part} Part */

/** A class: its glyph and its number. @param {{ of: number }} given */
function Class({ of }) {
  const color = css(CLASSES[of % 6]);
  return html`<svg viewBox="-1.2 -1.2 2.4 2.4" width="11" height="11" aria-hidden="true"><path d=${glyph(of, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg>
    <span class="visually-hidden">${told("class", { k: of + 1 })}</span><span aria-hidden="true">${of + 1}</span>`;
}

/** @param {{ name: string, counts: number[][] }} given */
function Confusion({ name, counts }) {
  const sums = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
  return html`<table class="confusion"><caption>${name}</caption>
    <thead><tr><td><span class="visually-hidden">${told("true by predicted")}</span></td>${counts.map((_, k) => html`<th scope="col"><${Class} of=${k} /></th>`)}</tr></thead>
    <tbody>${counts.map(
      (row, k) => html`<tr><th scope="row"><${Class} of=${k} /></th>${row.map(
        (n, j) => html`<td class=${n === 0 ? "none" : j === k ? "right" : "wrong"} style=${`--share:${Math.round((60 * n) / (sums[k] || 1))}%`}>${n}</td>`,
      )}</tr>`,
    )}</tbody></table>`;
}

/** What was said beside what is true; on the line they are the same.
 *  @param {{ parts: { name: string, kind: string, answers: number[], said: Float64Array }[] }} given */
function Beside({ parts }) {
  const all = parts.flatMap(({ answers, said }) => [...answers, ...Array.from(said).filter(Number.isFinite)]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const at = (/** @type {number} */ v) => (200 * (v - low)) / (high - low || 1);
  return html`<svg class="beside" viewBox="-34 -8 246 248" role="img" aria-label=${told("predicted against true")}>
    <path class="frame" d="M0 0h200v200h-200z" /><path class="same" d="M0 200L200 0" />
    ${parts.map(({ kind, answers, said }) => html`<path class=${kind} d=${answers.map((answer, i) => {
      const [x, y] = [at(answer), 200 - at(said[i])];
      return Number.isFinite(y) ? `M${(x - 2).toFixed(1)} ${y.toFixed(1)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0` : "";
    }).join("")} />`)}
    <text x="0" y="214">${short(low, 3)}</text><text x="200" y="214" text-anchor="end">${short(high, 3)}</text>
    <text x="100" y="230" text-anchor="middle">${told("true number")}</text><text x="-22" y="100" text-anchor="middle" transform="rotate(-90 -22 100)">${told("predicted number")}</text>
    <text x="-4" y="200" text-anchor="end">${short(low, 3)}</text><text x="-4" y="8" text-anchor="end">${short(high, 3)}</text></svg>`;
}

function Shown() {
  const [now, found] = [shown.value, judged.value];
  if (!now || !found || covered.value) return html`<p class="hint">${covered.value ? told("covered") : "…"}</p>`;
  const { training, held, classes } = now;
  const parts = [{ name: told("training"), kind: "of-training", answers: training.answers, said: found.outputs }];
  if (found.heldOutputs) parts.push({ name: told("held"), kind: "of-held", answers: held.answers, said: found.heldOutputs });
  if (!classes) {
    return html`<${Beside} parts=${parts} /><p class="legend">${parts.map(({ name, kind }) => html`<span class=${`dot ${kind}`}>${name}</span>`)}</p>`;
  }
  return html`<div class="confusions">${parts.map(({ name, answers, said }) => html`<${Confusion} name=${name} counts=${confusionOf(said, answers, classes)} />`)}</div>
    <p class="hint">${told("confusion hint")}</p>`;
}

export function JudgedView() {
  const classes = shown.value?.classes;
  const toggled = (/** @type {any} */ event) => {
    if (event.target.open !== judges.value) judge(event.target.open);
  };
  return html`<details class="judged" id="judged" open=${judges.value} onToggle=${toggled}><summary>${told(classes ? "confusion" : "predicted against true")}</summary>
    ${judges.value && html`<${Shown} />`}</details>`;
}
