// The network as a picture: a square for every neuron, a line for every weight, the loss at the end; in each of its modes.

import { numberText } from "../../../explaining/live/numbers.js";
import { lit } from "../ancestors.js";
import { about, current, pointed, sample } from "../asked.js";
import { CLASSES, css, drawField, drawInk, glyph, largestOf } from "../drawing.js";
import { brief, short, told } from "../facts.js";
import { mode, ofEdge, ofLoss, ofNeuron } from "../modes.js";
import { round } from "../practising.js";
import { isKnown, isOver, placesAsked, sampleAsked } from "../round.js";
import { SIDE, drawnOf, look, phase, plane, shown } from "../run.js";
import { html } from "../vendored/preact.js";
import { placeOf } from "../weights.js";
import { Picture } from "./parts.js";
import { TURNING } from "./turning.js";

/** @typedef {import("../modes.js").Found} Found */

const NARROW = 98; // between layers, at least
const [WIDE, NODE, SIDES] = [190, 44, 52]; // between layers, at most; a neuron; beside the outermost
const [CLOSE, APART, FEW] = [50, 78, 16]; // between neurons; where there are so few edges that each has its number
const [LOSS, BELOW] = [92, 54]; // from the outputs to the loss
const [NAMES, MORE] = [66, 24]; // room for the inputs' names; for how many more neurons there are
const MOST_EDGES = 160; // between two layers: of more the strongest

/** How wide the picture may be, as studio.css has the columns. */
function roomOf() {
  const isPhone = innerWidth < 736;
  return { isPhone, wide: innerWidth - (innerWidth > 1152 ? 684 : isPhone ? 24 : 390) };
}

/** How large everything is, and where. @param {number[]} all neurons */
export function layoutOf(all) {
  const sizes = drawnOf(all);
  const names = shown.value?.table ? NAMES : 0;
  const gaps = sizes.length - 1;
  const edges = sizes.slice(1).reduce((n, size, l) => n + size * sizes[l], 0);
  const few = edges <= FEW;
  const apart = few ? APART : CLOSE;
  const { wide, isPhone } = roomOf();
  const narrow = isPhone || 2 * SIDES + names + gaps * NARROW + LOSS > wide;
  const beside = 2 * SIDES + names + (narrow ? 0 : LOSS - 12);
  const room = Math.max(NARROW, Math.min(WIDE, (wide - beside) / gaps));
  const place = (/** @type {number} */ layer, /** @type {number} */ j) => ({
    x: SIDES + names + layer * room,
    y: (Math.max(...sizes) * apart) / 2 + (j - (sizes[layer] - 1) / 2) * apart,
  });
  const end = place(gaps, (sizes[gaps] - 1) / 2);
  const below = place(gaps, sizes[gaps] - 1).y + BELOW;
  const loss = narrow ? { x: end.x, y: below } : { x: end.x + LOSS, y: end.y };
  const width = beside + gaps * room;
  const isCut = sizes.some((n, layer) => n < all[layer]);
  const height = Math.max(Math.max(...sizes) * apart + (isCut ? MORE : 0), narrow ? below + 24 : 0);
  return { sizes, place, room, loss, width, height, few, narrow };
}

/** The fields of the neurons that are drawn. @param {number[]} all @param {Float32Array} field @returns {Float32Array[][]} */
export function fieldsOf(all, field) {
  const sizes = drawnOf(all);
  const points = SIDE * SIDE;
  let from = 0;
  return sizes.slice(1).map((n) => Array.from({ length: n }, () => field.subarray(from, (from += points))));
}

/** Inputs as fields over a plane: how they grow in it. @type {WeakMap<import("../plane.js").Plane, Float32Array[]>} */
const INPUTS = new WeakMap();

/** @param {import("../plane.js").Plane} over @param {number} n */
function inputFields(over, n) {
  const known = INPUTS.get(over);
  if (known) return known;
  const fields = Array.from({ length: n }, (_, j) => {
    const [across, up] = [over.across[j], over.up[j]];
    const most = Math.abs(across) + Math.abs(up) || 1;
    return Float32Array.from({ length: SIDE * SIDE }, (__, place) => {
      const [row, column] = [Math.floor(place / SIDE), place % SIDE];
      return (across * ((2 * column) / (SIDE - 1) - 1) + up * (1 - (2 * row) / (SIDE - 1))) / most;
    });
  });
  INPUTS.set(over, fields);
  return fields;
}

