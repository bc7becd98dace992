// Play, pause, one epoch, one step, one phase, back again; how fast; what it learns by.

import { coversLoss } from "../asked.js";
import { called, facts, short, told } from "../facts.js";
import { epoch, go, goTo, look, onePhase, pause, phase, play, playing, setLearningRate, shown, speed } from "../run.js";
import { PENALTIES, RATES, canRedo, canUndo, change, lossesOf, redo, setup, undo } from "../setup.js";
import { html } from "../vendored/preact.js";
import { SCHEMES } from "../weights.js";
import { Choice } from "./parts.js";

const SPEEDS = [1, 10, 100, 1000];
const BAR = "M0 0h2v12h-2z";
/** Signs of 12 x 12, as paths. @type {Record<string, string>} */
const SIGNS = {
  "back to start": `${BAR}M12 0v12L3 6z`,
  "epoch back": "M12 0v12L6 6zM6 0v12L0 6z",
  "step back": "M10 0v12L2 6z",
  play: "M2 0v12l9-6z",
  pause: "M1 0h3.5v12H1zM7.5 0H11v12H7.5z",
  "one phase": "M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1zm0 2a3 3 0 1 1 0 6 3 3 0 1 1 0-6z",
  "one step": "M2 0v12l8-6z",
  "one epoch": "M0 0v12l6-6zM6 0v12l6-6z",
};

// what changes at every frame

function Buttons() {
  const seen = look.value;
  const step = seen?.step ?? 0;
  const button = (/** @type {string} */ id, /** @type {() => unknown} */ work, /** @type {boolean} */ idle = false) =>
    html`<button type="button" id=${id} class="drive" title=${told(id)} aria-label=${told(id)} disabled=${idle || !seen} onClick=${work}>
      <svg viewBox="0 0 12 12" aria-hidden="true"><path d=${SIGNS[id]} fill-rule="evenodd" /></svg></button>`;
  return html`<div class="buttons">
      ${button("back to start", () => goTo(0), step === 0)}
      ${button("epoch back", () => goTo(step - (seen?.stepsPerEpoch ?? 1)), step === 0)}
      ${button("step back", () => goTo(step - 1), step === 0)}
      ${playing.value ? button("pause", pause) : button("play", play)}
      ${button("one phase", onePhase)}
      ${button("one step", () => go(1))}
      ${button("one epoch", epoch)}
    </div>
    <dl class="counts"><dt>${told("epoch")}</dt><dd id="epoch">${seen?.epoch ?? 0}</dd><dt>${told("step")}</dt><dd id="step">${step}</dd>
      <dt>${told("speed")}</dt><dd id="rate">${seen && playing.value ? told("steps a second", { rate: Math.round(seen.rate).toLocaleString(facts.language) }) : "–"}</dd>
      <dt>${told("phase")}</dt><dd id="phase">${told(`phase ${phase.value ?? "ready"}`)}</dd></dl>
    <p class="visually-hidden" role="status">${seen && !playing.value ? told("status", { step, loss: coversLoss.value ? "?" : short(seen.figures.loss) }) : ""}</p>`;
}

// what is chosen

export function Controls() {
  const { loss, optimizer, learningRate, l2, scheme, weightSeed, data } = setup.value;
  const eta = shown.value?.plan.learningRate ?? learningRate; // as it is now, which may have been changed by hand
  const numbers = (/** @type {number[]} */ all) => /** @type {[number, string][]} */ (all.map((v) => [v, String(v)]));
  return html`<section class="controls" aria-label=${told("controls")}>
    <${Buttons} />
    <div class="choices">
      <${Choice} id="speed" label=${told("how fast")} value=${speed.value ?? "all"} options=${[["phases", told("one phase a second")], ...SPEEDS.map((v) => [v, told("steps a second", { rate: v })]), ["all", told("as fast as can be")]]}
        onChoose=${(/** @type {string} */ value) => {
          speed.value = value === "all" ? null : value === "phases" ? value : Number(value);
          if (playing.value) void play();
        }} />
      <${Choice} id="learning-rate" label=${told("learning rate")} value=${eta} options=${numbers([...new Set([...RATES, eta])].sort((a, b) => a - b))}
        onChoose=${(/** @type {string} */ v) => (Number(v) === learningRate ? setLearningRate(learningRate) : change({ learningRate: Number(v) }))} />
      <${Choice} id="optimizer" label=${told("optimizer")} value=${optimizer} options=${Object.keys(facts.optimizers).map((name) => [name, called("optimizer", name)])} onChoose=${(/** @type {string} */ v) => change({ optimizer: v })} />
      <${Choice} id="loss-of" label=${told("loss")} value=${loss} options=${lossesOf(data).map((name) => [name, called("loss", name)])} onChoose=${(/** @type {string} */ v) => change({ loss: v })} />
      <${Choice} id="l2" label=${told("l2")} value=${l2} options=${numbers([...new Set([...PENALTIES, l2])].sort((a, b) => a - b))} onChoose=${(/** @type {string} */ v) => change({ l2: Number(v) })} />
      <${Choice} id="scheme" label=${told("beginning")} value=${scheme} options=${[...Object.keys(SCHEMES), ...(scheme === "given" ? [scheme] : [])].map((name) => [name, told(`scheme ${name}`)])} onChoose=${(/** @type {string} */ v) => change({ scheme: v })} />
      <button type="button" id="other-weights" onClick=${() => change({ weightSeed: (weightSeed + 1) % 1000, ...(scheme === "given" ? { scheme: "glorot" } : {}) })}>${told("other weights")}</button>
      <span class="pair"><button type="button" id="undo" disabled=${!canUndo.value} title=${told("undo")} aria-label=${told("undo")} onClick=${undo}>↶</button>
      <button type="button" id="redo" disabled=${!canRedo.value} title=${told("redo")} aria-label=${told("redo")} onClick=${redo}>↷</button></span>
    </div>
  </section>`;
}
