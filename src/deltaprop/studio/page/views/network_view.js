// The network: what every neuron makes of the plane, and the weights between them; layers and neurons added and taken away.

import { about } from "../asked.js";
import { CLASSES, css, drawField, glyph } from "../drawing.js";
import { called, facts, short, told } from "../facts.js";
import { SIDE, look, placeOf, shown } from "../run.js";
import { MOST_LAYERS, MOST_NEURONS, change, setup } from "../setup.js";
import { html, signal } from "../vendored/preact.js";
import { ask } from "./ask_view.js";
import { Picture } from "./parts.js";

const [NARROW, WIDE, STEP, NODE] = [116, 190, 44, 34]; // between layers, between neurons, a neuron

/** What is pointed at or selected: "n.1.3", "w.2.0.4". */
export const pointed = signal(/** @type {string | null} */ (null));

/** Between the middles of two layers. @param {number[]} sizes */
const roomOf = (sizes) => Math.max(NARROW, Math.min(WIDE, Math.min(500, innerWidth - 125) / (sizes.length - 1)));

/** Where a neuron stands: its middle. @param {number[]} sizes @param {number} layer @param {number} j */
function place(sizes, layer, j) {
  const tallest = Math.max(...sizes);
  return { x: NODE / 2 + 30 + layer * roomOf(sizes), y: (tallest * STEP) / 2 + (j - (sizes[layer] - 1) / 2) * STEP };
}

/** The fields of each layer's neurons. @param {number[]} sizes @param {Float32Array} field @returns {Float32Array[][]} */
export function fieldsOf(sizes, field) {
  const points = SIDE * SIDE;
  let from = 0;
  return sizes.slice(1).map((n) => Array.from({ length: n }, () => field.subarray(from, (from += points))));
}

/** An input as a field: it grows to the right, or upwards. @param {number} which */
function inputField(which) {
  return Float32Array.from({ length: SIDE * SIDE }, (_, place) => {
    const [row, column] = [Math.floor(place / SIDE), place % SIDE];
    return which === 0 ? (2 * column) / (SIDE - 1) - 1 : 1 - (2 * row) / (SIDE - 1);
  });
}
const INPUTS = [inputField(0), inputField(1)];

function Edges() {
  const { sizes } = /** @type {import("../run.js").Shown} */ (shown.value);
  const { parameters } = /** @type {import("../run.js").Look} */ (look.value);
  const lines = [];
  for (let layer = 1; layer < sizes.length; layer += 1) {
    for (let i = 0; i < sizes[layer - 1]; i += 1) {
      for (let j = 0; j < sizes[layer]; j += 1) {
        const w = parameters[placeOf(sizes, layer, i, j)];
        const [from, to] = [place(sizes, layer - 1, i), place(sizes, layer, j)];
        const id = `w.${layer}.${i}.${j}`;
        const middle = (from.x + to.x) / 2;
        lines.push(
          html`<path class=${`edge ${w < 0 ? "below" : "above"} ${pointed.value === id ? "pointed" : ""} ${about.value === id ? "asked" : ""}`} data-id=${id}
            d=${`M${from.x + NODE / 2} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x - NODE / 2} ${to.y}`}
            stroke-width=${Math.min(0.3 + 1.5 * Math.sqrt(Math.abs(w)), 7)}
            onMouseEnter=${() => (pointed.value = id)} onMouseLeave=${() => (pointed.value = null)} onClick=${() => ask(id)}>
            <title>${`W${layer}[${i},${j}] = ${short(w, 6)}`}</title></path>`,
        );
      }
    }
  }
  return html`<g>${lines}</g>`;
}

