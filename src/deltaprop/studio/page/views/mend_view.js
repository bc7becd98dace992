// Which change would help? A run that does not learn, four changes, and what comes of each, side by side.

import { CLASSES, css, glyph } from "../drawing.js";
import { facts, short, told } from "../facts.js";
import { at, hasLearnt, outcomes, pick, picked, show } from "../mend.js";
import { isReady } from "../run.js";
import { html, useEffect } from "../vendored/preact.js";

const [WIDE, HIGH, TOP] = [220, 90, 1.5]; // of a curve, and the loss at its upper edge

/** The loss over the steps. @param {{ of: import("../mend.js").Tried | undefined, label: string }} given */
function Curve({ of, label }) {
  if (!of) return html`<div class="mend-curve" aria-hidden="true"></div>`;
  const { curve, steps } = of;
  const y = (/** @type {number} */ loss) => HIGH * (1 - Math.min(Number.isFinite(loss) ? loss : TOP, TOP) / TOP);
  const line = curve.map(([step, loss]) => `${((WIDE * step) / steps).toFixed(1)} ${y(loss).toFixed(1)}`).join("L");
  return html`<svg class="mend-curve" viewBox=${`-40 -6 ${WIDE + 46} ${HIGH + 24}`} role="img" aria-label=${label}>
    <path class="axes" d=${`M0 0V${HIGH}H${WIDE}`} />
    ${[0, 0.5, 1, 1.5].map((loss) => html`<text x="-6" y=${y(loss) + 4} text-anchor="end">${loss === TOP ? "≥ " : ""}${loss}</text>`)}
    <text x="0" y=${HIGH + 15}>0</text><text x=${WIDE} y=${HIGH + 15} text-anchor="end">${told("mend steps", { steps })}</text>
    <path class="line" d=${`M${line}`} /></svg>`;
}

/** The points, as far as they reach. @param {{ run: import("../mend.js").Prepared }} given */
function Points({ run: { x, targets } }) {
  const most = Math.max(...x.flat().map(Math.abs));
  return html`<svg class="mend-points" viewBox="-1.15 -1.15 2.3 2.3" role="img" aria-label=${told("mend points", { most: short(most, 2) })}>
    ${x.map(([a, b], i) => html`<path d=${glyph(targets[i], a / most, -b / most, 0.06)} fill=${css(CLASSES[targets[i]])} stroke="var(--paper)" stroke-width="0.015" />`)}</svg>`;
}

/** How a run ended, in words. @param {import("../mend.js").Tried} of */
const ended = (of) => (of.diverged || !Number.isFinite(of.loss) ? told("mend diverged") : told("mend ended", { loss: short(of.loss, 2), right: Math.round(100 * of.right) }));

/** @param {{ change: import("../mend.js").Change }} given */
function ChangeCard({ change: { name, said } }) {
  const of = outcomes.value[name];
  const isPicked = picked.value === name;
  if (picked.value === null) return html`<li><button type="button" class="mend-pick" data-change=${name} disabled=${!outcomes.value[""]} onClick=${() => pick(name)}>${said}</button></li>`;
  const sign = of ? (hasLearnt(of) ? "✓" : "✗") : "…";
  return html`<li class=${`mend-tried ${of ? (hasLearnt(of) ? "works" : "fails") : ""} ${isPicked ? "picked" : ""}`} data-change=${name}>
    <p><strong>${sign} ${said}</strong>${isPicked && html` <span class="hint">${told("mend yours")}</span>`}</p>
    <${Curve} of=${of} label=${told("mend curve of", { said })} /><p class="hint">${of ? ended(of) : ""}</p></li>`;
}

export function MendView() {
  useEffect(() => {
    if (isReady.value && !outcomes.value[""] && picked.value === null) void show(at.value);
  }, [isReady.value]);
  const run = facts.mend[at.value];
  const own = outcomes.value[""];
  const mine = picked.value === null ? undefined : outcomes.value[picked.value];
  const isOver = run.changes.every(({ name }) => outcomes.value[name]);
  return html`<div class="mend"><h2>${told("mend run", { k: at.value + 1, n: facts.mend.length })}</h2>
    <p>${told("mend hint")}</p>
    <div class="mend-run"><${Points} run=${run} /><div><${Curve} of=${own} label=${told("mend curve")} /><p class="hint">${own ? ended(own) : ""}</p></div>
      <ul class="mend-facts">${run.facts.map((text) => html`<li>${text}</li>`)}</ul></div>
    <h3>${told("mend ask")}</h3>
    <ul class=${picked.value === null ? "mend-picks" : "mend-outcomes"}>${run.changes.map((change) => html`<${ChangeCard} key=${change.name} change=${change} />`)}</ul>
    <div role="status" class="mend-why">${mine && isOver && html`<p><strong>${told(hasLearnt(mine) ? "mend right" : "mend wrong")}</strong> ${told("mend because", { said: run.said })}</p>
      <p>${told(`mend why ${run.fault}`)}</p>`}</div>
    <p class="mend-tools"><button type="button" id="mend-again" disabled=${picked.value === null} onClick=${() => show(at.value)}>${told("mend again")}</button>
      <button type="button" id="mend-next" onClick=${() => show((at.value + 1) % facts.mend.length)}>${told("mend next")}</button></p></div>`;
}
