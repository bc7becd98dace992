// The guided tour: a bar at the foot of the page, and a ring around what it is about. The studio stays in use.

import { told } from "../facts.js";
import { STEPS, doIt, goToStep, isDone, leaveTour, openTour, tourAt } from "../tour.js";
import { html, useEffect, useRef } from "../vendored/preact.js";

/** The element that a step is about now. @param {number} at @returns {HTMLElement | null} */
function targetOf(at) {
  const { target, until, then } = STEPS[at];
  return document.querySelector(until && isDone.value && then ? then : target);
}

/** A ring around what the step is about, wherever it stands by now. @param {{ at: number }} given */
function Ring({ at }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    let frame = 0;
    const follow = () => {
      const [ring, box] = [ref.current, targetOf(at)?.getBoundingClientRect()];
      if (ring) {
        ring.hidden = !box;
        if (box) ring.style.cssText = `left:${box.left - 6}px;top:${box.top - 6}px;width:${box.width + 12}px;height:${box.height + 12}px`;
      }
      frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [at]);
  return html`<div class="tour-ring" ref=${ref} hidden aria-hidden="true"></div>`;
}

/** Bring what the step is about into view; with the focus, if that is asked for. @param {number} at @param {boolean} withFocus */
function show(at, withFocus) {
  const target = targetOf(at);
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target?.scrollIntoView({ block: "center", behavior: isStill ? "auto" : "smooth" });
  if (withFocus) target?.focus({ preventScroll: true });
}

export function TourView() {
  const at = tourAt.value;
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (at === null) return;
    title.current?.focus({ preventScroll: true });
    show(at, false);
  }, [at]);
  useEffect(() => {
    if (at !== null && isDone.value && STEPS[at].then) show(at, false);
  }, [isDone.value]);
  if (at === null) return null;
  const { name, until } = STEPS[at];
  const isLast = at === STEPS.length - 1;
  const close = () => {
    leaveTour();
    document.getElementById("tour")?.focus();
  };
  return html`<${Ring} at=${at} /><div class="tour-room"></div>
    <section class="tour" role="region" aria-label=${told("tour")} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close()}>
      <div class="tour-said"><h2 id="tour-title" tabindex="-1" ref=${title}>${told("tour title", { k: at + 1, title: told(`tour ${name} title`) })}</h2>
        <p>${told(`tour ${name}`)}</p>
        ${until && html`<p class="tour-do" data-done=${isDone.value}>${isDone.value ? "✓" : "→"} ${told(`tour ${name} do`)}</p>`}
        <p class="tour-after" role="status">${until && isDone.value ? told(`tour ${name} after`) : ""}</p></div>
      <div class="tour-tools">
        ${until && !isDone.value && html`<button type="button" id="tour-there" onClick=${() => show(at, true)}>${told("tour there")}</button>
          <button type="button" id="tour-show" onClick=${doIt}>${told("tour show")}</button>`}
        <select aria-label=${told("tour steps")} id="tour-step" value=${String(at)} onChange=${(/** @type {any} */ event) => goToStep(Number(event.target.value))}>
          ${STEPS.map((step, k) => html`<option value=${String(k)} selected=${k === at}>${told("tour title", { k: k + 1, title: told(`tour ${step.name} title`) })}</option>`)}</select>
        <button type="button" id="tour-back" disabled=${at === 0} onClick=${() => goToStep(at - 1)}>${told("tour back")}</button>
        <button type="button" id="tour-next" class="main" disabled=${!isDone.value} onClick=${() => (isLast ? close() : goToStep(at + 1))}>${told(isLast ? "tour end" : "tour next")}</button>
        <button type="button" id="tour-leave" aria-label=${told("tour leave")} title=${told("tour leave")} onClick=${close}>×</button></div></section>`;
}

/** The button that opens the tour. */
export function TourButton() {
  return html`<button type="button" id="tour" aria-pressed=${tourAt.value !== null} onClick=${() => (tourAt.value === null ? openTour() : leaveTour())}>${told("tour")}</button>`;
}
