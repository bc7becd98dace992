// Elements of the page: found, made, filled and read.

/** @param {string} selector @returns {HTMLElement[]} */
export function all(selector) {
  return Array.from(document.querySelectorAll(selector));
}

/** @param {string} tag @param {string} kind its class @returns {HTMLElement} */
export function made(tag, kind) {
  const element = document.createElement(tag);
  element.className = kind;
  return element;
}

/** Put elements, written as text, into an element in place of what it has.
 *  @param {Element} element @param {string} text */
export function put(element, text) {
  const tag = element.localName;
  const inner = `<${tag}>${text}</${tag}>`;
  const [before, behind] =
    tag === "tbody"
      ? ["<table>", "</table>"]
      : tag === "td"
        ? ["<table><tr>", "</tr></table>"]
        : element.namespaceURI?.endsWith("MathML") && tag !== "math"
          ? ["<math>", "</math>"]
          : ["", ""];
  const parsed = new DOMParser().parseFromString(`${before}${inner}${behind}`, "text/html");
  element.replaceChildren(...(parsed.querySelector(tag)?.childNodes || []));
}

/** The result that a line shows, as JavaScript reads it. @param {HTMLElement} line */
export function resultOf(line) {
  const shown = line.querySelector(line.classList.contains("given") ? ".number" : ".result");
  if (!shown) return "";
  const power = shown.querySelector("msup");
  const text = power
    ? `${shown.querySelector("mn")?.textContent}e${power.lastElementChild?.textContent}`
    : (shown.textContent || "").slice(1);
  return text.replaceAll("\u2212", "-").replace("∞", "Infinity");
}