/** The sample that is looked at as a picture. */
function samplePicture() {
  const { training, sizes, table } = /** @type {import("../run.js").Shown} */ (shown.value);
  const given = current.value?.worked.array("x");
  const row = given ? given.data.subarray(sample.value * sizes[0], (sample.value + 1) * sizes[0]) : training.x[0];
  return { pixels: Float32Array.from(row ?? []), columns: table?.picture?.[1] ?? 1 };
}

/** The weights into a neuron of the first layer, as a picture. @param {number} j */
function weightsPicture(j) {
  const { sizes, table } = /** @type {import("../run.js").Shown} */ (shown.value);
  const { parameters } = /** @type {import("../run.js").Look} */ (look.value);
  return { pixels: Float32Array.from({ length: sizes[0] }, (_, i) => parameters[i * sizes[1] + j]), columns: table?.picture?.[1] ?? 1 };
}

/** The round of practice that hides numbers. */
const practised = () => (round.value && !isOver(round.value) ? round.value : null);

/** The loss, as far as it is known. @param {import("../round.js").Round} practice */
function lossIn(practice) {
  const hidden = !isKnown(practice, "loss");
  const { own, batch } = ofLoss(practice.world, sampleAsked(practice));
  return { own: hidden ? NaN : own, batch: hidden ? NaN : batch, after: NaN, hidden };
}

/** The numbers of the picture, where there is a step to take them from. */
function numbers() {
  const { sizes } = /** @type {import("../run.js").Shown} */ (shown.value);
  const { running } = /** @type {import("../run.js").Look} */ (look.value);
  const practice = practised();
  const step = practice?.world ?? (running && mode.value === "values" ? null : current.value?.worked);
  if (!step || step.last !== sizes.length - 1) return null;
  const s = practice ? sampleAsked(practice) : sample.value;
  /** @param {Found} found @param {string[]} [makes] what is made of it as it stands @returns {Found} */
  const covering = (found, makes = []) =>
    practice && ![...found.ids, ...makes].every((id) => isKnown(practice, id)) ? { ids: found.ids, value: 0, hidden: true } : found;
  const below = (/** @type {number} */ l, /** @type {number} */ i) => (mode.value === "deltas" ? [l ? `delta.${l}[${s},${i}]` : `dx[${s},${i}]`] : []);
  const drawn = drawnOf(sizes);
  const neurons = drawn.map((n, layer) => Array.from({ length: n }, (_, j) => ofNeuron(step, mode.value, s, layer, j)).map((own) => own && covering(own)));
  const edges = drawn.slice(1).map((n, l) =>
    Array.from({ length: drawn[l] }, (_, i) => Array.from({ length: n }, (__, j) => covering(ofEdge(step, mode.value, s, l + 1, i, j), below(l, i)))),
  );
  const largest = (/** @type {(Found | null)[]} */ all) => all.reduce((most, found) => Math.max(most, Math.abs(found?.value ?? 0)), 0);
  return { neurons, edges, loss: practice ? lossIn(practice) : { ...ofLoss(step, s), hidden: false }, asked: practice ? placesAsked(practice) : [], most: largest(neurons.flat()), thickest: largest(edges.flat(2)) };
}

/** How much of what is largest a number is, so that small ones are seen, too. @param {number} value @param {number} most */
const share = (value, most) => (most > 0 ? Math.sqrt(Math.min(Math.abs(value) / most, 1)) : 0);

/** A number with its sign, as there is room for it. @param {number} value */
const signed = (value) => {
  const text = brief(value, 3);
  return (value > 0 && mode.value !== "values" ? "+" : "") + (text.length <= 5 ? text : brief(value));
};

/** @param {object} own of the picture */
const isHidden = (own) => "hidden" in own && Boolean(own.hidden);

/** What an edge's number is called. @param {number} layer @param {number} i @param {number} j */
function edgeName(layer, i, j) {
  const w = `W${layer}[${i},${j}]`;
  return { values: w, deltas: `${w} · δ${layer}[${j}]`, gradients: `∂L/∂${w}`, updates: `Δ${w}` }[mode.value];
}

