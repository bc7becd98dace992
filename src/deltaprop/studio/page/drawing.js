// Colours and pictures of numbers: blue above 0, orange below, classes by colour and glyph.

/** Colours that differ for everybody (Okabe and Ito 2008), as red, green, blue. @type {[number, number, number][]} */
export const CLASSES = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
  [120, 94, 60],
  [110, 110, 110],
  [150, 60, 190],
  [170, 170, 0],
];
/** Which glyphs are made of lines. */
export const LINES = [4, 5, 9];
/** @type {[number, number, number]} */ const ABOVE = [0, 114, 178];
/** @type {[number, number, number][]} */ const INKS = [
  [26, 29, 33],
  [232, 235, 238],
]; // on light paper, and on dark
/** @type {[number, number, number]} */ const BELOW = [213, 94, 0];

/** @param {[number, number, number]} color */
export const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

const dark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
/** @type {Map<string, Uint32Array>} */ const ramps = new Map();
let paper = "";
dark?.addEventListener("change", forgetPaper);
const SHADES = 256; // from the paper to a colour

/** Its colour is looked up anew. */
export function forgetPaper() {
  paper = "";
  ramps.clear();
}

/** The page's paper: red, green, blue. */
function paperNow() {
  paper ||= getComputedStyle(document.documentElement).getPropertyValue("--paper-rgb").trim() || "255 255 255";
  return paper;
}

/** Shades from the page's paper to a colour, as pixels: red first in memory.
 *  @param {[number, number, number]} color @param {number} from the share of the first @param {number} to of the last */
function ramp(color, from, to) {
  const key = `${color} ${from} ${to}`;
  const known = ramps.get(key);
  if (known) return known;
  const ground = paperNow().split(/\s+/).map(Number);
  const bytes = new Uint8ClampedArray(4 * SHADES).fill(255);
  for (let k = 0; k < SHADES; k += 1) {
    const share = from + ((to - from) * k) / (SHADES - 1);
    color.forEach((v, c) => (bytes[4 * k + c] = ground[c] + (v - ground[c]) * share));
  }
  const shades = new Uint32Array(bytes.buffer);
  ramps.set(key, shades);
  return shades;
}

/** The largest size of a field's numbers, and no less than what is told. @param {Float32Array} values @param {number} [least] */
export function largestOf(values, least = 1e-9) {
  let most = least;
  for (let place = 0; place < values.length; place += 1) {
    const size = Math.abs(values[place]);
    if (size > most) most = size;
  }
  return most;
}

/** Numbers as a picture: blue where they are above 0, orange below.
 *  @param {HTMLCanvasElement} canvas @param {Float32Array} values row by row @param {number} columns
 *  @param {number} largest what has the full colour */
export function drawField(canvas, values, columns, largest) {
  const [above, below] = [ramp(ABOVE, 0, 0.9), ramp(BELOW, 0, 0.9)];
  const scale = (SHADES - 1) / (largest || 1);
  paint(canvas, columns, values.length / columns, (pixels) => {
    for (let place = 0; place < pixels.length; place += 1) {
      const shade = values[place] * scale;
      pixels[place] = shade > 0 ? above[Math.min(shade, SHADES - 1) | 0] : below[Math.min(-shade, SHADES - 1) | 0];
    }
  });
}

/** A picture in ink: from 0, paper, to 1. @param {HTMLCanvasElement} canvas @param {Float32Array} values @param {number} columns */
export function drawInk(canvas, values, columns) {
  const shades = ramp(INKS[Number(Number.parseInt(paperNow(), 10) < 128)], 0, 0.95);
  paint(canvas, columns, values.length / columns, (pixels) => {
    for (let place = 0; place < pixels.length; place += 1) pixels[place] = shades[Math.max(0, Math.min(1, values[place])) * (SHADES - 1) | 0];
  });
}

/** Which class each point of the plane is given, the paler the less sure.
 *  @param {HTMLCanvasElement} canvas @param {Float32Array[]} outputs of each class @param {number} columns */
export function drawRegions(canvas, outputs, columns) {
  const colors = outputs.map((_, k) => ramp(CLASSES[k % CLASSES.length], 0.12, 0.62));
  paint(canvas, columns, outputs[0].length / columns, (pixels) => {
    for (let place = 0; place < pixels.length; place += 1) {
      let [best, first, second] = [0, -Infinity, -Infinity];
      for (let k = 0; k < outputs.length; k += 1) {
        const value = outputs[k][place];
        if (value > first) [best, first, second] = [k, value, first];
        else if (value > second) second = value;
      }
      const lead = outputs.length < 2 ? 1 : Math.max(0, Math.min(1, first - second));
      pixels[place] = colors[best][(lead * (SHADES - 1)) | 0];
    }
  });
}

/** @type {WeakMap<HTMLCanvasElement, ImageData>} */ const images = new WeakMap();

/** @param {HTMLCanvasElement} canvas @param {number} columns @param {number} rows
 *  @param {(pixels: Uint32Array) => void} draw */
function paint(canvas, columns, rows, draw) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let image = images.get(canvas);
  if (image?.width !== columns || image.height !== rows) {
    image = context.createImageData(columns, rows);
    images.set(canvas, image);
  }
  draw(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}

/** The glyph of a class, as a path about the middle. @param {number} of @param {number} x @param {number} y @param {number} r */
export function glyph(of, x, y, r) {
  const corners = (/** @type {number} */ n, /** @type {number} */ turn) =>
    Array.from({ length: n }, (_, k) => {
      const angle = turn + (2 * Math.PI * k) / n;
      return `${(x + r * Math.cos(angle)).toFixed(4)} ${(y + r * Math.sin(angle)).toFixed(4)}`;
    }).join("L");
  const line = (/** @type {number} */ dx, /** @type {number} */ dy) => `M${x - dx} ${y - dy}L${x + dx} ${y + dy}`;
  switch (of % CLASSES.length) {
    case 0:
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    case 1:
      return `M${corners(4, Math.PI / 4)}Z`;
    case 2:
      return `M${corners(3, -Math.PI / 2)}Z`;
    case 3:
      return `M${corners(4, 0)}Z`;
    case 4:
      return line(r, 0) + line(0, r);
    case 6:
      return `M${corners(3, Math.PI / 2)}Z`;
    case 7:
      return `M${corners(6, 0)}Z`;
    case 8:
      return `M${x - r} ${y - 0.45 * r}h${2 * r}v${0.9 * r}h${-2 * r}Z`;
    case 9:
      return line(r, 0) + line(0.5 * r, 0.87 * r) + line(0.5 * r, -0.87 * r);
    default:
      return line(0.8 * r, 0.8 * r) + line(0.8 * r, -0.8 * r);
  }
}
