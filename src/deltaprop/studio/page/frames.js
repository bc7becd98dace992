// Messages with arrays, as bytes: see frames.py.

/** @typedef {Float64Array | Float32Array | Int32Array | Uint8Array} Numbers */
/** @typedef {Record<string, Numbers>} Arrays */

const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };
/** @param {Numbers} array */
const kindOf = (array) => /** @type {[string, any][]} */ (Object.entries(KINDS)).find(([, kind]) => array instanceof kind)?.[0];
/** @param {number} place */
const aligned = (place) => Math.ceil(place / 8) * 8;

/** @param {Record<string, unknown>} message @param {Arrays} arrays @returns {ArrayBuffer} */
export function packed(message, arrays) {
  const told = Object.entries(arrays).map(([name, array]) => [name, kindOf(array), [array.length]]);
  const text = new TextEncoder().encode(JSON.stringify({ ...message, arrays: told }));
  let size = 4 + text.length;
  const places = Object.values(arrays).map((array) => {
    const place = aligned(size);
    size = place + array.byteLength;
    return place;
  });
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  Object.values(arrays).forEach((array, k) => {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), places[k]);
  });
  return bytes.buffer;
}

/** @param {ArrayBuffer} buffer @returns {{ message: any, arrays: Arrays }} */
export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const message = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  /** @type {Arrays} */
  const arrays = {};
  let place = 4 + length;
  for (const [name, kind, shape] of message.arrays) {
    const n = shape.reduce((/** @type {number} */ all, /** @type {number} */ size) => all * size, 1);
    place = aligned(place);
    arrays[name] = new KINDS[/** @type {"f8"} */ (kind)](buffer, place, n);
    place += arrays[name].byteLength;
  }
  return { message, arrays };
}