/** @param {{ layout: ReturnType<typeof layoutOf>, found: ReturnType<typeof numbers> }} given */
function Edges({ layout, found }) {
  const { sizes, table } = /** @type {import("../run.js").Shown} */ (shown.value);
  const { parameters, running } = /** @type {import("../run.js").Look} */ (look.value);
  const [hits, lines, texts] = /** @type {any[][]} */ ([[], [], []]);
  for (let layer = table?.picture ? 2 : 1; layer < sizes.length; layer += 1) {
    const numberOf = (/** @type {number} */ i, /** @type {number} */ j) =>
      found?.edges[layer - 1][i][j] ?? (mode.value === "values" ? { value: parameters[placeOf(sizes, layer, i, j)] } : { value: 0 });
    const [before, behind] = [layout.sizes[layer - 1], layout.sizes[layer]];
    const pairs = Array.from({ length: before * behind }, (_, k) => ({ i: Math.floor(k / behind), j: k % behind }));
    const strength = (/** @type {{ i: number, j: number }} */ pair) => Math.abs(numberOf(pair.i, pair.j).value);
    const strongest = pairs.length > MOST_EDGES ? pairs.sort((a, b) => strength(b) - strength(a)).slice(0, MOST_EDGES).sort((a, b) => a.i - b.i || a.j - b.j) : pairs;
    for (const { i, j } of strongest) {
      const own = numberOf(i, j);
      const id = `w.${layer}.${i}.${j}`;
      const [from, to] = [layout.place(layer - 1, i), layout.place(layer, j)];
      const [start, end, middle] = [from.x + NODE / 2, to.x - NODE / 2, (from.x + to.x) / 2];
      const width = (/** @type {number} */ w) => Math.min(0.3 + 1.5 * Math.sqrt(Math.abs(w)), 7);
      const old = phase.value === "update" && "before" in own ? `--old:${width(Number(own.before))}px;` : "";
      const shownWidth = old ? width(Number(/** @type {Found} */ (own).after)) : mode.value === "values" ? width(own.value) : 0.3 + 5 * share(own.value, found?.thickest ?? 0);
      const is = (/** @type {string} */ kind, /** @type {boolean} */ holds) => (holds ? ` ${kind}` : "");
      const below = old ? Number(/** @type {Found} */ (own).after) < 0 : own.value < 0;
      const way = `M${start} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${end} ${to.y}`;
      const name = `${edgeName(layer, i, j)} = ${isHidden(own) ? "?" : short(own.value, 6)}`;
      if (!running) hits.push(html`<path class="edge-hit" data-edge=${id} d=${way} />`);
      lines.push(
        html`<path class=${`edge ${below ? "below" : "above"}${is("pointed", pointed.value === id)}${is("asked", about.value === id)}${is(lit.value.get(id) ?? "", lit.value.has(id))}${is("wanted", Boolean(found?.asked.includes(id)))}`} data-id=${id}
          role=${about.value === id ? "button" : null} tabindex=${about.value === id ? 0 : null} aria-label=${about.value === id ? name : null}
          data-number=${found && !isHidden(own) ? numberText(own.value, 17) : null} style=${`${old}--at:${2 * layer - 1}`}
          d=${way} stroke-width=${shownWidth.toFixed(1)}>
          ${pointed.value === id && html`<title>${name}</title>`}</path>`,
      );
      if (!layout.few || !found) continue;
      const t = (i + j) % 2 ? 0.64 : 0.3; // where lines that cross have parted
      const [a, b] = [(1 - t) ** 3 + 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t ** 2 + t ** 3];
      const x = (1 - t) ** 3 * start + 3 * (1 - t) * t * middle + t ** 3 * end;
      const text = isHidden(own) ? "?" : old ? `${brief(Number(/** @type {Found} */ (own).before), 3)} → ${brief(Number(/** @type {Found} */ (own).after), 3)}` : signed(own.value);
      texts.push(html`<text class=${lit.value.get(id) === "direct" || [about.value, pointed.value].includes(id) ? "of-it" : ""} x=${x} y=${a * from.y + b * to.y + 3.5} style=${`--at:${2 * layer - 1}`}>${text}</text>`);
    }
  }
  return html`<g>${hits}</g><g>${lines}</g><g class="edge-numbers" aria-hidden="true">${texts}</g>`;
}

