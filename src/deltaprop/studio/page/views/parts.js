// Small parts that views are made of.

import { html, signal, useEffect, useRef } from "../vendored/preact.js";

/** Which panel below the views is open. */
export const panel = signal("ask");

/** A choice from a list. @param {{ label: string, value: string | number, options: [string | number, string][],
 *  onChoose: (value: string) => void, id: string, name?: string }} given  name: for whoever does not see the label */
export function Choice({ label, value, options, onChoose, id, name }) {
  return html`<label class="choice" for=${id}><span>${label}</span>
    <select id=${id} aria-label=${name} value=${String(value)} onChange=${(/** @type {any} */ event) => onChoose(event.target.value)}>
      ${options.map(([key, text]) => html`<option value=${String(key)} selected=${String(key) === String(value)}>${text}</option>`)}
    </select></label>`;
}

/** A number from a range. @param {{ label: string, value: number, least: number, most: number, step: number,
 *  shown?: string, onChange: (value: number) => void, id: string }} given */
export function Range({ label, value, least, most, step, shown, onChange, id }) {
  return html`<label class="range" for=${id}><span>${label}<output>${shown ?? value}</output></span>
    <input id=${id} type="range" min=${least} max=${most} step=${step} value=${value}
      onChange=${(/** @type {any} */ event) => onChange(Number(event.target.value))} /></label>`;
}

/** How each canvas is drawn, for whoever wants it once more. @type {WeakMap<HTMLCanvasElement, (canvas: HTMLCanvasElement) => void>} */
export const drawers = new WeakMap();

/** A canvas that is drawn anew when `drawn` changes. @param {{ draw: (canvas: HTMLCanvasElement) => void, drawn: unknown,
 *  label?: string, class?: string }} given */
export function Picture({ draw, drawn, label, class: kind }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    if (!ref.current) return;
    drawers.set(ref.current, draw);
    draw(ref.current);
  }, [drawn]);
  return label
    ? html`<canvas ref=${ref} class=${kind} role="img" aria-label=${label}></canvas>`
    : html`<canvas ref=${ref} class=${kind} aria-hidden="true"></canvas>`;
}
