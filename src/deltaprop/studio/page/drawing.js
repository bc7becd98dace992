// Colours and pictures of numbers: blue above 0, orange below, classes by colour and glyph.

/** Colours that differ for everybody (Okabe and Ito 2008), as red, green, blue. @type {[number, number, number][]} */
export const CLASSES = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
];
/** @type {[number, number, number]} */ const ABOVE = [0, 114, 178];
/** @type {[number, number, number]} */ const BELOW = [213, 94, 0];

/** @param {[number, number, number]} color */
export const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

/** What lies between two colours. @param {number[]} from @param {number[]} to @param {number} share */
function between(from, to, share) {
  return from.map((v, k) => v + (to[k] - v) * share);
}

/** The paper of the page, as red, green, blue. @param {Element} element */
export function paperOf(element) {
  const found = getComputedStyle(element).getPropertyValue("--paper-rgb").trim().split(/\s+/).map(Number);
  return found.length === 3 ? found : [255, 255, 255];
}

/** Numbers as a picture: blue where they are above 0, orange below.
 *  @param {HTMLCanvasElement} canvas @param {Float32Array} values row by row @param {number} columns
 *  @param {number} largest what has the full colour */
export function drawField(canvas, values, columns, largest) {
  const paper = paperOf(canvas);
  paint(canvas, columns, values.length / columns, (place) => {
    const share = Math.max(-1, Math.min(1, values[place] / (largest || 1)));
    return between(paper, share > 0 ? ABOVE : BELOW, Math.abs(share) * 0.9);
  });
}

/** Which class each point of the plane is given, the paler the less sure.
 *  @param {HTMLCanvasElement} canvas @param {Float32Array[]} outputs of each class @param {number} columns */
export function drawRegions(canvas, outputs, columns) {
  const paper = paperOf(canvas);
  paint(canvas, columns, outputs[0].length / columns, (place) => {
    let [best, second] = [0, -1];
    for (let k = 1; k < outputs.length; k += 1) {
      if (outputs[k][place] > outputs[best][place]) [best, second] = [k, best];
      else if (second < 0 || outputs[k][place] > outputs[second][place]) second = k;
    }
    const lead = second < 0 ? 1 : outputs[best][place] - outputs[second][place];
    return between(paper, CLASSES[best % CLASSES.length], 0.12 + 0.5 * Math.max(0, Math.min(1, lead)));
  });
}

/** @param {HTMLCanvasElement} canvas @param {number} columns @param {number} rows
 *  @param {(place: number) => number[]} colorOf */
function paint(canvas, columns, rows, colorOf) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(columns, rows);
  for (let place = 0; place < columns * rows; place += 1) {
    const [red, green, blue] = colorOf(place);
    image.data.set([red, green, blue, 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
}

/** The glyph of a class, as a path about the middle. @param {number} of @param {number} x @param {number} y @param {number} r */
export function glyph(of, x, y, r) {
  const corners = (/** @type {number} */ n, /** @type {number} */ turn) =>
    Array.from({ length: n }, (_, k) => {
      const angle = turn + (2 * Math.PI * k) / n;
      return `${(x + r * Math.cos(angle)).toFixed(2)} ${(y + r * Math.sin(angle)).toFixed(2)}`;
    }).join("L");
  const line = (/** @type {number} */ dx, /** @type {number} */ dy) => `M${x - dx} ${y - dy}L${x + dx} ${y + dy}`;
  switch (of % 6) {
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
    default:
      return line(0.8 * r, 0.8 * r) + line(0.8 * r, -0.8 * r);
  }
}
