// What is seen as a picture of its own: SVG with everything in it, or PNG; on white paper, whatever the page has.

import { forgetPaper } from "../drawing.js";
import { drawers } from "../views/parts.js";

const SVG = "http://www.w3.org/2000/svg";
const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "opacity", "paint-order", "font-size", "font-family", "text-anchor"]; // prettier-ignore
const FINE = 3; // pixels of a PNG for one of the page

/** An element of SVG. @param {string} name @param {Record<string, string | number>} attributes */
function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** What the page looks like in the light. @template T @param {() => T} work @returns {T} */
function inLight(work) {
  const root = document.documentElement;
  const rules = Array.from(document.styleSheets).flatMap((sheet) => Array.from(sheet.cssRules));
  const light = /** @type {CSSStyleRule} */ (rules.find((rule) => rule instanceof CSSStyleRule && rule.selectorText === ":root")).style;
  const names = Array.from(light).filter((name) => name.startsWith("--"));
  for (const name of names) root.style.setProperty(name, light.getPropertyValue(name));
  forgetPaper();
  try {
    return work();
  } finally {
    for (const name of names) root.style.removeProperty(name);
    forgetPaper();
  }
}

/** A part of SVG with its looks in it. @param {Element} element @returns {Element} */
function withLooks(element) {
  const own = /** @type {Element} */ (element.cloneNode(false));
  const looks = getComputedStyle(element);
  for (const name of KEPT) own.setAttribute(name, looks.getPropertyValue(name));
  for (const name of ["style", "class", "aria-label", "role"]) own.removeAttribute(name);
  for (const child of element.childNodes) {
    if (child instanceof SVGElement && child.localName !== "title") own.append(withLooks(child));
    else if (child instanceof Text) own.append(child.cloneNode());
  }
  return own;
}

/** What an element of the page is in a picture, and all that is in it. @param {Element} element
 *  @param {DOMRect} frame of the picture @returns {Iterable<Element>} */
function* partsOf(element, frame) {
  const looks = getComputedStyle(element);
  if (looks.display === "none" || looks.visibility === "hidden" || element.matches(".visually-hidden")) return;
  const box = element.getBoundingClientRect();
  const place = { x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height };
  if (element instanceof SVGSVGElement) {
    const viewBox = element.getAttribute("viewBox");
    const own = make("svg", { ...place, ...(viewBox ? { viewBox } : {}), overflow: "visible" });
    own.append(...Array.from(element.children, withLooks));
    yield own;
    return;
  }
  if (element instanceof HTMLCanvasElement) {
    const canvas = document.createElement("canvas");
    drawers.get(element)?.(canvas);
    const image = /** @type {SVGElement} */ (make("image", { ...place, href: canvas.toDataURL(), preserveAspectRatio: "none" }));
    image.style.setProperty("clip-path", `inset(0 round ${looks.borderTopLeftRadius})`);
    yield image;
    return;
  }
  const line = looks.borderTopStyle === "none" ? 0 : parseFloat(looks.borderTopWidth);
  if (line || !/, 0\)$|\/ 0\)$/.test(looks.backgroundColor)) {
    const half = line / 2; // the line lies within its box
    const size = { x: place.x + half, y: place.y + half, width: place.width - line, height: place.height - line };
    const rx = Math.min(parseFloat(looks.borderTopLeftRadius) || 0, place.height / 2);
    yield make("rect", { ...size, rx, fill: looks.backgroundColor, stroke: line ? looks.borderTopColor : "none", "stroke-width": line });
  }
  for (const child of element.childNodes) {
    if (child instanceof Element) yield* partsOf(child, frame);
    else if (child.textContent?.trim()) {
      const range = document.createRange();
      range.selectNodeContents(child);
      const at = range.getBoundingClientRect();
      const size = parseFloat(looks.fontSize);
      const y = at.y - frame.y + at.height / 2 + 0.35 * size; // the foot of a letter
      const text = make("text", { x: at.x - frame.x, y, fill: looks.color, "font-size": looks.fontSize, "font-family": looks.fontFamily, "font-weight": looks.fontWeight });
      text.textContent = child.textContent.trim();
      yield text;
    }
  }
}

/** A part of the page as SVG. @param {string} selector */
function svgOf(selector) {
  const element = document.querySelector(selector);
  if (!element) throw new Error(`There is no ${selector}.`);
  return inLight(() => {
    const box = element.getBoundingClientRect();
    // what stands beside, such as names of inputs and classes
    const boxes = Array.from(element.querySelectorAll("*"), (part) => part.getBoundingClientRect()).filter(({ width }) => width > 1);
    const [left, top] = [Math.min(box.left, ...boxes.map((each) => each.left)) - 8, Math.min(box.top, ...boxes.map((each) => each.top)) - 8];
    const [right, bottom] = [Math.max(box.right, ...boxes.map((each) => each.right)) + 8, Math.max(box.bottom, ...boxes.map((each) => each.bottom)) + 8];
    const frame = new DOMRect(left, top, right - left, bottom - top);
    const { width, height } = frame;
    const svg = make("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` });
    svg.append(make("rect", { width, height, fill: "#fff" }), ...partsOf(element, frame));
    return { svg, width, height };
  });
}

/** @param {string} selector @param {string} name @returns {import("./files.js").Taken} */
export function asSvg(selector, name) {
  const content = new XMLSerializer().serializeToString(svgOf(selector).svg);
  return { ending: `-${name}.svg`, type: "image/svg+xml", content };
}

/** @param {string} selector @param {string} name @returns {Promise<import("./files.js").Taken>} */
export async function asPng(selector, name) {
  const { svg, width, height } = svgOf(selector);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [FINE * width, FINE * height];
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
  const content = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!(content instanceof Blob)) throw new Error("image/png");
  return { ending: `-${name}.png`, type: "image/png", content };
}
