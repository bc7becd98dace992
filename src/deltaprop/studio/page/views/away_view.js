// Take away: the run and what it came to, as files and as text.

import { code } from "../away/code.js";
import { copy, keep } from "../away/files.js";
import { latex } from "../away/latex.js";
import { modelFile } from "../away/model_file.js";
import { asPng, asSvg } from "../away/pictures.js";
import { runPage } from "../away/run_page.js";
import { stepAs, stepFile } from "../away/step_file.js";
import { facts, told } from "../facts.js";
import { pause, playing } from "../run.js";
import { html, signal } from "../vendored/preact.js";

/** @typedef {import("../away/files.js").Taken} Taken */
/** @typedef {{ name: string, forms: Record<string, () => Taken | Promise<Taken>>, text?: string }} Thing
 *  What can be taken away, in which forms, and which of them is copied as text, too. */

const ATSERVER = facts.server !== null;
/** @param {string} selector @param {string} name */
const picture = (selector, name) => ({ svg: () => asSvg(selector, name), png: () => asPng(selector, name) });

/** @type {Thing[]} */
const THINGS = [
  { name: "run", forms: { html: runPage } },
  { name: "code", forms: { py: code }, text: "py" },
  { name: "model", forms: { safetensors: modelFile } },
  { name: "step", forms: { json: stepFile, tex: latex }, text: "tex" },
  ...(ATSERVER ? [{ name: "explained", forms: { html: () => stepAs("html"), tex: () => stepAs("latex"), svg: () => stepAs("svg") } }] : []),
  { name: "network", forms: picture(".picture", "network") },
  { name: "regions", forms: picture(".plane", "regions") },
];

/** What came of it: of which thing, and whether it is a complaint. */
const said = signal(/** @type {{ of: string, text: string, isTrouble: boolean } | null} */ (null));

/** @param {Thing} thing @param {string} form @param {(taken: Taken) => string | Promise<string>} how */
async function take({ name, forms }, form, how) {
  said.value = null;
  try {
    if (playing.value) await pause();
    said.value = { of: name, text: await how(await forms[form]()), isTrouble: false };
  } catch (error) {
    said.value = { of: name, text: /** @type {Error} */ (error).message, isTrouble: true };
  }
}

const asFile = (/** @type {Taken} */ taken) => told("away saved", { name: keep(taken) });
const asText = async (/** @type {Taken} */ { content }) => {
  await copy(String(content));
  return told("away copied");
};

/** @param {{ thing: Thing }} given */
function Card({ thing }) {
  const { name, forms, text } = thing;
  const found = said.value?.of === name ? said.value : null;
  return html`<li class="taken"><h3 id=${`away-${name}`}>${told(`away ${name}`)}</h3>
    <p>${told(`about away ${name}`)}${name === "run" && ATSERVER ? ` ${told("away run of server")}` : ""}</p>
    <div class="give" role="group" aria-labelledby=${`away-${name}`}>
      ${Object.keys(forms).map((form) => html`<button type="button" id=${`take-${name}-${form}`} onClick=${() => take(thing, form, asFile)}>${told("away file", { form })}</button>`)}
      ${text && html`<button type="button" id=${`copy-${name}`} onClick=${() => take(thing, text, asText)}>${told("away copy", { form: text })}</button>`}</div>
    <p class=${found?.isTrouble ? "said bad" : "said"} role="status">${found?.text ?? ""}</p></li>`;
}

export function AwayView() {
  return html`<div class="away"><p class="hint">${told("away hint")}</p>
    <ul>${THINGS.map((thing) => html`<${Card} thing=${thing} />`)}</ul></div>`;
}