/** The name of an input where there is little room: "=Biscoe" of "island=Biscoe", "? mass" of "mass is missing". @param {string} name */
const shortly = (name) => name.replace(/^(.*) is missing$/, "? $1").replace(/^[^=(]*(?==)/, "");

/** What an output is for: the glyph of its class. @param {{ j: number }} given */
function Answer({ j }) {
  const { classes } = /** @type {import("../run.js").Shown} */ (shown.value);
  if (!classes) return html`y`;
  const color = css(CLASSES[j % CLASSES.length]);
  return html`<svg viewBox="-1.2 -1.2 2.4 2.4" width="13" height="13" aria-hidden="true"><path d=${glyph(j, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg>`;
}

/** A neuron. @param {{ layer: number, j: number, field: Float32Array, at: { x: number, y: number }, own: Found | null,
 *  most: number, last: boolean, wanted: boolean }} given own: its number; most: the largest of all; wanted: it is asked for */
function Neuron({ layer, j, field, at, own, most, last, wanted }) {
  const id = `n.${layer}.${j}`;
  const values = mode.value === "values";
  const { inputs, table, sizes } = /** @type {import("../run.js").Shown} */ (shown.value);
  const largest = largestOf(field, layer === 0 ? 1 : undefined);
  const colour = values || !own ? "" : `--own:var(${own.value < 0 ? "--orange" : "--blue"});--share:${Math.round(58 * share(own.value, most))}%;`;
  const called = table?.classes[j];
  const input = () => (table ? (table.picture ? told("sample as picture") : inputs[j][0]) : told("input", { j: j + 1 }));
  const name = layer === 0 ? input() : last && called !== undefined ? told("output of class", { name: called }) : told("neuron", { layer, j: j + 1 });
  const picture = table?.picture && values && layer < 2 ? (layer === 0 ? samplePicture() : weightsPicture(j)) : null;
  if (layer === 0 && table?.picture) {
    return html`<div class="neuron sample-picture" style=${`left:${at.x - NODE}px;top:${at.y - NODE}px;--at:0`} title=${name}>
      <${Picture} label=${name} draw=${(/** @type {HTMLCanvasElement} */ canvas) => drawInk(canvas, samplePicture().pixels, samplePicture().columns)} drawn=${samplePicture().pixels} />
      <span aria-hidden="true" class="below">${table.picture[0]} × ${table.picture[1]} = ${sizes[0]}</span></div>`;
  }
  const text = own?.hidden ? ["?"] : own && (phase.value === "update" && own.before !== undefined ? [own.before, Number(own.after)].map((value) => brief(value)) : [signed(own.value)]);
  return html`<div role="button" tabindex="0" data-neuron=${id} data-number=${own && !own.hidden ? numberText(own.value, 17) : null}
    title=${own && !own.hidden ? `${own.ids.join(" → ")} = ${short(own.value, 6)}` : name}
    class=${`neuron ${values ? "field" : "flat"} ${pointed.value === id ? "pointed" : ""} ${about.value === id ? "asked" : ""} ${lit.value.get(id) ?? ""} ${wanted ? "wanted" : ""}`}
    style=${`left:${at.x - NODE / 2}px;top:${at.y - NODE / 2}px;--at:${2 * layer};${colour}`}>
    ${picture && html`<${Picture} draw=${(/** @type {HTMLCanvasElement} */ canvas) => drawField(canvas, picture.pixels, picture.columns, largestOf(picture.pixels))} drawn=${picture.pixels} />`}
    ${values && !picture && html`<${Picture} draw=${(/** @type {HTMLCanvasElement} */ canvas) => drawField(canvas, field, SIDE, largest)} drawn=${field} />`}
    <span class="visually-hidden">${own ? `${name}: ` : name}</span>
    ${text && html`<span class="number">${text.map((line) => html`<span>${line}</span>`)}</span>`}
    ${(layer === 0 || last) && html`<span aria-hidden="true" class=${layer === 0 ? "before" : "behind"}>${layer === 0 ? (table ? html`<i>${shortly(inputs[j][0])}</i>` : html`x<sub>${j + 1}</sub>`) : html`<${Answer} j=${j} />`}</span>`}</div>`;
}

/** The loss, at the end of the way forward and the beginning of the way back. @param {{ at: { x: number, y: number },
 *  found: ReturnType<typeof numbers>, last: number }} given */
function Loss({ at, found, last }) {
  const { figures } = /** @type {import("../run.js").Look} */ (look.value);
  const loss = found?.loss;
  const now = loss?.hidden ? "?" : short(loss ? loss.batch : figures.loss, 3);
  const [above, text] = /** @type {Record<import("../modes.js").Mode, string[]>} */ ({
    values: ["L", now], deltas: ["∂L/∂L", "1"], gradients: ["L", now], updates: [now, `→ ${loss ? short(loss.after, 3) : "–"}`],
  })[mode.value]; // prettier-ignore
  return html`<button type="button" data-neuron="loss" class=${`loss-node ${about.value === "loss" ? "asked" : ""} ${pointed.value === "loss" ? "pointed" : ""} ${lit.value.get("loss") ?? ""} ${found?.asked.includes("loss") ? "wanted" : ""}`}
    data-number=${loss && !loss.hidden ? numberText(loss.batch, 17) : null} title=${told("loss of the batch")}
    style=${`left:${at.x}px;top:${at.y}px;--at:${2 * last + 1}`}><span class="visually-hidden">${told("loss of the batch")}: </span><small aria-hidden="true">${above}</small><span>${text}</span></button>`;
}

export function NetworkPicture() {
  const { sizes, table } = /** @type {import("../run.js").Shown} */ (shown.value);
  const seen = /** @type {import("../run.js").Look} */ (look.value);
  const layout = layoutOf(sizes);
  const { place, loss, width, height } = layout;
  const last = sizes.length - 1;
  const found = numbers();
  const inputs = inputFields(/** @type {import("../plane.js").Plane} */ (plane.value), layout.sizes[0]);
  const more = layout.sizes.map((n, layer) => (n < sizes[layer] && !(layer === 0 && table?.picture) ? { n: sizes[layer] - n, ...place(layer, n - 1) } : null));
  const toLoss = Array.from({ length: sizes[last] }, (_, j) => {
    const from = place(last, j);
    if (layout.narrow) return null;
    const [start, end] = [from.x + NODE / 2 + 24, loss.x - 30];
    return html`<path d=${`M${start} ${from.y}C${(start + end) / 2} ${from.y} ${(start + end) / 2} ${loss.y} ${end} ${loss.y}`} />`;
  });
  return html`<div class=${`picture ${phase.value ? `phase-${phase.value}` : ""} of-${mode.value} ${lit.value.size ? "has-lit" : ""}`} ...${TURNING} style=${`width:${width}px;height:${height}px;--all:${2 * last + 1}`}>
    <svg width=${width} height=${height} role="group" aria-label=${told("picture of the network", { sizes: sizes.join("–") })}>
      <g class="to-loss" style=${`--at:${2 * last + 1}`}>${toLoss}</g><${Edges} layout=${layout} found=${found} /></svg>
    ${[inputs, ...fieldsOf(sizes, seen.field)].map((neurons, layer) =>
      neurons.map(
        (field, j) => html`<${Neuron} key=${`n.${layer}.${j}`} layer=${layer} j=${j} field=${field} at=${place(layer, j)}
          own=${found?.neurons[layer][j] ?? null} most=${found?.most ?? 0} last=${layer === last} wanted=${Boolean(found?.asked.includes(`n.${layer}.${j}`))} />`,
      ),
    )}
    ${more.map((each) => each && html`<span class="more" style=${`left:${each.x}px;top:${each.y + NODE / 2 + 4}px`}>${told("and more", { n: each.n })}</span>`)}
    <${Loss} at=${loss} found=${found} last=${last} /></div>
  <p class="scale">${mode.value === "values" ? "\u00a0" : found ? told("scale", { node: short(found.most, 3), edge: short(found.thickest, 3) }) : seen.running ? told("ask while it stands") : "\u00a0"}</p>`;
}
