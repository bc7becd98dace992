// Settings of the set that is shown: which work, which do not, and why; each can be taken over and run.

import { called, short, told } from "../facts.js";
import { go, look } from "../run.js";
import { partsOf } from "../sets.js";
import { ENTRIES, setupOf } from "../settings.js";
import { USUAL, change, setup, toAddress } from "../setup.js";
import { html } from "../vendored/preact.js";

/** @typedef {import("../settings.js").Entry} Entry */

/** Hidden layers in a few words; those of an entry are all alike. @param {import("../setup.js").LayerWish[]} layers */
function layersOf(layers) {
  if (layers.length === 0) return told("no hidden layers");
  const [{ n, activation }] = layers;
  return `${layers.length > 1 ? `${layers.length} × ` : ""}${n} ${called("activation", activation)}`;
}

/** What an entry is made of, in a few words each. @param {Entry} entry @returns {string[]} */
function madeOf(entry) {
  const { layers, optimizer, learningRate, scheme, l2, loss, held, data } = setupOf(entry);
  const named = (/** @type {string} */ key, /** @type {string | number} */ value) => `${told(key)} ${value}`;
  const parts = [
    layersOf(layers),
    called("optimizer", optimizer), named("learning rate", learningRate),
  ]; // prettier-ignore
  if (entry.own.scheme) parts.push(named("beginning", told(`scheme ${scheme}`)));
  if (l2) parts.push(named("l2", l2));
  if (entry.own.loss) parts.push(named("loss", called("loss", loss)));
  if (partsOf(entry.set)) parts.push(named(`parts ${entry.set}`, data.parts));
  if (data.n !== USUAL.data.n) parts.push(named("points", data.n), named("noise", data.noise));
  if (entry.own.held) parts.push(named("held out", `${Math.round(100 * held)} %`));
  return parts;
}

/** What will be seen. @param {Entry} entry */
function seen({ sees, steps }) {
  if (sees === "diverged") return told("sees diverged", { steps });
  const value = (/** @type {string} */ figure, /** @type {number} */ v) => (/right/i.test(figure) ? `${Math.round(100 * v)} %` : short(v));
  return sees.map(([figure, bound, v]) => told(`sees ${figure} ${bound}`, { steps, value: value(figure, v) })).join(" ");
}

/** @param {{ entry: Entry }} given */
function Card({ entry }) {
  const wish = setupOf(entry);
  const isTaken = toAddress(wish) === toAddress(setup.value);
  return html`<li class=${`setting ${entry.works ? "works" : "fails"}`} data-entry=${entry.name}>
    <p class="made-of">${madeOf(entry).map((part) => html`<span>${part}</span>`)}</p>
    <p>${told(`settings ${entry.set} ${entry.name}`)}</p><p class="seen">${seen(entry)}</p>
    <p><button type="button" class="take" disabled=${isTaken} onClick=${() => change(wish)}>${told(isTaken ? "taken over" : "take over")}</button>
      ${isTaken && html`<button type="button" class="run" disabled=${(look.value?.step ?? 0) >= entry.steps} onClick=${() => go(entry.steps - (look.value?.step ?? 0))}>${told("run them", { steps: entry.steps })}</button>`}</p></li>`;
}

export function SettingsView() {
  const { name } = setup.value.data;
  const own = ENTRIES.filter(({ set }) => set === name);
  if (own.length === 0) return html`<p class="hint">${told("settings none")}</p>`;
  const list = (/** @type {boolean} */ works) => html`<section><h3>${works ? "✓" : "✗"} ${told(works ? "settings work" : "settings fail")}</h3>
    <ul>${own.filter((entry) => entry.works === works).map((entry) => html`<${Card} key=${entry.name} entry=${entry} />`)}</ul></section>`;
  return html`<div class="settings"><h2>${told("settings of", { set: told(`set ${name}`) })}</h2>${list(true)}${list(false)}</div>`;
}
