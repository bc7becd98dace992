// The network as a model file that dp.load reads: safetensors, sealed as model/sealed.py seals it.

import { facts } from "../facts.js";
import { planOf } from "../problem.js";
import { look } from "../run.js";
import { setup, toAddress } from "../setup.js";
import { withoutBiases } from "../weights.js";
import { sha256 } from "./sha256.js";

const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @returns {import("./files.js").Taken} */
export function modelFile() {
  const { step, parameters: placed } = /** @type {import("../run.js").Look} */ (look.value);
  const { sizes, activations, loss, l2, l1, biases } = planOf(setup.value);
  const parameters = biases ? placed : withoutBiases(placed, sizes);
  const used = [`loss ${loss}`, ...new Set(activations.map((name) => `activation ${name}`))];
  const layers = sizes.slice(1).map((n_out, l) => ({ kind: "dense", n_out, ...(biases ? {} : { bias: false }), ...(activations[l] ? { activation: activations[l] } : {}) }));
  const text = JSON.stringify({
    format: facts.model.format, versions: { deltaprop: facts.version },
    network: { n_in: sizes[0], layers, loss, label_smoothing: 0, l2, l1 },
    functions: Object.fromEntries(used.map((name) => [name, facts.model.functions[name]])),
    table: null, training: { studio: toAddress(setup.value), steps: step },
  }); // prettier-ignore
  const numbers = new Uint8Array(8 * parameters.length);
  const view = new DataView(numbers.buffer);
  parameters.forEach((value, i) => view.setFloat64(8 * i, value, true));
  const digest = sha256(joined([bytesOf(`${text}\nparameters float64 (${parameters.length},)\n`), numbers]));
  const header = bytesOf(
    JSON.stringify({
      __metadata__: { deltaprop: `{"sha256": "${digest}", ${text.slice(1)}` },
      parameters: { dtype: "F64", shape: [parameters.length], data_offsets: [0, numbers.length] },
    }),
  );
  const padded = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(0x20);
  padded.set(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return { ending: ".safetensors", type: "application/octet-stream", content: joined([length, padded, numbers]) };
}
