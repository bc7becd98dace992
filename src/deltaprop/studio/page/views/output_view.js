// What comes out: the decision regions, or the surface, with the points; figures and their curves.

import { about, coversLoss, current, pointed, sample } from "../asked.js";
import { movePoint } from "../changing.js";
import { CLASSES, css, drawField, drawRegions, glyph } from "../drawing.js";
import { short, told } from "../facts.js";
import { REACH, SIDE, look, shown } from "../run.js";
import { html, signal, useEffect, useRef } from "../vendored/preact.js";
import { uPlot } from "../vendored/uplot.js";
import { fieldsOf } from "./network_picture.js";
import { JudgedView } from "./judged_view.js";
import { Picture } from "./parts.js";

export const showsHeld = signal(true);

/** Drawn anew when there are other points, not at every frame. @param {{ held: boolean }} given */
function Points({ held }) {
  const now = /** @type {import("../run.js").Shown} */ (shown.value);
  const { classes, low, high } = now;
  const part = held ? now.held : now.training;
  return html`<g>${part.x.map(([a, b], i) => {
    const answer = part.answers[i];
    if (Math.abs(a) > REACH || Math.abs(b) > REACH) return null;
    const share = high > low ? (answer - low) / (high - low) : Number(answer > 0);
    const color = classes ? CLASSES[answer % 6] : CLASSES[share > 0.5 ? 0 : 4];
    const opacity = classes ? 1 : 0.25 + 1.5 * Math.abs(share - 0.5);
    const line = answer % 6 > 3 || held ? 0.016 : 0.008; // of crosses, and of what is hollow
    return html`<path d=${glyph(classes ? answer : 0, a, -b, 0.027)} fill=${held ? "none" : css(color)} fill-opacity=${opacity}
      stroke=${held || answer % 6 > 3 ? css(color) : "var(--paper)"} stroke-opacity=${held ? opacity : 1} stroke-width=${line} />`;
  })}</g>`;
}

/** A ring about the sample whose numbers are shown; it is moved by dragging. */
function Sampled() {
  const [now, step, seen] = [shown.value, current.value, look.value];
  const [a, b] = (!seen?.running && step && now?.training.x[step.rows[sample.value]]) || [NaN];
  return Number.isFinite(a + b) ? html`<circle class="sampled" cx=${a} cy=${-b} r="0.06" onPointerDown=${dragged} />` : null;
}

/** @param {PointerEvent} event */
function dragged(event) {
  const plane = /** @type {SVGElement} */ (event.currentTarget).ownerSVGElement;
  if (event.button !== 0 || !plane) return;
  event.preventDefault();
  const ending = new AbortController();
  const moved = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = plane.getBoundingClientRect();
    const place = [(2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height];
    void movePoint(place.map((share) => Number((REACH * Math.max(-1, Math.min(1, share))).toFixed(4))));
  };
  window.addEventListener("pointermove", moved, { signal: ending.signal });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => ending.abort(), { signal: ending.signal });
}

export function OutputView() {
  const [now, seen] = [shown.value, look.value];
  if (!now || !seen) return null;
  const all = fieldsOf(now.sizes, seen.field);
  const outputs = all[all.length - 1];
  if (!outputs || outputs.some((field) => field.length === 0)) return null;
  const found = /^n\.(\d+)\.(\d+)$/.exec(pointed.value ?? "");
  const neuron = found && Number(found[1]) > 0 ? all[Number(found[1]) - 1]?.[Number(found[2])] : null;
  const draw = (/** @type {HTMLCanvasElement} */ canvas) => {
    if (neuron) return drawField(canvas, neuron, SIDE, neuron.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-9));
    if (now.classes) return drawRegions(canvas, outputs, SIDE);
    return drawField(canvas, outputs[0], SIDE, Math.max(Math.abs(now.low), Math.abs(now.high)));
  };
  return html`<section class="output" aria-labelledby="output-title"><h2 id="output-title">${neuron ? told("neuron", { layer: Number(found?.[1]), j: Number(found?.[2]) + 1 }) : told("output")}</h2>
    <div class="plane"><${Picture} class="regions" draw=${draw} drawn=${neuron ?? seen.field} label=${told("picture of the output")} />
      <svg viewBox=${`${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`} aria-hidden="true">
        <${Points} held=${false} />${showsHeld.value && html`<${Points} held=${true} />`}<${Sampled} /></svg></div>
    <label class="check"><input type="checkbox" checked=${showsHeld.value} onChange=${(/** @type {any} */ event) => (showsHeld.value = event.target.checked)} />${told("show held out")}</label>
    <${Figures} /><${JudgedView} />${!coversLoss.value && html`<${Curve} />`}
  </section>`;
}

function Figures() {
  const { figures } = /** @type {import("../run.js").Look} */ (look.value);
  const { loss, held, right, heldRight } = figures;
  const percent = (/** @type {number} */ share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–");
  return html`<table class="figures"><thead><tr><td></td><th scope="col">${told("loss")}</th><th scope="col">${told("right")}</th></tr></thead><tbody>
    <tr class="of-training"><th scope="row">${told("training")}</th><td id="loss">${coversLoss.value ? "?" : short(loss)}</td><td id="right">${percent(right)}</td></tr>
    <tr class="of-held"><th scope="row">${told("held")}</th><td id="held-loss">${short(held)}</td><td>${percent(heldRight)}</td></tr></tbody></table>`;
}

function Curve() {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const { curve } = /** @type {import("../run.js").Look} */ (look.value);
  // where the loss is asked about, it is marked on its curve
  const isMarked = [about.value, pointed.value].includes("loss");
  const data = () => [...curve.slice(0, 3), Array.from(curve[1], (loss, k) => (isMarked && k === curve[1].length - 1 ? loss : null))];
  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (ref.current);
    const ink = getComputedStyle(element).color;
    const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / 20%)", width: 1 }, ticks: { show: false }, font: "11px system-ui", size: 34 };
    const line = (/** @type {string} */ label, /** @type {string} */ stroke, /** @type {number[]} */ dash) => ({
      label, stroke, dash, width: 2, points: { show: false },
    }); // prettier-ignore
    plot.current = new uPlot(
      {
        width: element.clientWidth || 300, height: 150, legend: { show: false }, cursor: { show: false },
        scales: { x: { time: false } }, axes: [{ ...axis, size: 24 }, { ...axis, size: 44 }],
        series: [
          {}, line(told("training"), css(CLASSES[0]), []), line(told("held"), css(CLASSES[4]), [5, 4]),
          { width: 0, points: { show: true, size: 11, width: 2, stroke: ink, fill: css(CLASSES[0]) } },
        ],
      },
      data(), element,
    ); // prettier-ignore
    const seen = new ResizeObserver(() => plot.current.setSize({ width: element.clientWidth, height: 150 }));
    seen.observe(element);
    return () => {
      seen.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data()), [curve, isMarked]);
  return html`<div class="curve" ref=${ref} role="img" aria-label=${told("curve of the loss")}></div>
    <p class="legend"><span class="of-training">${told("training")}</span><span class="of-held">${told("held")}</span></p>`;
}
