// A table: which, its target, and what each of its columns became.

import { facts, told } from "../facts.js";
import { TABLES, isTable, openTable } from "../open_table.js";
import { lacking, reading, takeFile } from "../own.js";
import { change, setup } from "../setup.js";
import { html } from "../vendored/preact.js";
import { Choice } from "./parts.js";

/** A sentence of the server's, or by its key. @param {import("../answers.js").Sentence} sentence */
const said = (sentence) => (typeof sentence === "string" ? sentence : told(sentence[0], sentence[1]));

/** @param {string} text */
const asSentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.。]$/.test(text) ? "" : facts.language === "zh" ? "。" : ".");

/** @param {string} name of a table that comes with the page */
function choose(name) {
  const { data } = setup.value;
  change({ data: { ...data, name, file: "", target: "", task: "", without: "" } });
}

/** @param {any} event */
function chosen(event) {
  const [file] = event.target.files;
  if (file) takeFile(file);
  event.target.value = ""; // so that the same file can be taken again
}

/** The tables there are to choose from. */
export function Tables() {
  const { name, file } = setup.value.data;
  return html`<div class="tables" role="group" aria-label=${told("tables")}>
    ${TABLES.filter((each) => each !== "own").map(
      (each) => html`<button type="button" aria-pressed=${each === name} data-set=${each} onClick=${() => choose(each)}>${told(`set ${each}`)}</button>`,
    )}
    <button type="button" id="own-table" class="own" aria-pressed=${name === "own"} title=${told("own table hint")}
      onClick=${() => document.getElementById("own-file")?.click()}>${name === "own" ? file : told("set own")}</button>
    <input id="own-file" type="file" hidden accept=${facts.server === null ? ".csv,.tsv,.txt" : ".csv,.tsv,.txt,.gz,.parquet"} onChange=${chosen} />
    ${reading.value && html`<p class="hint" role="status">${told("reading", { name: reading.value })}</p>`}
    ${lacking.value !== null && html`<p class="trouble" role="alert">${told("table lacking", { name: lacking.value })}</p>`}</div>`;
}

/** A column: taken or left out, and what it became. @param {{ column: import("../answers.js").Told["columns"][number] }} given */
function Column({ column }) {
  const { data } = setup.value;
  const { name, kind, done, missing } = column;
  const without = data.without === "" ? [] : data.without.split("\n");
  const isIn = !without.includes(name);
  const toggle = () => change({ data: { ...data, without: (isIn ? [...without, name] : without.filter((each) => each !== name)).join("\n") } });
  const became = typeof done === "string" ? done : done.map(said).join("; ");
  if (kind === "image") return html`<li><span class="of-column"><b>${told("pixels", { size: (openTable.value?.picture ?? []).join(" × ") })}</b><small>${became}</small></span></li>`;
  return html`<li><label><input type="checkbox" checked=${isIn} data-column=${name} onChange=${toggle} />
    <span class="of-column"><b>${name}</b><small>${isIn ? became : told("left out by you")}${isIn && missing > 0 && html` · ${told("so many missing", { n: missing })}`}</small></span></label></li>`;
}

/** What was made of the table that is open. */
export function TableView() {
  const { data } = setup.value;
  const table = openTable.value;
  if (!isTable(data.name) || table === null || lacking.value !== null) return null;
  const put = (/** @type {Partial<import("../setup.js").DataWish>} */ wish) => change({ data: { ...data, ...wish } });
  const names = table.targets.includes(data.target) || data.target === "" ? table.targets : [data.target, ...table.targets];
  const found = told("as it was found", { task: told(`task ${table.task}`) });
  return html`<div class="table">
    <p class="about">${told("rows of table", { rows: table.taken.toLocaleString(facts.language) })} ${table.notes.map((note) => `${said(note)} `)}</p>
    <${Choice} id="target" label=${told("target")} value=${data.target || table.target} options=${names.map((name) => [name, name])}
      onChoose=${(/** @type {string} */ target) => put({ target, task: "", without: data.without.split("\n").filter((each) => each !== target).join("\n") })} />
    <${Choice} id="task" label=${told("it asks for")} value=${data.task} options=${[["", found], ["classes", told("task classes")], ["numbers", told("task numbers")]]}
      onChoose=${(/** @type {string} */ task) => put({ task: /** @type {""} */ (task) })} />
    <p class="hint">${asSentence(said(table.why))}</p>
    <h3>${told("columns")}</h3><ul class="columns" tabindex="0" aria-label=${told("columns")}>${table.columns.map((column) => html`<${Column} key=${column.name} column=${column} />`)}</ul>
    ${table.moreColumns > 0 && html`<p class="hint">${told("and more", { n: table.moreColumns })}</p>`}
    <details><summary>${told("how columns become numbers")}</summary><p class="hint">${told(table.picture ? "about pictures" : "about encoding")}</p></details></div>`;
}
