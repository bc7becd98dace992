// Opening tables: of the page, of the server, or a file that somebody drops; and choosing from them.

import { engineBytes } from "./engine.js";
import { facts, keptRun, told } from "./facts.js";
import { unpacked } from "./frames.js";
import { isTable, openTable } from "./open_table.js";
import { change, setup } from "./setup.js";
import { signal } from "./vendored/preact.js";

/** @typedef {import("./answers.js").Asked} Asked */
/** @typedef {<K extends keyof Asked>(kind: K, asked: Asked[K], arrays?: import("./frames.js").Arrays) => Promise<import("./backend.js").Answer>} Ask */

const MOST_TO_SERVER = 250e6; // bytes
const MOST_IN_PAGE = 8e6; // of a larger file these first ones are read

/** What is being read. */
export const reading = signal(/** @type {string | null} */ (null));
/** A file that the address tells of, and that is not here. */
export const lacking = signal(/** @type {string | null} */ (null));

/** @type {File | null} */ let file = null;
let open = ""; // which table the backend has
let chosen = ""; // and what was chosen from it

/** Take a file as the data. @param {File} given */
export function takeFile(given) {
  file = given;
  [open, chosen] = ["", ""];
  const { data } = setup.value;
  const next = { ...data, name: "own", file: given.name, target: "", task: /** @type {const} */ (""), without: "" };
  const isSame = data.name === "own" && data.file === given.name && !data.target && !data.task && !data.without;
  if (isSame) setup.value = { ...setup.value }; // read it again
  else change({ data: next });
}

/** The file that is open, for a page to keep. @returns {Promise<import("./facts.js").KeptFile | undefined>} */
export async function fileToKeep() {
  const { data } = setup.value;
  if (file === null || data.name !== "own" || file.name !== data.file) return undefined;
  const { name } = file; // another may be dropped meanwhile
  const packed = file.slice(0, MOST_IN_PAGE).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const letters = [];
  for (let at = 0; at < bytes.length; at += 32768) letters.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return { name, content: btoa(letters.join("")) };
}

/** The backend was lost, and what it had open. */
export function forgetTables() {
  [open, chosen] = ["", ""];
}

/** Have what a setup says opened and chosen. Whether it is there. @param {Ask} ask @param {import("./setup.js").Setup} wish */
export async function prepare(ask, { data, held }) {
  lacking.value = null;
  if (!isTable(data.name)) return true;
  const wanted = data.name === "own" ? `own ${data.file}` : data.name;
  try {
    if (open !== wanted) {
      [open, chosen] = ["", ""];
      reading.value = data.file || told(`set ${data.name}`);
      if (!(await opened(ask, data))) return false;
      open = wanted;
    }
    const without = data.without === "" ? [] : data.without.split("\n");
    const choice = { target: data.target, task: data.task, without, held, seed: data.seed };
    const key = JSON.stringify(choice);
    if (key === chosen) return true;
    chosen = "";
    const { answer, arrays } = await ask("choose", choice);
    chosen = key;
    const width = answer.inputs.length;
    const rows = (/** @type {ArrayLike<number>} */ flat) => Array.from({ length: flat.length / width }, (_, i) => Array.from({ length: width }, (__, j) => flat[i * width + j]));
    const { x, answers, heldX = [], heldAnswers = [], mean, axes } = arrays;
    openTable.value = {
      ...answer, x: rows(x), answers: Array.from(answers), heldX: rows(heldX), heldAnswers: Array.from(heldAnswers), mean, axes,
    }; // prettier-ignore
    return true;
  } finally {
    reading.value = null;
  }
}

/** @param {Ask} ask @param {import("./setup.js").DataWish} data */
async function opened(ask, { name, file: called }) {
  const isServer = facts.server !== null;
  const kept = keptRun?.file;
  if (file === null && kept?.name === called) file = new File([await engineBytes(kept.content)], called);
  if (name === "own" && file?.name === called) {
    if (isServer && file.size > MOST_TO_SERVER) throw new Error(told("table too large", { size: Math.round(file.size / 1e6), most: MOST_TO_SERVER / 1e6 }));
    const part = isServer || file.size <= MOST_IN_PAGE ? file : file.slice(0, MOST_IN_PAGE);
    const bytes = new Uint8Array(await part.arrayBuffer());
    await ask("openTable", { name: called, form: "file", size: file.size, rules: facts.columnRules }, { file: bytes });
    return true;
  }
  if (name === "own" && called !== facts.own) {
    lacking.value = called;
    return false;
  }
  if (isServer) {
    await ask("openTable", { name, form: name === "own" ? "own" : "built in" });
    return true;
  }
  const packed = JSON.parse(document.getElementById("tables")?.textContent ?? "{}");
  const { message, arrays } = unpacked((await engineBytes(packed[name])).buffer);
  await ask("openTable", { name, form: "columns", told: message, rules: facts.columnRules }, arrays);
  return true;
}
