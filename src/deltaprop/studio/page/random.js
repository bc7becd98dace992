// Random numbers by place, not by history: Philox 4x32-10 (Salmon et al. 2011). The same seed draws the same set and the
// same weights in every browser.

const [MULTIPLY_0, MULTIPLY_1] = [0xd2511f53, 0xcd9e8d57];
const [RAISE_0, RAISE_1] = [0x9e3779b9, 0xbb67ae85];

/** The upper half of a product of two whole numbers of 32 bits. @param {number} a @param {number} b */
function upper(a, b) {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const one = aHigh * bLow + ((aLow * bLow) >>> 16);
  const two = aLow * bHigh + (one % 65536);
  return aHigh * bHigh + Math.floor(one / 65536) + Math.floor(two / 65536);
}

export class Random {
  #key;
  #counter = 0;
  /** @type {number[]} */ #words = [];

  /** @param {number} seed a whole number from 0 @param {number} [purpose] what it is drawn for */
  constructor(seed, purpose = 0) {
    this.#key = [seed >>> 0, (Math.floor(seed / 2 ** 32) ^ (purpose << 16)) >>> 0];
  }

  /** Four words more. @returns {number[]} */
  #block() {
    let [a, b, c, d] = [this.#counter >>> 0, Math.floor(this.#counter / 2 ** 32), 0, 0];
    this.#counter += 1;
    let [k, l] = this.#key;
    for (let round = 0; round < 10; round += 1) {
      const [highA, lowA] = [upper(MULTIPLY_0, a), Math.imul(MULTIPLY_0, a)];
      const [highC, lowC] = [upper(MULTIPLY_1, c), Math.imul(MULTIPLY_1, c)];
      [a, b, c, d] = [(highC ^ b ^ k) >>> 0, lowC >>> 0, (highA ^ d ^ l) >>> 0, lowA >>> 0];
      [k, l] = [(k + RAISE_0) >>> 0, (l + RAISE_1) >>> 0];
    }
    return [a, b, c, d];
  }

  #word() {
    if (this.#words.length === 0) this.#words = this.#block();
    return /** @type {number} */ (this.#words.shift());
  }

  /** From 0 up to below 1, 53 bits of it. */
  uniform() {
    const [high, low] = [this.#word() >>> 5, this.#word() >>> 6];
    return (high * 67108864 + low) / 2 ** 53;
  }

  /** @param {number} low @param {number} high */
  between(low, high) {
    return low + (high - low) * this.uniform();
  }

  /** Normal, with mean 0 and deviation 1 (Box and Muller 1958). */
  normal() {
    const size = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return size * Math.cos(2 * Math.PI * this.uniform());
  }

  /** @param {number} n a whole number from 1 */
  below(n) {
    return Math.floor(this.uniform() * n);
  }

  /** 0 to n - 1, each once, in a random order (Fisher and Yates). @param {number} n */
  order(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let last = n - 1; last > 0; last -= 1) {
      const chosen = this.below(last + 1);
      [order[last], order[chosen]] = [order[chosen], order[last]];
    }
    return order;
  }
}

/** 0 to n - 1 in an order that only n and the seed decide: see mixed_order in tables.py. @param {number} n @param {number} seed */
export function mixedOrder(n, seed) {
  const mixed = (/** @type {number} */ x) => {
    for (const [shift, factor] of [[16, 0x7feb352d], [15, 0x846ca68b]]) x = Math.imul(x ^ (x >>> shift), factor); // prettier-ignore
    return (x ^ (x >>> 16)) >>> 0;
  };
  const start = mixed(seed >>> 0);
  const keys = Uint32Array.from({ length: n }, (_, i) => mixed((i + start) >>> 0));
  return Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => keys[a] - keys[b]);
}
