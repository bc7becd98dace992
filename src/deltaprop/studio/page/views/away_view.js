// Take away: the run and what it came to, as files and as text.

import { code } from "../away/code.js";
import { copy, keep } from "../away/files.js";
import { modelFile } from "../away/model_file.js";
import { runPage } from "../away/run_page.js";
import { facts, told } from "../facts.js";
import { pause, playing } from "../run.js";
import { html, signal } from "../vendored/preact.js";

/** What can be taken away, and whether as text to copy, too.
 *  @type {{ name: string, make: () => import("../away/files.js").Taken | Promise<import("../away/files.js").Taken>, copies?: true }[]} */
const THINGS = [
  { name: "run", make: runPage },
  { name: "code", make: code, copies: true },
  { name: "model", make: modelFile },
];

/** What came of it: of which thing, and whether it is a complaint. */
const said = signal(/** @type {{ of: string, text: string, isTrouble: boolean } | null} */ (null));

/** @param {(typeof THINGS)[number]} thing @param {(taken: import("../away/files.js").Taken) => string | Promise<string>} how */
async function take({ name, make }, how) {
  said.value = null;
  try {
    if (playing.value) await pause();
    said.value = { of: name, text: await how(await make()), isTrouble: false };
  } catch (error) {
    said.value = { of: name, text: /** @type {Error} */ (error).message, isTrouble: true };
  }
}

const asFile = (/** @type {import("../away/files.js").Taken} */ taken) => told("away saved", { name: keep(taken) });
const asText = async (/** @type {import("../away/files.js").Taken} */ { content }) => {
  await copy(String(content));
  return told("away copied");
};

export function AwayView() {
  const found = said.value;
  return html`<div class="away"><p class="hint">${told("away hint")}</p>
    <ul>${THINGS.map(
      (thing) => html`<li class="taken"><h3>${told(`away ${thing.name}`)}</h3>
        <p>${told(`about away ${thing.name}`)}${thing.name === "run" && facts.server !== null ? ` ${told("away run of server")}` : ""}</p>
        <div class="give"><button type="button" id=${`take-${thing.name}`} onClick=${() => take(thing, asFile)}>${told("away file")}</button>
          ${thing.copies && html`<button type="button" id=${`copy-${thing.name}`} onClick=${() => take(thing, asText)}>${told("away copy")}</button>`}</div>
        <p class=${found?.isTrouble ? "said bad" : "said"} role="status">${found?.of === thing.name ? found.text : ""}</p></li>`,
    )}</ul></div>`;
}
