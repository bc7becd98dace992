// The kernels in a page: native/ as WebAssembly, with the C interface of native/wasm/exports.cpp. A worker of the page
// owns an engine, its networks and their rows. Without imports but its own: it runs in a page, in a worker and in Node.
//
//   const engine = await loadEngine("engine.wasm");
//   const network = engine.create({
//     layers: [{ n_in: 2, n_out: 8, activation: "tanh" }, { n_out: 3 }], loss: "cross_entropy",
//     rule: { name: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, batch_size: 32,
//   });
//   network.setParameters(start);
//   network.setRows("training", { x: [[0.1, -0.4], ...], labels: [2, ...] });
//   network.setLearningRate(0.01);
//   const before = network.snapshot();
//   network.run(1000); // { steps, epochLosses, diverged }
//   network.field({ x: [-1, 1], y: [-1, 1], columns: 100, rows: 100, base: [0, 0] }); // the outputs, a picture each
//   network.restore(before); // run(1000) has the same bits again

import { EngineError } from "./errors.js";
import { Network } from "./network.js";

/** @typedef {Float64Array | Float32Array | Int32Array | Uint8Array | number[]} Numbers */
/** @typedef {{
 *   activations: string[], losses: Record<string, string>, layers: Record<string, string[]>,
 *   optimizers: Record<string, { states: number, settings: string[] }> }} Names
 *  What the kernels know: losses with what a row of their targets is ("distribution", "unit", "real", "count"), layers
 *  and optimizers with the keywords that a description of one needs. */

/** The bytes of an engine that stands in a page as base64, as it is or gzipped.
 *  @param {string} base64 @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function engineBytes(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/** Loads the kernels: from their bytes, from an address, or from the answer of a server.
 *  @param {BufferSource | Response | URL | string} source @returns {Promise<Engine>} */
export async function loadEngine(source) {
  const found = typeof source === "string" || source instanceof URL ? await fetch(source) : source;
  const isAnswer = typeof Response !== "undefined" && found instanceof Response;
  if (isAnswer && !found.ok) throw new EngineError(`There is no engine at ${found.url}: the server says ${found.status}.`);
  const bytes = isAnswer ? await found.arrayBuffer() : /** @type {BufferSource} */ (found);
  return new Engine(await WebAssembly.compile(bytes));
}

const MOST = 2 ** 32 - 1; // bytes that there may be

export class Engine {
  /** @type {Record<string, (...numbers: number[]) => number>} */ #exports;
  /** @type {string | null} */ #fault = null;

  /** @param {WebAssembly.Module} module what loadEngine compiles */
  constructor(module) {
    this.module = module;
    const imports = { page: { fail: (/** @type {number} */ at) => this.#fail(this.textAt(at)) } };
    const { exports } = new WebAssembly.Instance(module, imports);
    this.#exports = /** @type {any} */ (exports);
    this.memory = /** @type {WebAssembly.Memory} */ (exports.memory);
    this.call("_initialize");
    /** @type {Names} */
    this.names = namesIn(this.textAt(this.call("dp_names")));
  }

  /** A network as it is described; its parameters are 0, and it has no rows yet.
   *  @param {import("./network.js").Description} description */
  create(description) {
    return new Network(this, description);
  }

  /** Another engine, for after this one has ended: where memory has run out, all its networks are lost. */
  again() {
    return new Engine(this.module);
  }

  /** Why it has ended, or null. */
  get fault() {
    return this.#fault;
  }

  /** Calls an export; a fault in it ends the engine. @param {string} name @param {number[]} numbers */
  call(name, ...numbers) {
    if (this.#fault !== null) throw new EngineError(`This engine has ended: ${this.#fault}`);
    try {
      return this.#exports[name](...numbers);
    } catch (error) {
      if (this.#fault === null) this.#fail(`The kernels have a fault (${error}).`);
      throw error;
    }
  }

  /** Calls an export that may refuse; then its sentence is thrown. @param {string} name @param {number[]} numbers */
  ask(name, ...numbers) {
    const answer = this.call(name, ...numbers);
    if (answer < 0) this.refuse();
    return answer;
  }

  /** Throws the sentence of the last refusal. @returns {never} */
  refuse() {
    throw new EngineError(this.textAt(this.call("dp_message")));
  }

  /** Room in the kernels' memory, for as long as `work` takes. @template R
   *  @param {number[]} sizes in bytes @param {(...places: number[]) => R} work @returns {R} */
  withRoom(sizes, work) {
    const places = this.allocAll(sizes);
    try {
      return work(...places);
    } finally {
      if (this.#fault === null) this.#free(places);
    }
  }

  /** Room that whoever asks gives back or hands over; all of it or none. @param {(number | null)[]} sizes in bytes */
  allocAll(sizes) {
    /** @type {number[]} */
    const places = [];
    for (const size of sizes) {
      const place = size === null || size > MOST ? 0 : this.call("dp_alloc", size) >>> 0;
      places.push(place);
      if (size === null || place !== 0) continue;
      this.#free(places);
      throw new EngineError(`A page has no memory for ${Math.ceil(size / 1e6)} MB more.`);
    }
    return places;
  }

  /** @param {number[]} places */
  #free(places) {
    for (const place of places) this.call("dp_free", place);
  }

  /** Memory as numbers, until something is called that takes more of it. @param {number} at @param {number} n */
  doubles(at, n) {
    return new Float64Array(this.memory.buffer, at >>> 0, n);
  }
  /** @param {number} at @param {number} n */
  floats(at, n) {
    return new Float32Array(this.memory.buffer, at >>> 0, n);
  }
  /** @param {number} at @param {number} n */
  integers(at, n) {
    return new Int32Array(this.memory.buffer, at >>> 0, n);
  }
  /** @param {number} at @param {Uint8Array} bytes */
  write(at, bytes) {
    new Uint8Array(this.memory.buffer, at >>> 0, bytes.length).set(bytes);
  }

  /** A text that ends with a 0. @param {number} at */
  textAt(at) {
    const bytes = new Uint8Array(this.memory.buffer, at >>> 0);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  /** @param {string} sentence @returns {never} */
  #fail(sentence) {
    this.#fault = sentence;
    throw new EngineError(sentence);
  }
}

/** @param {string} text a line for each name @returns {Names} */
function namesIn(text) {
  /** @type {Names} */
  const names = { activations: [], losses: {}, layers: {}, optimizers: {} };
  for (const line of text.split("\n").slice(0, -1)) {
    const [kind, name, ...more] = line.split(" ");
    const rest = more.join(" ").split(", ").filter(Boolean);
    if (kind === "activation") names.activations.push(name);
    else if (kind === "loss") names.losses[name] = rest[0];
    else if (kind === "layer") names.layers[name] = rest;
    else names.optimizers[name] = { states: Number(rest[0]), settings: rest.slice(1) };
  }
  return names;
}
