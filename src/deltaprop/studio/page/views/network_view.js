// The network: its picture, in which mode; layers and neurons added and taken away.

import { covered, current, sample } from "../asked.js";
import { called, facts, told } from "../facts.js";
import { MODES, mode } from "../modes.js";
import { look, phase, shown } from "../run.js";
import { MOST_LAYERS, MOST_NEURONS, change, setup } from "../setup.js";
import { html } from "../vendored/preact.js";
import { NetworkPicture, fieldsOf, layoutOf } from "./network_picture.js";

/** @param {{ layer: number, x: number, room: number }} given a hidden layer, from 1, its middle, and how wide it may be */
function LayerTools({ layer, x, room }) {
  const { layers } = setup.value;
  const own = layers[layer - 1];
  if (!own) return null; // the run of a network with fewer layers has not begun yet
  const put = (/** @type {Partial<import("../setup.js").LayerWish>} */ wish) =>
    change({ layers: layers.map((each, l) => (l === layer - 1 ? { ...each, ...wish } : each)) });
  return html`<div class="tools" style=${`left:${x}px;width:${Math.min(room - 4, 122)}px`}>
    <span class="count"><button type="button" aria-label=${told("fewer neurons", { layer })} disabled=${own.n <= 1} onClick=${() => put({ n: own.n - 1 })}>−</button>
      <output>${own.n}</output>
      <button type="button" aria-label=${told("more neurons", { layer })} disabled=${own.n >= MOST_NEURONS} onClick=${() => put({ n: own.n + 1 })}>+</button>
    <button type="button" class="remove" aria-label=${told("remove layer", { layer })} onClick=${() => change({ layers: layers.filter((_, l) => l !== layer - 1) })}>×</button></span>
    <select aria-label=${told("activation of", { layer })} value=${own.activation} onChange=${(/** @type {any} */ event) => put({ activation: event.target.value })}>
      ${facts.activations.map((name) => html`<option value=${name} selected=${name === own.activation}>${called("activation", name)}</option>`)}</select>
  </div>`;
}

/** Which numbers are shown, and of which sample. */
function Modes() {
  const batch = current.value?.rows.length ?? 1;
  const typed = (/** @type {any} */ event) => (sample.value = Math.min(Math.max(Math.round(Number(event.target.value)) - 1, 0), batch - 1));
  return html`<div class="modes"><div class="segments" role="radiogroup" aria-label=${told("mode")}>
      ${MODES.map(
        (name) => html`<button type="button" role="radio" id=${`mode-${name}`} aria-checked=${mode.value === name} onClick=${() => (mode.value = name)}>${told(`mode ${name}`)}</button>`,
      )}</div>
    ${!covered.value && html`<label class="sample" for="sample">${told("sample")}<input id="sample" type="number" min="1" max=${batch} value=${sample.value + 1} onChange=${typed} />
      <span>${told("of so many", { n: batch })}</span></label>`}</div>`;
}

export function NetworkView() {
  const [now, seen] = [shown.value, look.value];
  const { layers, biases } = setup.value;
  if (!now || !seen) return null;
  const { sizes } = now;
  const fields = fieldsOf(sizes, seen.field);
  if (fields.length !== sizes.length - 1 || fields.flat().some((field) => field.length === 0)) return null;
  const { place, room, width } = layoutOf(sizes);
  const last = layers[layers.length - 1];
  return html`<section class="network" aria-labelledby="network-title"><h2 id="network-title">${told("network")}</h2>
    <p class="layers-line"><span>${told("hidden layers", { count: layers.length })}</span>
      <button type="button" id="add-layer" disabled=${layers.length >= MOST_LAYERS}
        onClick=${() => change({ layers: [...layers, { n: last?.n ?? 4, activation: last?.activation ?? "tanh" }] })}>${told("add layer")}</button>
      <label class="check"><input type="checkbox" id="biases" checked=${biases} onChange=${(/** @type {any} */ event) => change({ biases: event.target.checked })} />${told("biases")}</label></p>
    <${Modes} />
    <div class="scroll" tabindex="0" role="group" aria-labelledby="network-title"><div class="stage" style=${`width:${width}px`}>
      <div class="all-tools">${sizes.slice(1, -1).map((_, l) => html`<${LayerTools} layer=${l + 1} x=${place(l + 1, 0).x} room=${room} />`)}</div>
      <${NetworkPicture} /></div></div>
    <p class="hint">${told(phase.value === "update" ? "mode hint updated" : `mode hint ${mode.value}`)}</p>
  </section>`;
}
