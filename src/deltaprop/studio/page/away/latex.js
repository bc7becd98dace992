// The lines that Ask shows as LaTeX: their MathML, written the other way.

import { about, idsAbout, lineAbout, sample, stepThatComes } from "../asked.js";
import { facts, told } from "../facts.js";

const ROOM = 78; // signs of a row
const MOST = 1200; // lines

/** @type {Record<string, string>} */
const SIGNS = {
  "×": "\\times ", "−": "-", "–": "\\text{--}", "∂": "\\partial ", "′": "\\prime ", "≥": "\\ge ", "≤": "\\le ", "≈": "\\approx ",
  "∞": "\\infty ", "−∞": "-\\infty ", "ℓ": "\\ell ", δ: "\\delta ", η: "\\eta ", λ: "\\lambda ", β: "\\beta ", μ: "\\mu ", ρ: "\\rho ",
  ε: "\\varepsilon ", π: "\\pi ", α: "\\alpha ", exp: "\\exp", ln: "\\ln", tanh: "\\tanh", max: "\\max", cos: "\\cos", sin: "\\sin",
  "\u2061": "", "~": "\\sim ",
}; // prettier-ignore

/** Words in a formula; a colon at their end stands behind them. @param {string} text */
function words(text) {
  const [, said, colon] = /** @type {RegExpExecArray} */ (/^(.*?)(:?)\s*$/.exec(text));
  return `\\text{${said.replace(/[#$%&_{}]/g, "\\$&").replaceAll("\u00a0", " ")}}${colon}`;
}

/** An element of MathML. @param {Element} element @returns {string} */
export function latexOf(element) {
  const text = element.textContent ?? "";
  const parts = Array.from(element.children, latexOf);
  const [base, ...rest] = parts;
  const raisable = base && /[\^_]|\\frac/.test(base) ? `{${base}}` : base;
  switch (element.localName) {
    case "mtext":
      return words(text);
    case "mo":
      if ("([|".includes(text) && element.getAttribute("stretchy") !== "false") return `\\left${text}`;
      if (")]".includes(text) && element.getAttribute("stretchy") !== "false") return `\\right${text}`;
      return SIGNS[text] ?? text;
    case "mi":
      return SIGNS[text] ?? (text.length > 1 ? `\\mathrm{${text.replaceAll("_", "\\_")}}` : text);
    case "mn":
      return text.replaceAll("−", "-");
    case "mfrac":
      return `\\frac{${base}}{${rest[0]}}`;
    case "msqrt":
      return `\\sqrt{${parts.join("")}}`;
    case "msub":
      return `${raisable}_{${rest[0]}}`;
    case "msup":
      return `${raisable}^{${rest[0]}}`;
    case "msubsup":
      return `${raisable}_{${rest[0]}}^{${rest[1]}}`;
    case "mover":
      return `\\tilde{${base}}`;
    default:
      return parts.length ? parts.join("") : text;
  }
}

/** A line as rows of an align*. @param {import("../asked.js").Asked} line */
function rowsOf({ id, symbol, parts }) {
  const read = (/** @type {string} */ html) => new DOMParser().parseFromString(html, "text/html").body;
  const left = latexOf(/** @type {Element} */ (read(symbol).querySelector("math")));
  const rows = [""];
  let used = 0;
  for (const part of read(parts).children) {
    const pieces = part.localName === "math" ? [part] : [...part.children];
    const wide = pieces.reduce((n, piece) => n + (piece.textContent ?? "").length, 0);
    pieces.forEach((piece, k) => {
      const own = (piece.textContent ?? "").length;
      const isFull = used > 0 && used + (k === 0 ? Math.min(wide, ROOM) : own) > ROOM;
      if (isFull) [used] = [rows.push(k ? "\\quad " : "") && 0];
      rows[rows.length - 1] += `${latexOf(piece)} `;
      used += own;
    });
  }
  return rows.map((row, k) => `${k ? "" : left} &${row.trim()} \\\\${k ? "" : ` % ${id}`}`).join("\n");
}

/** The whole step of a sample. @param {import("../asked.js").Worked} step @param {number} s */
function allOf({ plan: { sizes } }, s) {
  const last = sizes.length - 1;
  /** @type {Map<string, string[]>} */
  const found = new Map();
  const take = (/** @type {string} */ of) => {
    for (const { title, ids } of idsAbout(of, s, last)) found.set(title, [...(found.get(title) ?? []), ...ids]);
  };
  const neurons = sizes.flatMap((n, layer) => (layer ? Array.from({ length: n }, (_, j) => `n.${layer}.${j}`) : []));
  neurons.forEach(take);
  take("loss");
  const [forward, backward, update] = ["forward", "backward", "update"].map((key) => told(key));
  const weights = sizes.slice(1).flatMap((n, l) => Array.from({ length: sizes[l] * n }, (_, k) => [`dW.${l + 1}`, `W.${l + 1}.after`].map((w) => `${w}[${Math.floor(k / n)},${k % n}]`)));
  found.set(update, [...weights.flat(), ...(found.get(update) ?? [])]);
  found.set(backward, [...(found.get(backward) ?? [])].reverse());
  const order = [forward, told("loss"), backward, update, told("after")];
  return order.flatMap((title) => (found.has(title) ? [{ title, ids: /** @type {string[]} */ (found.get(title)) }] : []));
}

/** What is asked about, or the whole step for the sample that is shown. @returns {Promise<import("./files.js").Taken>} */
export async function latex() {
  const found = await stepThatComes();
  const s = sample.value;
  const sections = about.value ? idsAbout(about.value, s, found.plan.sizes.length - 1) : allOf(found, s);
  const n = sections.reduce((all, { ids }) => all + ids.length, 0);
  if (n > MOST) throw new Error(told("away too long", { n, most: MOST }));
  const title = told("the step that comes", { step: found.step + 1, rows: found.rows.length, row: found.rows[s] + 1 });
  const body = sections.flatMap(({ title: section, ids }) => {
    const lines = ids.map((id) => lineAbout(id)).filter((line) => line !== null);
    if (!lines.length) return [];
    const rows = lines.map(rowsOf).join("\n").replace(/ \\\\( % \S+)?$/, "$1");
    return [...(section ? [`\\section*{${section}}`] : []), "\\begin{align*}", rows, "\\end{align*}"];
  });
  const head = facts.language === "zh" ? ["% xelatex", "\\documentclass[a4paper,fleqn]{ctexart}"] : ["\\documentclass[a4paper,fleqn]{article}"];
  const content = [
    ...head, "\\usepackage[margin=2cm]{geometry}", "\\usepackage{amsmath}", "\\allowdisplaybreaks", "\\begin{document}",
    `\\noindent ${title}`, ...body, "\\end{document}", "",
  ].join("\n"); // prettier-ignore
  return { ending: ".tex", type: "application/x-tex", content };
}
