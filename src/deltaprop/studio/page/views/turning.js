// Turning a neuron or an edge of the picture: by dragging it up or down, or with the arrows of the keyboard.

import { about, pointed } from "../asked.js";
import { knobOf, turnTo, turned } from "../changing.js";
import { ask } from "./ask_view.js";

const STILL = 4; // pixels that a hand may move in a click
const PER_PIXEL = 0.01; // of the number, or of a half where it is smaller

/** How much one pixel, or one press of an arrow, is. @param {number} from */
const unitOf = (from) => PER_PIXEL * Math.max(Math.abs(from), 0.5);

/** @param {number} value */
const tidy = (value) => Number(value.toPrecision(5));

let isDragged = false; // so that the click that ends it asks nothing

/** The place of the picture under an event. @param {Event} event @returns {HTMLElement | SVGElement | null} */
const elementAt = (event) => /** @type {Element} */ (event.target).closest("[data-neuron], .edge, .edge-hit");

/** @param {HTMLElement | SVGElement} element */
const placeAt = (element) => String(element.dataset.neuron ?? element.dataset.id ?? element.dataset.edge);

/** What the picture does where it is clicked, dragged, or has the focus: of all of it, for it has many parts. */
export const TURNING = {
  onPointerDown: (/** @type {PointerEvent} */ event) => {
    const element = elementAt(event);
    if (element) drag(placeAt(element), event);
  },
  onClick: (/** @type {MouseEvent} */ event) => {
    const element = elementAt(event);
    if (element && !isDragged) ask(placeAt(element));
    isDragged = false;
  },
  onMouseOver: (/** @type {MouseEvent} */ event) => {
    const element = elementAt(event);
    pointed.value = element ? placeAt(element) : null;
  },
  onMouseLeave: () => (pointed.value = null),
  onKeyDown: (/** @type {KeyboardEvent} */ event) => {
    const element = elementAt(event);
    if (element) pressed(placeAt(element), event);
  },
};

/** @param {string} id @param {PointerEvent} event */
function drag(id, event) {
  isDragged = false;
  // a finger scrolls the page, but for what was chosen before
  if (event.button !== 0 || (event.pointerType === "touch" && about.value !== id)) return;
  const knob = knobOf(id);
  if (knob === null || knob.kind === "rate") return;
  const { clientY: start } = event;
  const from = knob.value;
  const moved = (/** @type {PointerEvent} */ other) => {
    const by = start - other.clientY;
    if (!isDragged && Math.abs(by) < STILL) return;
    if (!isDragged && about.value !== id) ask(id);
    isDragged = true;
    void turnTo(id, tidy(from + by * unitOf(from)));
  };
  const ending = new AbortController();
  const over = () => {
    ending.abort();
    turned();
  };
  // a hand leaves a thin line at once
  window.addEventListener("pointermove", moved, { signal: ending.signal });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, over, { signal: ending.signal });
}

/** @param {string} id */
const focus = (id) => requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`.picture [data-neuron="${id}"], .edge[data-id="${id}"]`))?.focus());

/** Up and down turn it; left and right go along the edges, page up and down from one edge of a neuron to the next.
 *  @param {string} id @param {KeyboardEvent} event */
function pressed(id, event) {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const to = by === undefined ? besides(id, event.key) : null;
  if (id === "loss" || (by === undefined && to === null && !["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (by === undefined) {
    if (to?.startsWith("w") || to === null) ask(to ?? id);
    if (to) focus(to);
    return;
  }
  const knob = knobOf(id);
  if (knob === null || knob.kind === "rate") return;
  if (about.value !== id) ask(id);
  void turnTo(id, tidy(knob.value + by * unitOf(knob.value) * (event.shiftKey ? 10 : 1))).then(turned);
}

/** Where a key leads from a place. @param {string} id @param {string} key */
function besides(id, key) {
  const [kind, first, second, third] = id.split(".");
  if (kind === "n") return key === "ArrowLeft" && first !== "0" ? `w.${first}.0.${second}` : null;
  if (kind !== "w") return null;
  if (key === "ArrowLeft") return `n.${Number(first) - 1}.${second}`;
  if (key === "ArrowRight") return `n.${first}.${third}`;
  const by = { PageUp: -1, PageDown: 1 }[key];
  const edges = Array.from(document.querySelectorAll(`.edge[data-id^="w.${first}."][data-id$=".${third}"]`), (edge) => edge.getAttribute("data-id"));
  return by === undefined ? null : (edges[(edges.indexOf(id) + by + edges.length) % edges.length] ?? null);
}
