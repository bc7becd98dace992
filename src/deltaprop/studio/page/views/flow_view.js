// From layer to layer: how values grow and shrink on their way forward, deltas on their way back, and how far weights move.

import { covered, current } from "../asked.js";
import { called, short, told } from "../facts.js";
import { measuresOf, measuresOfAll } from "../measures.js";
import { shown } from "../run.js";
import { html } from "../vendored/preact.js";

const DECADES = 3; // of the scale, to each side of its middle
/** The middle of each scale, as a power of ten. @type {Record<string, number>} */
const MIDDLES = { forward: 0, backward: 0, update: -3 };
/** The same, as it is written. @type {Record<string, string>} */
const WRITTEN = { forward: "1", backward: "1", update: "10⁻³" };

/** A ratio, as a bar from the middle of its scale. @param {{ value: number, kind: string, more?: string }} given */
function Ratio({ value, kind, more }) {
  if (!(value >= 0)) return html`<td data-kind=${kind}><span class="nothing">–</span></td>`;
  const at = Math.max(-1, Math.min(1, (Math.log10(value) - MIDDLES[kind]) / DECADES));
  return html`<td data-kind=${kind} data-number=${value}><span class="ratio">${short(value, 3)}</span>
    <span class=${`bar ${at < 0 ? "falls" : "grows"} ${Math.abs(at) === 1 ? "off" : ""}`} style=${`--from:${50 + 50 * Math.min(at, 0)}%;--size:${50 * Math.abs(at)}%`} aria-hidden="true"></span>
    ${more && html`<small>${more}</small>`}</td>`;
}

export function FlowView() {
  const [found, now] = [current.value, shown.value];
  if (!found || !now) return html`<p class="hint">${covered.value ? told("covered") : "…"}</p>`;
  const all = measuresOf(found.worked);
  const whole = measuresOfAll(found.worked);
  const names = [...now.plan.activations, ""];
  const title = (/** @type {number} */ l) => (l === 0 ? told("inputs") : told("layer", { l }) + (names[l - 1] ? `, ${called("activation", names[l - 1])}` : ""));
  const head = (/** @type {string} */ kind) => html`<th scope="col">${told(`flow ${kind}`)}<span class="ends"><span>${told(`least ${kind}`)}</span><span>${WRITTEN[kind]}</span><span>${told(`most ${kind}`)}</span></span></th>`;
  return html`<div class="flow" tabindex="0" role="group" aria-label=${told("flow")}><p class="hint">${told("flow hint")}</p>
    <table><thead><tr><td></td>${["forward", "backward", "update"].map(head)}</tr></thead>
      <tbody>${all.map(
        (own, l) => html`<tr><th scope="row">${title(l)}</th><${Ratio} kind="forward" value=${own.forward} />
          <${Ratio} kind="backward" value=${own.backward} more=${Number.isFinite(own.gain) && l > 0 && told("gain and slope", { gain: short(own.gain, 3), slope: short(own.attenuation, 3) })} />
          <${Ratio} kind="update" value=${own.update} /></tr>`,
      )}</tbody>
      <tfoot><tr><th scope="row">${told("whole way")}</th>${["forward", "backward", "update"].map(
        (kind) => html`<${Ratio} kind=${kind} value=${whole[/** @type {"forward"} */ (kind)]} />`,
      )}</tr></tfoot></table></div>`;
}