/** @param {{ layer: number, x: number }} given a hidden layer, from 1, and its middle */
function LayerTools({ layer, x }) {
  const { layers } = setup.value;
  const own = layers[layer - 1];
  const put = (/** @type {Partial<import("../setup.js").LayerWish>} */ wish) =>
    change({ layers: layers.map((each, l) => (l === layer - 1 ? { ...each, ...wish } : each)) });
  return html`<div class="tools" style=${`left:${x}px`}>
    <span class="count"><button type="button" aria-label=${told("fewer neurons", { layer })} disabled=${own.n <= 1} onClick=${() => put({ n: own.n - 1 })}>−</button>
      <output>${own.n}</output>
      <button type="button" aria-label=${told("more neurons", { layer })} disabled=${own.n >= MOST_NEURONS} onClick=${() => put({ n: own.n + 1 })}>+</button>
    <button type="button" class="remove" aria-label=${told("remove layer", { layer })} onClick=${() => change({ layers: layers.filter((_, l) => l !== layer - 1) })}>×</button></span>
    <select aria-label=${told("activation of", { layer })} value=${own.activation} onChange=${(/** @type {any} */ event) => put({ activation: event.target.value })}>
      ${facts.activations.map((name) => html`<option value=${name} selected=${name === own.activation}>${called("activation", name)}</option>`)}</select>
  </div>`;
}

/** What an output is for: the glyph of its class. @param {{ j: number }} given */
function Answer({ j }) {
  const { classes } = /** @type {import("../run.js").Shown} */ (shown.value);
  if (!classes) return html`y`;
  const color = css(CLASSES[j % 6]);
  return html`<svg viewBox="-1.2 -1.2 2.4 2.4" width="13" height="13" aria-hidden="true"><path d=${glyph(j, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg>`;
}

export function NetworkView() {
  const [now, seen] = [shown.value, look.value];
  const { layers } = setup.value;
  if (!now || !seen) return null;
  const { sizes } = now;
  const fields = fieldsOf(sizes, seen.field);
  if (fields.length !== sizes.length - 1 || fields.flat().some((field) => field.length === 0)) return null;
  const all = [INPUTS, ...fields];
  const [width, height] = [2 * (NODE / 2 + 30) + (sizes.length - 1) * roomOf(sizes), Math.max(...sizes) * STEP];
  const last = layers[layers.length - 1];
  return html`<section class="network" aria-labelledby="network-title"><h2 id="network-title">${told("network")}</h2>
    <p class="layers-line"><span>${told("hidden layers", { count: layers.length })}</span>
      <button type="button" id="add-layer" disabled=${layers.length >= MOST_LAYERS}
        onClick=${() => change({ layers: [...layers, { n: last?.n ?? 4, activation: last?.activation ?? "tanh" }] })}>${told("add layer")}</button></p>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="network-title"><div class="stage" style=${`width:${width}px`}>
      <div class="all-tools">${sizes.slice(1, -1).map((_, l) => html`<${LayerTools} layer=${l + 1} x=${place(sizes, l + 1, 0).x} />`)}</div>
      <div class="picture" style=${`width:${width}px;height:${height}px`}>
        <svg width=${width} height=${height} role="img" aria-label=${told("picture of the network", { sizes: sizes.join("–") })}><${Edges} /></svg>
        ${all.map((neurons, layer) =>
          neurons.map((field, j) => {
            const isEnd = layer === 0 || layer === sizes.length - 1;
            const { x, y } = place(sizes, layer, j);
            const largest = field.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
            const id = `n.${layer}.${j}`;
            return html`<div key=${id} role="button" tabindex="0" data-neuron=${id} aria-label=${told(layer === 0 ? "input" : "neuron", { layer, j: j + 1 })}
              onClick=${() => ask(id)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), ask(id))}
              class=${`neuron ${pointed.value === id ? "pointed" : ""} ${about.value === id ? "asked" : ""}`} style=${`left:${x - NODE / 2}px;top:${y - NODE / 2}px`}
              title=${layer === 0 ? `x${j + 1}` : `a${layer}[${j}]`} onMouseEnter=${() => (pointed.value = id)} onMouseLeave=${() => (pointed.value = null)}>
              <${Picture} draw=${(/** @type {HTMLCanvasElement} */ canvas) => drawField(canvas, field, SIDE, Math.max(largest, layer === 0 ? 1 : 1e-9))} drawn=${field} />
              ${isEnd && html`<span aria-hidden="true" class=${layer === 0 ? "before" : "behind"}>${layer === 0 ? html`x<sub>${j + 1}</sub>` : html`<${Answer} j=${j} />`}</span>`}</div>`;
          }),
        )}
      </div></div></div>
    <p class="hint">${told("network hint")}</p>
  </section>`;
}
