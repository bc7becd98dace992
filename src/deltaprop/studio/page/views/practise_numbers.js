// The numbers that one practises with: what is given and what is known by now, layer by layer; the rest are question marks.

import { readRef } from "../../../explaining/live/origins.js";
import { called, facts, told } from "../facts.js";
import { idsOf } from "../mistakes.js";
import { asks, isKnown, isOver, shownText } from "../round.js";
import { html } from "../vendored/preact.js";

/** @typedef {import("../round.js").Round} Round */

const MANY = 150; // numbers, from which only the layers that are asked about are open

/** Letters of arrays. @type {Record<string, string>} */
const LETTERS = { targets: "t", learning_rate: "η", l2: "λ₂", l1: "λ₁", loss: "L", delta: "δ", dW: "∂L/∂W", db: "∂L/∂b", beta_1: "β₁", beta_2: "β₂", epsilon: "ε", momentum: "μ" }; // prettier-ignore

/** What an array is called. @param {string} base */
function captionOf(base) {
  const { quantity, layer, after } = readRef(base);
  const [name, of] = quantity.split("_");
  const isState = (of === "W" || of === "b") && !(quantity in LETTERS);
  const letter = isState ? html`${name}<sub>${of}</sub>` : (LETTERS[quantity] ?? quantity);
  if (base === "t") return told("practise count");
  return html`${letter}${after ? "′" : ""}${layer ? html`<sup>${layer}</sup>` : ""}`;
}

/** An array with what is known of it. @param {{ now: Round, base: string }} given */
function Numbers({ now, base }) {
  const { dims } = now.right.array(base);
  const ids = idsOf(base, dims);
  const wide = dims.length > 1 ? dims[1] : ids.length;
  const wanted = new Set(asks(now));
  const rows = Array.from({ length: ids.length / wide }, (_, i) => ids.slice(i * wide, (i + 1) * wide));
  return html`<table class="array" data-of=${base}><caption>${captionOf(base)}</caption><tbody>${rows.map(
    (row) => html`<tr>${row.map((id) => {
      const isTold = isKnown(now, id);
      const how = now.answers.get(id)?.how ?? "";
      const text = isTold ? shownText(now, id).replaceAll("-", "−") : "?";
      return html`<td class=${`${isTold ? how : "hidden"} ${wanted.has(id) && !isTold ? "wanted" : ""}`}>${text}${how === "kept" && html`<span class="mark" title=${told("practise yours")}>*</span>`}</td>`;
    })}</tr>`,
  )}</tbody></table>`;
}

/** Settings of optimizers. */
const OF_UPDATE = ["beta_1", "beta_2", "epsilon", "momentum", "decay", "weight_decay", "t"];

/** The arrays of each part: what is given for all, then layer by layer, the loss. What an optimizer keeps is told where
 *  new weights are asked for, and of those alone. @param {Round} now */
function partsOf(now) {
  const { program } = now.right;
  const asked = isOver(now) ? null : readRef(asks(now)[0]);
  const isUpdate = asked === null || asked.after;
  const isWanted = (/** @type {string} */ base) => {
    const { quantity } = readRef(base);
    const [, of] = /^\w+_([Wb])$/.exec(quantity) ?? [];
    return of === undefined || (asked !== null && asked.after && asked.quantity === of);
  };
  const givens = Object.keys(program.given).filter((base) => base !== "share" && isWanted(base));
  const settings = givens.filter((base) => !/\.\d+$/.test(base) && (isUpdate || !OF_UPDATE.includes(base)));
  const layers = Array.from({ length: program.layers }, (_, k) => {
    const own = (/** @type {string} */ base) => readRef(base).layer === k + 1;
    const order = now.order.filter((base) => own(base) && isBegun(now, base) && isWanted(base));
    return { title: layerTitle(now, k + 1), bases: [...givens.filter((base) => /\.\d+$/.test(base) && own(base)), ...order] };
  });
  const loss = isBegun(now, "loss") ? [{ title: told("loss"), bases: ["loss"] }] : [];
  return [{ title: told("practise given"), bases: settings }, ...layers, ...loss];
}

/** Whether an array is known by now, or asked for. @param {Round} now @param {string} base */
function isBegun(now, base) {
  if (isOver(now)) return true;
  return now.order.indexOf(base) <= now.order.indexOf(readRef(asks(now)[0]).base);
}

/** @param {Round} now @param {number} layer */
function layerTitle({ plan, right }, layer) {
  const name = layer < right.last ? plan.activations[layer - 1] : right.program.loss.output;
  return `${told("layer", { l: layer })}${facts.language === "zh" ? "：" : ": "}${called("activation", name)}`;
}

/** Which layers the question is made of. @param {Round} now @returns {number[]} */
function near(now) {
  if (isOver(now)) return [];
  const { quantity, layer, after } = readRef(asks(now)[0]);
  if (quantity === "loss") return [now.right.last];
  if (quantity === "delta") return [layer, layer + 1];
  return !after && (quantity === "z" || quantity === "dW") ? [layer - 1, layer] : [layer];
}

/** @param {{ now: Round }} given */
export function PractiseNumbers({ now }) {
  const parts = partsOf(now);
  const count = parts.flatMap(({ bases }) => bases).reduce((n, base) => n + now.right.array(base).data.length, 0);
  const wanted = near(now);
  return html`<section class="known" aria-labelledby="known-title"><h3 id="known-title">${told("practise known")}</h3>
    ${parts.map(
      ({ title, bases }, k) => html`<details open=${count <= MANY || k === 0 || k > now.right.last || wanted.includes(k)}><summary>${title}</summary>
        <div class="arrays" tabindex="0" role="group" aria-label=${title}>${bases.map((base) => html`<${Numbers} now=${now} base=${base} />`)}</div></details>`,
    )}
    ${[...now.answers.values()].some(({ how }) => how === "kept") && html`<p class="hint">* ${told("practise yours")}</p>`}
    <p class="hint">${told("practise arrays")}</p></section>`;
}
