// The step that comes as a worked example, which deltaprop explain reads; at the server in the forms that it writes.

import { stepThatComes } from "../asked.js";
import { facts } from "../facts.js";
import { explained } from "../run.js";
import { setup } from "../setup.js";

/** The worked example as plain data. @returns {Promise<Record<string, any>>} */
async function workedExample() {
  const { step, worked, plan } = await stepThatComes();
  const { activations, loss, optimizer, learningRate } = plan;
  const { given, parameters } = worked.program;
  const { name, ...settings } = optimizer;
  const { states, counts } = facts.mathematics.optimizers[name];
  const ids = /** @type {string[]} */ (parameters.map((/** @type {[string]} */ [id]) => id));
  const layers = ids.flatMap((id) => {
    const [kind, layer] = id.split(".");
    if (kind !== "W") return [];
    const activation = activations[Number(layer) - 1];
    return [{ W: given[id], b: given[`b.${layer}`], ...(activation ? { activation } : {}) }];
  });
  /** @type {Record<string, any>} */
  const state = counts ? { t: given.t - 1 } : {};
  for (const each of states) state[each] = Object.fromEntries(ids.map((id) => [id, given[`${each}_${id}`]]));
  const penalties = Object.fromEntries(["l2", "l1"].filter((key) => given[key]).map((key) => [key, given[key]]));
  return {
    title: `deltaprop studio: ${setup.value.data.file || setup.value.data.name}, step ${step + 1}`,
    layers, loss, ...penalties, x: given.x, targets: given.targets, learning_rate: learningRate,
    optimizer: { name, ...settings, ...(states.length ? { state } : {}) },
  }; // prettier-ignore
}

/** @returns {Promise<import("./files.js").Taken>} */
export async function stepFile() {
  return { ending: ".json", type: "application/json", content: `${JSON.stringify(await workedExample(), null, 1)}\n` };
}

const TYPES = { latex: [".tex", "application/x-tex"], html: [".html", "text/html"], svg: [".svg", "image/svg+xml"] };

/** The step as Python's renderers write it. @param {keyof typeof TYPES} form @returns {Promise<import("./files.js").Taken>} */
export async function stepAs(form) {
  const [ending, type] = TYPES[form];
  return { ending: `-explained${ending}`, type, content: await explained(await workedExample(), form) };
}
