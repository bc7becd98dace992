// Before and after: the network, the batch's loss and the sample's outputs on both sides of the step, and every parameter.

import { numberText } from "../../../explaining/live/numbers.js";
import { about, covered, current, pointed, sample } from "../asked.js";
import { CLASSES, css, glyph } from "../drawing.js";
import { brief, short, told } from "../facts.js";
import { ofEdge, ofLoss, ofNeuron } from "../modes.js";
import { shown } from "../run.js";
import { html } from "../vendored/preact.js";
import { ask } from "./ask_view.js";

/** @typedef {import("../../../explaining/live/step.js").Step} Step */
/** @typedef {"before" | "after"} Side */

const [WIDE, APART, NODE, SIDE] = [440, 34, 30, 26]; // the picture; between neurons; a neuron; beside the outermost

/** A neuron's value on one side of the step. @param {Step} step @param {Side} side @param {number} s @param {number} layer @param {number} j */
function valueOf(step, side, s, layer, j) {
  const { dims, data } = step.array(layer === 0 ? "x" : `a.${layer}${side === "after" ? ".after" : ""}`);
  return data[s * dims[1] + j];
}

/** The network on one side of the step. @param {{ step: Step, side: Side, sizes: number[], s: number }} given */
function Side({ step, side, sizes, s }) {
  const [gaps, tallest] = [sizes.length - 1, Math.max(...sizes)];
  const at = (/** @type {number} */ layer, /** @type {number} */ j) => [
    SIDE + (layer * (WIDE - 2 * SIDE)) / gaps, (tallest * APART) / 2 + (j - (sizes[layer] - 1) / 2) * APART,
  ]; // prettier-ignore
  const edges = sizes.slice(1).flatMap((n, l) =>
    Array.from({ length: sizes[l] * n }, (_, k) => {
      const [i, j] = [Math.floor(k / n), k % n];
      const id = `w.${l + 1}.${i}.${j}`;
      const w = Number(ofEdge(step, "updates", s, l + 1, i, j)[side]);
      const [[x0, y0], [x1, y1]] = [at(l, i), at(l + 1, j)];
      const kind = `edge ${w < 0 ? "below" : "above"} ${pointed.value === id ? "pointed" : ""} ${about.value === id ? "asked" : ""}`;
      return html`<path class=${kind} data-edge=${id} d=${`M${x0 + NODE / 2} ${y0}L${x1 - NODE / 2} ${y1}`} stroke-width=${Math.min(0.3 + 1.5 * Math.sqrt(Math.abs(w)), 7).toFixed(2)} />`;
    }),
  );
  const neurons = sizes.flatMap((n, layer) =>
    Array.from({ length: n }, (_, j) => {
      const [x, y] = at(layer, j);
      const value = valueOf(step, side, s, layer, j);
      const colour = `color-mix(in srgb, var(${value < 0 ? "--orange" : "--blue"}) ${Math.round(55 * Math.min(Math.abs(value), 1))}%, var(--paper))`;
      const id = `n.${layer}.${j}`;
      return html`<g class=${`cell ${pointed.value === id ? "pointed" : ""}`} data-edge=${id}>
        <rect x=${x - NODE / 2} y=${y - NODE / 2 + 3} width=${NODE} height=${NODE - 6} rx="5" style=${`fill:${colour}`} /><text x=${x} y=${y + 3}>${brief(value)}</text></g>`;
    }),
  );
  return html`<figure><figcaption>${told(`side ${side}`)}</figcaption>
    <svg viewBox=${`0 0 ${WIDE} ${tallest * APART}`} role="img" aria-label=${told(`picture ${side}`)}>${edges}${neurons}</svg></figure>`;
}

/** What a parameter was, is told to do, does and becomes. @param {{ name: string, id: string, step: import("../modes.js").Found, gradient: number }} given */
function Parameter({ name, id, step, gradient }) {
  const { before, value, after } = step;
  const cells = [Number(before), gradient, value, Number(after)];
  return html`<tr class=${pointed.value === id ? "pointed" : ""} data-edge=${id}><th scope="row"><button type="button" onClick=${() => ask(id)}>${name}</button></th>
    ${cells.map((number) => html`<td data-number=${numberText(number, 17)}>${brief(number, 4)}</td>`)}</tr>`;
}

