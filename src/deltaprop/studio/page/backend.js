// Whoever trains: the kernels in a worker of this page, or the server. Views know neither; they ask.

import { told } from "./facts.js";
import { packed, unpacked } from "./frames.js";

/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {import("./answers.js").Asked} Asked */
/** @typedef {{ answer: any, arrays: Arrays }} Answer */

/** Questions on their way, by number. */
class Waiting {
  #last = 0;
  /** @type {Map<number, { resolve: (answer: Answer) => void, reject: (error: Error) => void }>} */ #waiting = new Map();

  /** @param {(id: number) => void} send @returns {Promise<Answer>} */
  ask(send) {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send(id);
    });
  }

  /** @param {number} id @param {Answer | null} answer
   *  @param {string | { key: string, values: Record<string, string | number> }} [refused] a sentence, or its key */
  answered(id, answer, refused = "") {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (answer) waiting?.resolve(answer);
    else waiting?.reject(new Error(typeof refused === "string" ? refused : told(refused.key, refused.values)));
  }

  /** @param {string} why */
  end(why) {
    for (const id of [...this.#waiting.keys()]) this.answered(id, null, why);
  }
}

export class PageBackend {
  #waiting = new Waiting();

  /** @param {string} script of the worker */
  constructor(script) {
    this.where = "page";
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.worker.onmessage = ({ data: { id, answer, arrays, refused } }) =>
      this.#waiting.answered(id, refused === undefined ? { answer, arrays } : null, refused);
    this.worker.onerror = (event) => this.#waiting.end(event.message);
  }

  /** @template {keyof Asked} K @param {K} kind @param {Asked[K]} asked @param {Arrays} [arrays] */
  ask(kind, asked, arrays = {}) {
    return this.#waiting.ask((id) => this.worker.postMessage({ id, kind, asked, arrays }));
  }

  /** Give it the kernels; answers with what they know. @param {Uint8Array<ArrayBuffer>} kernels */
  async begin(kernels) {
    const { answer } = await this.#waiting.ask((id) =>
      this.worker.postMessage({ id, kind: "kernels", asked: {}, arrays: { kernels } }, [kernels.buffer]),
    );
    return /** @type {import("./engine.js").Names} */ (answer);
  }
}

/** The address of a WebSocket beside the page, with the token that the page was asked with. @param {string} path */
export function runAt(path) {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  [address.search, address.hash] = [location.search, ""];
  return address.href;
}

export class ServerBackend {
  #waiting = new Waiting();

  /** @param {string} address @param {(why: string) => void} ended */
  constructor(address, ended) {
    this.where = "server";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => {
      const { message, arrays } = unpacked(data);
      const { id, answer, refused } = message;
      this.#waiting.answered(id, refused === undefined ? { answer, arrays } : null, refused);
    };
    this.socket.onclose = ({ reason }) => {
      this.#waiting.end(reason);
      ended(reason);
    };
  }

  /** Wait until it can be asked. @returns {Promise<void>} */
  opened() {
    return new Promise((resolve, reject) => {
      this.socket.addEventListener("open", () => resolve());
      this.socket.addEventListener("close", () => reject(new Error("closed")));
    });
  }

  /** @template {keyof Asked} K @param {K} kind @param {Asked[K]} asked @param {Arrays} [arrays] */
  ask(kind, asked, arrays = {}) {
    return this.#waiting.ask((id) => this.socket.send(packed({ id, kind, asked }, arrays)));
  }
}
