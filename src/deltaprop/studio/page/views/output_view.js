// What comes out: the decision regions, or the surface, with the points; figures and their curves.

import { about, coversLoss, current, pointed, sample } from "../asked.js";
import { movePoint } from "../changing.js";
import { CLASSES, LINES, css, drawField, drawRegions, glyph, largestOf } from "../drawing.js";
import { short, told } from "../facts.js";
import { amountsOf } from "../plane.js";
import { REACH, SIDE, axes, look, plane, shown } from "../run.js";
import { html, signal, useEffect, useRef } from "../vendored/preact.js";
import { uPlot } from "../vendored/uplot.js";
import { fieldsOf } from "./network_picture.js";
import { JudgedView } from "./judged_view.js";
import { Choice, Picture } from "./parts.js";

const showsHeld = signal(true);

const LEVELS = 12; // of a number's colour
const MOST_AXES = 200;

/** The points, a path for each class or level of the number; drawn anew when there are other points, not at every frame.
 *  @param {{ held: boolean }} given */
function Points({ held }) {
  const now = /** @type {import("../run.js").Shown} */ (shown.value);
  const over = /** @type {import("../plane.js").Plane} */ (plane.value);
  const { classes, low, high } = now;
  const part = held ? now.held : now.training;
  /** @type {Map<number, string[]>} */
  const paths = new Map();
  part.x.forEach((row, i) => {
    const [a, b] = over.at(row, i);
    if (Math.abs(a) > REACH || Math.abs(b) > REACH) return;
    const answer = part.answers[i];
    const share = high > low ? (answer - low) / (high - low) : Number(answer > 0);
    const group = classes ? answer : Math.min(LEVELS - 1, Math.floor(LEVELS * share));
    if (!paths.has(group)) paths.set(group, []);
    paths.get(group)?.push(glyph(classes ? answer : 0, a, -b, 0.027));
  });
  return html`<g>${[...paths].map(([group, all]) => {
    const share = (group + 0.5) / LEVELS;
    const color = css(classes ? CLASSES[group % CLASSES.length] : CLASSES[share > 0.5 ? 0 : 4]);
    const opacity = classes ? 1 : 0.25 + 1.5 * Math.abs(share - 0.5);
    const isLines = classes > 0 && LINES.includes(group % CLASSES.length);
    return html`<path d=${all.join("")} fill=${held ? "none" : color} fill-opacity=${opacity} stroke=${held || isLines ? color : "var(--paper)"}
      stroke-opacity=${held ? opacity : 1} stroke-width=${isLines || held ? 0.016 : 0.008} />`;
  })}</g>`;
}

/** A ring about the sample whose numbers are shown; it is moved by dragging. */
function Sampled() {
  const [now, step, seen, over] = [shown.value, current.value, look.value, plane.value];
  const row = step && now?.training.x[step.rows[sample.value]];
  if (seen?.running || !row || !over) return null;
  const [a, b] = over.at(row, step.rows[sample.value]);
  return html`<circle class=${`sampled ${now.table ? "fixed" : ""}`} cx=${a} cy=${-b} r="0.06" onPointerDown=${now.table ? null : dragged} />`;
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

/** Which plane of a table's inputs is shown, and what its axes are. */
function Axes() {
  const [now, over] = [shown.value, plane.value];
  if (!now?.table || !over) return null;
  const amounts = amountsOf(now).slice(0, MOST_AXES);
  const options = amounts.map((i) => /** @type {[number, string]} */ ([i, now.inputs[i][0]]));
  const { kind } = over;
  const pair = Array.isArray(kind) ? kind : null;
  const put = (/** @type {number} */ at, /** @type {string} */ value) => {
    const [across, up] = /** @type {[number, number]} */ (pair);
    const wish = Number(value);
    axes.value = at === 0 ? [wish, wish === up ? across : up] : [wish === across ? up : across, wish];
  };
  const planes = [["principal", told("principal axes")], ["inputs", told("two inputs")]];
  return html`<div class="axes">${amounts.length > 1 && !now.table.picture && html`<${Choice} id="plane" label=${told("plane")} value=${pair ? "inputs" : "principal"} options=${planes}
      onChoose=${(/** @type {string} */ value) => (axes.value = value === "principal" ? "principal" : [amounts[0], amounts[1]])} />`}
    ${pair && html`<${Choice} id="axis-across" label="→" name=${told("axis across")} value=${pair[0]} options=${options} onChoose=${(/** @type {string} */ v) => put(0, v)} />
      <${Choice} id="axis-up" label="↑" name=${told("axis up")} value=${pair[1]} options=${options} onChoose=${(/** @type {string} */ v) => put(1, v)} />`}
    <p class="hint">${told(pair ? "others at their mean" : "about principal axes")}</p></div>`;
}

/** Which glyph is which class. */
function Classes() {
  const names = shown.value?.table?.classes ?? [];
  return html`<ul class="classes">${names.slice(0, 26).map((name, k) => {
    const color = css(CLASSES[k % CLASSES.length]);
    return html`<li><svg viewBox="-1.2 -1.2 2.4 2.4" width="11" height="11" aria-hidden="true"><path d=${glyph(k, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg>${name}</li>`;
  })}</ul>`;
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
    if (neuron) return drawField(canvas, neuron, SIDE, largestOf(neuron));
    if (now.classes) return drawRegions(canvas, outputs, SIDE);
    return drawField(canvas, outputs[0], SIDE, Math.max(Math.abs(now.low), Math.abs(now.high)));
  };
  return html`<section class="output" aria-labelledby="output-title"><h2 id="output-title">${neuron ? told("neuron", { layer: Number(found?.[1]), j: Number(found?.[2]) + 1 }) : told("output")}</h2>
    <div class="plane"><${Picture} class="regions" draw=${draw} drawn=${neuron ?? seen.field} label=${told("picture of the output")} />
      <svg viewBox=${`${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`} aria-hidden="true">
        <${Points} held=${false} />${showsHeld.value && html`<${Points} held=${true} />`}<${Sampled} /></svg></div>
    <${Classes} /><${Axes} />
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
