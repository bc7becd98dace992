// The loss along the step: its curve, the tangent that the gradient promises, and where the step ends.

import { LEAST, MOST, along } from "../along.js";
import { numberText } from "../../../explaining/live/numbers.js";
import { covered } from "../asked.js";
import { CLASSES, css } from "../drawing.js";
import { short, told } from "../facts.js";
import { setLearningRate, shown } from "../run.js";
import { html, useEffect, useRef } from "../vendored/preact.js";
import { uPlot } from "../vendored/uplot.js";

const HEIGHT = 260;
const TENTH = 0.02; // of the scale, from one learning rate of the slider to the next

/** The rows that uPlot draws: curve, tangent, now, promised, after. @param {import("../along.js").Along} found */
function rowsOf({ etas, losses, eta, now, after, slope }) {
  const x = [...new Set([...etas, 0, eta])].sort((a, b) => a - b);
  const curve = x.map((at) => (at === eta ? after : at === 0 ? now : losses[etas.indexOf(at)]));
  const only = (/** @type {number} */ where, /** @type {number} */ value) => x.map((at) => (at === where ? value : null));
  return [x, curve.map((v) => (Number.isFinite(v) ? v : null)), x.map((at) => now + slope * at), only(0, now), only(eta, now + slope * eta), only(eta, after)];
}

/** What is seen of the losses: all of the curve, and where the points are. @param {import("../along.js").Along} found @returns {[number, number]} */
function rangeOf({ losses, eta, now, after, slope }) {
  const all = [...losses, now, after, now + slope * eta].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = 0.08 * (high - low || Math.abs(low) || 1);
  return [low - room, high + room];
}

/** @param {{ found: import("../along.js").Along }} given */
function Plot({ found }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const shownNow = useRef(found);
  shownNow.current = found;
  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (ref.current);
    const style = getComputedStyle(element);
    const [ink, paper] = [style.color, style.getPropertyValue("--paper")];
    const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / 20%)", width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const line = (/** @type {string} */ stroke, /** @type {number[]} */ dash) => ({ stroke, dash, width: 2, points: { show: false } });
    const point = (/** @type {string} */ stroke, /** @type {string} */ fill) => ({ stroke, width: 0, points: { show: true, size: 11, width: 2.5, stroke, fill } });
    const [blue, orange] = [css(CLASSES[0]), css(CLASSES[4])];
    plot.current = new uPlot(
      {
        width: element.clientWidth || 300, height: HEIGHT, legend: { show: false }, cursor: { show: false },
        scales: {
          x: { time: false, range: () => [LEAST * shownNow.current.scale, MOST * shownNow.current.scale] },
          y: { range: () => rangeOf(shownNow.current) },
        },
        axes: [{ ...axis, size: 28 }, { ...axis, size: 56 }],
        series: [{}, line(blue, []), line(orange, [6, 4]), point(ink, ink), point(orange, paper), point(blue, blue)],
      },
      rowsOf(found), element,
    ); // prettier-ignore
    const seen = new ResizeObserver(() => plot.current.setSize({ width: element.clientWidth, height: HEIGHT }));
    seen.observe(element);
    return () => {
      seen.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(rowsOf(found)), [found]);
  const points = JSON.stringify(found.etas.map((eta, k) => [numberText(eta, 17), numberText(found.losses[k], 17)]));
  return html`<div class="along-plot" ref=${ref} role="img" data-points=${points} aria-label=${told("slope curve")}></div>`;
}

export function SlopeView() {
  const [found, now] = [along.value, shown.value];
  if (covered.value || !found || !now) return html`<p class="hint">${covered.value ? told("covered") : "…"}</p>`;
  const { scale, now: before, after, slope } = found;
  const eta = now.plan.learningRate;
  const signed = (/** @type {number} */ v) => (v > 0 ? `+${short(v)}` : short(v).replace("-", "−"));
  const row = (/** @type {string} */ kind, /** @type {number} */ value, /** @type {number | null} */ by) =>
    html`<tr class=${kind}><th scope="row">${told(`slope ${kind}`)}</th><td data-number=${numberText(value, 17)}>${short(value, 5)}</td><td>${by === null ? "" : signed(by)}</td></tr>`;
  const step = TENTH * scale;
  const moved = (/** @type {any} */ event) => void setLearningRate(Number(Number(event.target.value).toPrecision(4)));
  return html`<div class="along"><div class="along-picture"><${Plot} found=${found} />
      <label class="range" for="eta"><span>${told("learning rate")} η<output>${short(eta)}</output></span>
        <input id="eta" type="range" min=${step} max=${MOST * scale} step=${step} value=${eta} onInput=${moved} /></label></div>
    <div class="along-told"><table class="figures"><thead><tr><td></td><th scope="col">${told("loss")}</th><th scope="col">${told("slope by")}</th></tr></thead>
        <tbody>${row("now", before, null)}${row("promised", before + slope * found.eta, slope * found.eta)}${row("after", after, after - before)}</tbody></table>
      <p class="hint">${told("slope hint")}</p></div></div>`;
}
