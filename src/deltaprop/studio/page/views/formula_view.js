// A set given as a formula: written, or one of the examples; what is wrong with it is said while it is written.

import { told } from "../facts.js";
import { FormulaError, LONGEST, readFormula } from "../formula.js";
import { change, setup } from "../setup.js";
import { html, signal } from "../vendored/preact.js";

const EXAMPLES = ["sin(3*x1)*x2", "x1^2 + x2^2 < 0.5", "abs(x1) + abs(x2) < 0.6", "x1 > x2^2; x1 < -x2^2"];

/** What is written and not taken over yet, because it is no formula. */
const written = signal(/** @type {string | null} */ (null));
const wrong = signal("");

/** What is wrong with a text; "" where it is a formula. @param {string} text */
function faultOf(text) {
  try {
    readFormula(text);
    return "";
  } catch (error) {
    if (error instanceof FormulaError) return told(error.key, error.values);
    throw error;
  }
}

/** @param {string} text */
function take(text) {
  wrong.value = faultOf(text);
  written.value = wrong.value ? text : null;
  if (!wrong.value) change({ data: { ...setup.value.data, name: "formula", formula: text.trim() } });
}

export function FormulaView() {
  const { formula } = setup.value.data;
  return html`<div class="formula"><label for="formula">${told("formula")}</label>
    <input id="formula" type="text" spellcheck="false" autocomplete="off" maxlength=${LONGEST} value=${written.value ?? formula} aria-invalid=${wrong.value !== ""} aria-describedby="formula-wrong formula-hint"
      onInput=${(/** @type {any} */ event) => ((written.value = event.target.value), (wrong.value = faultOf(event.target.value)))}
      onChange=${(/** @type {any} */ event) => take(event.target.value)} />
    <p id="formula-wrong" class="wrong" role="status">${wrong.value}</p>
    <p class="examples" role="group" aria-label=${told("formula examples")}>${EXAMPLES.map((text) => html`<button type="button" onClick=${() => take(text)}>${text}</button>`)}</p>
    <p class="hint" id="formula-hint">${told("formula hint")}</p></div>`;
}
