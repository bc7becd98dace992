// What stands below the views: one of several panels, chosen by its tab.

import { told } from "../facts.js";
import { html } from "../vendored/preact.js";
import { AskView } from "./ask_view.js";
import { AwayView } from "./away_view.js";
import { FlowView } from "./flow_view.js";
import { MendView } from "./mend_view.js";
import { panel } from "./parts.js";
import { PractiseView } from "./practise_view.js";
import { SettingsView } from "./settings_view.js";
import { SlopeView } from "./slope_view.js";
import { StepView } from "./step_view.js";

/** @type {Record<string, () => any>} */
const PANELS = { ask: AskView, flow: FlowView, slope: SlopeView, sides: StepView, practise: PractiseView, settings: SettingsView, mend: MendView, away: AwayView };

/** The arrows of the keyboard go from tab to tab. @param {KeyboardEvent} event */
function arrow(event) {
  const names = Object.keys(PANELS);
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const next = names[(names.indexOf(panel.value) + by + names.length) % names.length];
  panel.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}

export function Panel() {
  const View = PANELS[panel.value];
  return html`<section class="panel"><div class="tabs" role="tablist" aria-label=${told("panels")} onKeyDown=${arrow}>
      ${Object.keys(PANELS).map(
        (name) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${name === panel.value} aria-controls="panel"
          tabindex=${name === panel.value ? 0 : -1} onClick=${() => (panel.value = name)}>${told(name)}</button>`,
      )}</div>
    <div id="panel" role="tabpanel" aria-labelledby=${`tab-${panel.value}`}><${View} /></div></section>`;
}
