// Data: which set, how many points, how noisy; what is held out.

import { CLASSES, css, glyph } from "../drawing.js";
import { drawOn } from "../drawing_board.js";
import { told } from "../facts.js";
import { isTable } from "../open_table.js";
import { NAMES, isDrawnByChance, partsOf, pointsOf } from "../sets.js";
import { BATCHES, TUTORIAL, USUAL, change, setup } from "../setup.js";
import { html } from "../vendored/preact.js";
import { DrawView } from "./draw_view.js";
import { FormulaView } from "./formula_view.js";
import { Choice, Range } from "./parts.js";
import { TableView, Tables } from "./table_view.js";

/** @param {string} name */
function choose(name) {
  const { data } = setup.value;
  if (name === "drawn" && data.points === "" && isDrawnByChance(data.name)) return drawOn(pointsOf(data.name, data));
  if (name === "tutorial") return change(TUTORIAL);
  const others = data.name === "tutorial" ? USUAL : {}; // what else the example of the tutorial had
  change({ ...others, data: { ...data, name, parts: partsOf(name)?.[1] ?? 1 } });
}

/** What stands for the sets that are not drawn by chance. @type {Record<string, string>} */
const SIGNS = {
  formula: "M-.85 0H.85M0 -.85V.85M-.8 .1C-.5 -.95 -.3 -.95 0 0S.5 .95 .8 -.1",
  tutorial: "M-.55 -.45L.05 -.45L.65 0L.05 .45L-.55 .45L.05 -.45M-.55 -.45L.05 .45M-.7 -.45a.15 .15 0 1 0 .3 0a.15 .15 0 1 0-.3 0M-.7 .45a.15 .15 0 1 0 .3 0a.15 .15 0 1 0-.3 0M-.1 -.45a.15 .15 0 1 0 .3 0a.15 .15 0 1 0-.3 0M-.1 .45a.15 .15 0 1 0 .3 0a.15 .15 0 1 0-.3 0M.5 0a.15 .15 0 1 0 .3 0a.15 .15 0 1 0-.3 0",
  drawn: "M-.75 .75l.12-.5L.5-.88l.38.38L-.25 .63zM.3-.68l.38.38",
};

/** A set in small. @param {{ name: string }} given */
function Thumbnail({ name }) {
  if (name in SIGNS) return html`<svg viewBox="-1.1 -1.1 2.2 2.2" aria-hidden="true"><path class="sign" d=${SIGNS[name]} /></svg>`;
  const { x, labels, values } = pointsOf(name, { n: 60, noise: 0.02, seed: 3, parts: partsOf(name)?.[1] ?? 1, points: "", formula: "" });
  return html`<svg viewBox="-1.1 -1.1 2.2 2.2" aria-hidden="true">${x.map(([a, b], i) => {
    const of = labels ? labels[i] : /** @type {number[]} */ (values)[i] > 0 ? 0 : 4;
    return html`<path d=${glyph(labels ? of : 0, a, -b, 0.08)} fill=${css(CLASSES[of % 6])} stroke=${css(CLASSES[of % 6])} stroke-width="0.03" />`;
  })}</svg>`;
}

export function DataView() {
  const { data, held, batchSize } = setup.value;
  const parts = partsOf(data.name);
  const byChance = isDrawnByChance(data.name);
  const ofTable = isTable(data.name);
  const more = (/** @type {Partial<import("../setup.js").DataWish>} */ wish) => change({ data: { ...data, ...wish } });
  return html`<section class="data" aria-labelledby="data-title"><h2 id="data-title">${told("data")}</h2>
    <div class="sets" role="radiogroup" aria-labelledby="data-title">
      ${NAMES.map(
        (name) => html`<button type="button" role="radio" aria-checked=${name === data.name} title=${told(`set ${name}`)}
          aria-label=${told(`set ${name}`)} data-set=${name} onClick=${() => choose(name)}><${Thumbnail} name=${name} /></button>`,
      )}
    </div>
    <${Tables} />
    <p class="about">${told(`about ${data.name}`)}</p>
    ${data.name === "formula" && html`<${FormulaView} />`}
    ${data.name === "drawn" && html`<${DrawView} />`}
    ${ofTable && html`<${TableView} />`}
    ${byChance && html`<${Range} id="n" label=${told("points")} value=${data.n} least=${20} most=${1000} step=${20} onChange=${(/** @type {number} */ n) => more({ n })} />
    <${Range} id="noise" label=${told("noise")} value=${data.noise} least=${0} most=${0.5} step=${0.01} onChange=${(/** @type {number} */ noise) => more({ noise })} />`}
    ${parts && html`<${Range} id="parts" label=${told(`parts ${data.name}`)} value=${data.parts} least=${parts[0]} most=${parts[2]} step=${1} onChange=${(/** @type {number} */ value) => more({ parts: value })} />`}
    ${data.name !== "tutorial" && html`<${Range} id="held" label=${told("held out")} value=${held} least=${0} most=${0.8} step=${0.05} shown=${`${Math.round(100 * held)} %`}
      onChange=${(/** @type {number} */ value) => change({ held: value })} />`}
    <${Choice} id="batch" label=${told("batch size")} value=${batchSize} options=${BATCHES.map((n) => [n, String(n)])}
      onChoose=${(/** @type {string} */ value) => change({ batchSize: Number(value) })} />
    ${(byChance || ofTable) && html`<button type="button" id="draw-again" onClick=${() => more({ seed: (data.seed + 1) % 1000 })}>${told(byChance ? "draw again" : "split again")}</button>`}
    <button type="button" id="as-usual" onClick=${() => change(USUAL)}>${told("as usual")}</button>
  </section>`;
}
