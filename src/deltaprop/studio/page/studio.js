// The studio's page: views over one run.

import { followAlong } from "./along.js";
import { follow, wantedRunning } from "./asked.js";
import { isEmbedded, tellOutside } from "./embedded.js";
import { told } from "./facts.js";
import { followPhases, mode } from "./modes.js";
import { takeFile } from "./own.js";
import { pause, play, playing, start, trouble } from "./run.js";
import { followRun } from "./practising.js";
import { redo, setup, toAddress, undo } from "./setup.js";
import { goToStep, tourAddress, tourIn } from "./tour.js";
import { effect, html, render } from "./vendored/preact.js";
import { Controls } from "./views/controls.js";
import { DataView } from "./views/data_view.js";
import { NetworkView } from "./views/network_view.js";
import { OutputView } from "./views/output_view.js";
import { Panel } from "./views/panel.js";
import { panel } from "./views/parts.js";
import { TourButton, TourView } from "./views/tour_view.js";

function Trouble() {
  const found = trouble.value;
  const known = ["diverged", "server gone"].includes(found ?? "");
  return html`<p class="trouble" role="alert" hidden=${found === null}>${known ? told(String(found)) : found}</p>`;
}

function Studio() {
  return html`<${Controls} /><${Trouble} /><div class="views"><${DataView} /><${NetworkView} /><${OutputView} /></div><${Panel} /><${TourView} />`;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const inside = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, button");
  if (event.key === " " && !inside) {
    event.preventDefault();
    void (playing.value ? pause() : play());
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    if (event.shiftKey) redo();
    else undo();
  }
}

/** A file that is dropped anywhere is the data. */
function acceptDrops() {
  const over = (/** @type {boolean} */ is) => document.body.classList.toggle("dropping", is);
  const isFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    over(false);
    const file = event.dataTransfer?.files[0];
    if (file) takeFile(file);
  });
}

export async function open() {
  const place = /** @type {HTMLElement} */ (document.getElementById("studio"));
  document.addEventListener("keydown", pressed);
  acceptDrops();
  const touredAt = tourIn(location.hash.slice(1));
  effect(() => {
    if (isEmbedded) return;
    const address = [toAddress(setup.value), tourAddress()].filter(Boolean).join("&");
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  });
  const started = start(); // the kernels are compiled while the page is drawn
  render(html`<${Studio} />`, place);
  const tools = document.getElementById("header-tools");
  if (tools) render(html`<${TourButton} />`, tools);
  try {
    await started;
    follow();
    followRun();
    followPhases();
    if (isEmbedded) tellOutside();
    followAlong(() => panel.value === "slope");
    effect(() => (wantedRunning.value = mode.value !== "values" || ["flow", "slope", "sides"].includes(panel.value)));
    if (touredAt !== null) await goToStep(touredAt);
  } catch (error) {
    trouble.value = /** @type {Error} */ (error).message;
  }
}
