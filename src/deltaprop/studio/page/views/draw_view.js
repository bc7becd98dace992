// A board to draw a set on: with the mouse, with a finger, with keys.

import { CLASSES, css, glyph } from "../drawing.js";
import { EDGE, MOST_CLASSES, MOST_DRAWN } from "../drawn.js";
import { askFor, clear, cursor, isFull, lift, ofClass, ofNumber, points, press, task, tool, typed } from "../drawing_board.js";
import { short, told } from "../facts.js";
import { html, signal, useEffect, useRef } from "../vendored/preact.js";
import { Range } from "./parts.js";

const EVERY = 45; // milliseconds between two points of the spray
const isTyping = signal(false); // whether the board has the keyboard

/** A number as a colour: blue above 0, orange below, the paler the nearer to it. @param {number} value */
const shade = (value) => ({ fill: css(CLASSES[value > 0 ? 0 : 4]), opacity: 0.25 + 0.75 * Math.abs(value) });

/** @param {{ point: import("../drawn.js").Drawn }} given */
function Point({ point: { x, y, answer } }) {
  if (task.value === "numbers") {
    const { fill, opacity } = shade(answer);
    return html`<circle cx=${x} cy=${-y} r="0.035" fill=${fill} fill-opacity=${opacity} stroke=${fill} stroke-width="0.008" />`;
  }
  const color = css(CLASSES[answer]);
  return html`<path d=${glyph(answer, x, -y, 0.035)} fill=${color} stroke=${answer > 3 ? color : "var(--paper)"} stroke-width=${answer > 3 ? 0.02 : 0.008} />`;
}

function Board() {
  const ref = useRef(/** @type {SVGSVGElement | null} */ (null));
  const at = useRef(/** @type {[number, number] | null} */ (null)); // where it is pressed
  /** @param {PointerEvent} event @returns {[number, number]} */
  const placeOf = (event) => {
    const { left, top, width, height } = /** @type {SVGSVGElement} */ (ref.current).getBoundingClientRect();
    return [((event.clientX - left) / width) * 2 * EDGE - EDGE, EDGE - ((event.clientY - top) / height) * 2 * EDGE];
  };
  useEffect(() => {
    const timer = setInterval(() => at.current && press(at.current[0], at.current[1], false), EVERY);
    return () => clearInterval(timer);
  }, []);
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    const [x, y] = placeOf(event);
    at.current = [x, y];
    cursor.value = { x, y };
    press(x, y, true);
  };
  const up = () => {
    at.current = null;
    lift();
  };
  const keyed = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !typed(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { x, y } = cursor.value;
  return html`<svg ref=${ref} id="board" class="board" viewBox=${`${-EDGE} ${-EDGE} ${2 * EDGE} ${2 * EDGE}`} tabindex="0" role="application"
      aria-label=${told("board")} aria-describedby="board-keys" onPointerDown=${down} onPointerMove=${(/** @type {PointerEvent} */ event) => at.current && (at.current = placeOf(event))}
      onPointerUp=${up} onPointerCancel=${up} onKeyDown=${keyed} onFocus=${() => (isTyping.value = true)} onBlur=${() => (isTyping.value = false)}>
    <path class="axes" d=${`M${-EDGE} 0H${EDGE}M0 ${-EDGE}V${EDGE}`} />
    ${points.value.map((/** @type {import("../drawn.js").Drawn} */ point) => html`<${Point} point=${point} />`)}
    ${isTyping.value && html`<path class="cursor" d=${`M${x - 0.09} ${-y}h0.18M${x} ${-y - 0.09}v0.18`} />`}</svg>`;
}

/** Which class points get. */
function Classes() {
  return html`<div class="of-class" role="radiogroup" aria-label=${told("class to draw")}>${Array.from({ length: MOST_CLASSES }, (_, k) => {
    const color = css(CLASSES[k]);
    return html`<button type="button" role="radio" id=${`class-${k + 1}`} aria-checked=${ofClass.value === k} aria-label=${told("class", { k: k + 1 })} title=${told("class", { k: k + 1 })}
      onClick=${() => ((ofClass.value = k), (tool.value = "paint"))}><svg viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true"><path d=${glyph(k, 0, 0, 1)} fill=${color} stroke=${color} stroke-width="0.3" /></svg></button>`;
  })}</div>`;
}

export function DrawView() {
  const isOf = (/** @type {"classes" | "numbers"} */ of) => html`<label><input type="radio" name="drawn-task" id=${`draw-${of}`} checked=${task.value === of} onChange=${() => askFor(of)} />${told(`draw ${of}`)}</label>`;
  const toolButton = (/** @type {"paint" | "erase"} */ name) => html`<button type="button" id=${`tool-${name}`} aria-pressed=${tool.value === name} onClick=${() => (tool.value = name)}>${told(name)}</button>`;
  const { x, y } = cursor.value;
  const count = points.value.length;
  return html`<div class="draw">
    <p class="choose">${isOf("classes")}${isOf("numbers")}</p>
    ${task.value === "classes" ? html`<${Classes} />` : html`<${Range} id="draw-number" label=${told("number to draw")} value=${ofNumber.value} least=${-1} most=${1} step=${0.05} onChange=${(/** @type {number} */ v) => (ofNumber.value = v)} />`}
    <${Board} />
    <p class="draw-tools">${toolButton("paint")}${toolButton("erase")}<button type="button" id="clear-drawn" disabled=${count === 0} onClick=${clear}>${told("clear drawn")}</button></p>
    <p class="hint" id="drawn-count" role="status">${isFull.value ? told("drawn full", { most: MOST_DRAWN }) : count ? told("drawn count", { count }) : told("drawn none")}${isTyping.value ? ` ${told("drawn cursor", { x: short(x, 3), y: short(y, 3) })}` : ""}</p>
    <details class="hint"><summary>${told("drawn keys title")}</summary><p id="board-keys">${told("drawn keys")}</p></details></div>`;
}
