// The run as a page that needs nothing else: this page once more, or one with the engine from the server; in it what is
// needed to play the run again.

import { facts } from "../facts.js";
import { fileToKeep } from "../own.js";
import { runToKeep } from "../run.js";

/** This page as it was opened: without what was drawn since. */
const opened = /** @type {HTMLElement} */ (document.documentElement.cloneNode(true));

/** @returns {Promise<import("./files.js").Taken>} */
export async function runPage() {
  const page = facts.server === null ? /** @type {HTMLElement} */ (opened.cloneNode(true)) : await withEngine();
  page.querySelector("#run")?.remove();
  const block = document.createElement("script");
  [block.type, block.id] = ["application/json", "run"];
  block.textContent = jsonInHtml({ ...(await runToKeep()), file: await fileToKeep() });
  page.querySelector("#facts")?.before(block);
  return { ending: ".html", type: "text/html", content: `<!DOCTYPE html>\n${page.outerHTML}\n` };
}

/** The page with the engine in it, from the server. */
async function withEngine() {
  const address = new URL("page", location.href);
  [address.search, address.hash] = [location.search, ""];
  const answer = await fetch(address);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return new DOMParser().parseFromString(text, "text/html").documentElement;
}

/** Data that may stand in a page: nothing in it ends its element. @param {unknown} data */
function jsonInHtml(data) {
  const code = (/** @type {string} */ sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, code);
}