/** The parameters of a layer. @param {{ step: Step, sizes: number[], layer: number, s: number, open: boolean }} given */
function Layer({ step, sizes, layer, s, open }) {
  const [nIn, nOut] = [sizes[layer - 1], sizes[layer]];
  const weights = Array.from({ length: nIn * nOut }, (_, k) => {
    const [i, j] = [Math.floor(k / nOut), k % nOut];
    return html`<${Parameter} name=${`W${layer}[${i},${j}]`} id=${`w.${layer}.${i}.${j}`} step=${ofEdge(step, "updates", s, layer, i, j)}
      gradient=${ofEdge(step, "gradients", s, layer, i, j).value} />`;
  });
  const biases = Array.from({ length: nOut }, (_, j) => {
    const found = ofNeuron(step, "updates", s, layer, j);
    return found && html`<${Parameter} name=${`b${layer}[${j}]`} id=${`n.${layer}.${j}`} step=${found} gradient=${ofNeuron(step, "gradients", s, layer, j)?.value} />`;
  });
  return html`<details open=${open}><summary>${told("layer", { l: layer })}</summary><div class="scroll" tabindex="0" role="group" aria-label=${told("layer", { l: layer })}><table class="figures parameters">
    <thead><tr><td></td>${["side before", "gradient", "added", "side after"].map((name) => html`<th scope="col">${told(name)}</th>`)}</tr></thead>
    <tbody>${weights}${biases}</tbody></table></div></details>`;
}

/** The sample's outputs, before and after. @param {{ step: Step, s: number, sizes: number[], classes: number }} given */
function Outputs({ step, s, sizes, classes }) {
  const last = sizes.length - 1;
  const target = step.array("targets");
  const table = shown.value?.table;
  return html`<table class="figures both"><thead><tr><td></td><th scope="col">${told("side before")}</th><th scope="col">${told("side after")}</th><th scope="col">${told("target")}</th></tr></thead>
    <tbody><tr><th scope="row">${told("loss of the batch")}</th>${["batch", "after"].map((name) => {
      const value = ofLoss(step, s)[/** @type {"batch"} */ (name)];
      return html`<td data-number=${numberText(value, 17)}>${short(value, 5)}</td>`;
    })}<td></td></tr>
    ${Array.from({ length: sizes[last] }, (_, j) => {
      const color = css(CLASSES[j % 6]);
      const wanted = target.data[s * sizes[last] + j];
      return html`<tr><th scope="row">${classes ? html`<svg viewBox="-1.2 -1.2 2.4 2.4" width="12" height="12" aria-hidden="true"><path d=${glyph(j, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg> ${told("output of class", { name: table?.classes[j] ?? j + 1 })}` : told("output of sample")}</th>
        ${/** @type {Side[]} */ (["before", "after"]).map((side) => {
          const value = valueOf(step, side, s, last, j);
          return html`<td data-number=${numberText(value, 17)}>${short(value, 4)}</td>`;
        })}<td>${short(wanted, 4)}</td></tr>`;
    })}</tbody></table>`;
}

export function StepView() {
  const [found, now] = [current.value, shown.value];
  if (!found || !now) return html`<p class="hint">${covered.value ? told("covered") : "…"}</p>`;
  const step = found.worked;
  const [s, { sizes, classes }] = [sample.value, now];
  const at = (/** @type {Event} */ event) => /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-edge]"))?.dataset.edge ?? null;
  const clicked = (/** @type {MouseEvent} */ event) => {
    const id = at(event);
    if (id && !(/** @type {Element} */ (event.target).closest("button"))) ask(id);
  };
  const small = sizes.slice(1).reduce((n, size, l) => n + (sizes[l] + 1) * size, 0) <= 24;
  return html`<div class="sides" onMouseOver=${(/** @type {Event} */ event) => (pointed.value = at(event))} onMouseLeave=${() => (pointed.value = null)} onClick=${clicked}>
    <p class="hint">${told("sides hint", { step: found.step + 1, s: s + 1 })}</p>
    <div class="pair-of-sides"><${Side} step=${step} side="before" sizes=${sizes} s=${s} /><${Side} step=${step} side="after" sizes=${sizes} s=${s} /></div>
    <div class="tables"><${Outputs} step=${step} s=${s} sizes=${sizes} classes=${classes} />
      <div>${sizes.slice(1).map((_, l) => html`<${Layer} key=${l} step=${step} sizes=${sizes} layer=${l + 1} s=${s} open=${small || (l === sizes.length - 2)} />`)}</div></div></div>`;
}
