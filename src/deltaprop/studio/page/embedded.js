// The page in a notebook: it has no address of its own, and tells the frame around it where the run stands.

import { keptRun } from "./facts.js";
import { look, playing, shown } from "./run.js";
import { setup } from "./setup.js";
import { effect } from "./vendored/preact.js";
import { withoutBiases } from "./weights.js";

export const isEmbedded = keptRun?.inNotebook === true && window.parent !== window;

/** Tell whenever the run stands still. */
export function tellOutside() {
  effect(() => {
    const [seen, now] = [look.value, shown.value];
    if (seen === null || now === null || seen.running || playing.value) return;
    const { step, figures } = seen;
    const parameters = now.plan.biases ? seen.parameters : withoutBiases(seen.parameters, now.sizes);
    const finite = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
    const told = { setup: { ...setup.value, sizes: now.sizes }, step, figures: finite, parameters: Array.from(parameters) };
    window.parent.postMessage(told, "*"); // its origin is none that could be named
  });
}
