// Stepping, clicking through and lighting up. The page is complete without this script; it reads
// everything from the page itself: an element with data-id shows the number of that id, and the
// list item whose id is that id tells where the number comes from.
(() => {
  "use strict";

  /** @param {string} sample */
  function chooseSample(sample) {
    for (const picture of document.querySelectorAll(".picture")) {
      const figure = /** @type {HTMLElement} */ (picture);
      figure.hidden = figure.dataset.sample !== sample;
    }
    for (const tab of document.querySelectorAll("button[data-sample]")) {
      tab.setAttribute("aria-pressed", String(tab.getAttribute("data-sample") === sample));
    }
    fit();
  }

  /** What is wider than its place can be scrolled with the keyboard; what is fixed above the lines
   *  leaves them room. */
  function fit() {
    const overview = document.getElementById("overview");
    const fixed = overview && getComputedStyle(overview).position === "sticky";
    const height = fixed ? `${overview.offsetHeight}px` : "0px";
    document.documentElement.style.setProperty("--picture", height);
    const all = document.querySelectorAll(".scroll, .equation, .parts > span, #overview");
    // what is folded has no width, and would have to be laid out to be asked for it
    const frames = Array.from(all).filter((frame) => !frame.closest("details:not([open])"));
    const wide = frames.map(
      (frame) => frame.scrollWidth > frame.clientWidth + 1 || frame.scrollHeight > frame.clientHeight + 1,
    );
    frames.forEach((frame, at) => {
      if (wide[at]) frame.setAttribute("tabindex", "0");
      else frame.removeAttribute("tabindex");
    });
  }
  for (const tab of document.querySelectorAll("button[data-sample]")) {
    tab.addEventListener("click", () => chooseSample(tab.getAttribute("data-sample") || "0"));
  }
  for (const tabs of document.querySelectorAll(".samples")) {
    /** @type {HTMLElement} */ (tabs).hidden = false;
  }
  chooseSample("0");
  window.addEventListener("resize", fit);
  for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", fit);
  window.addEventListener("beforeprint", () => {
    if (document.querySelector(".further")) return; // of very many numbers, what somebody opened
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });

  /** @type {HTMLElement[]} */
  const lines = Array.from(document.querySelectorAll("li.line"));
  const inspector = document.getElementById("inspector");
  if (!inspector || !lines.length) return;
  const allSteps = lines.filter((line) => line.classList.contains("step"));
  let steps = allSteps;
  const byId = new Map(lines.map((line) => [line.id, line]));

  /** @type {Map<string, string[]>} */
  const madeOf = new Map();
  /** @type {Map<string, string[]>} */
  const goesInto = new Map();
  /** Where an id is drawn: in the pictures and in the matrices. @type {Map<string, Element[]>} */
  const drawn = new Map();

  /** Read from the page what is made of what, and where it is drawn. */
  function readPage() {
    drawn.clear();
    steps = allSteps.filter((line) => !line.hidden);
    for (const line of lines) goesInto.set(line.id, []);
    for (const line of steps) {
      const ids = Array.from(line.querySelectorAll(".symbols [data-id]"), idOf);
      const operands = [...new Set(ids)].filter((id) => id !== line.id);
      madeOf.set(line.id, operands);
      for (const id of operands) goesInto.get(id)?.push(line.id);
    }
    for (const element of document.querySelectorAll(".network [data-id], .equation [data-id]")) {
      const also = (element.getAttribute("data-also") || "").split(" ");
      for (const id of new Set([idOf(element), ...also])) {
        if (!drawn.has(id)) drawn.set(id, []);
        drawn.get(id)?.push(element);
      }
    }
  }
  readPage();
  // the page was written with other numbers
  document.addEventListener("numbers", () => {
    readPage();
    fit();
    show(current, { scroll: false });
  });

  /** @type {HTMLElement} */
  let current = steps[0] || lines[0];
  let place = 0; // of the stepper, also while a given number is shown
  /** @type {HTMLElement[]} */
  const trail = [];

  /** @param {Element} element @returns {string} */
  function idOf(element) {
    return element.getAttribute("data-id") || "";
  }

  /** @param {string} selector @returns {HTMLElement} */
  function part(selector) {
    return /** @type {HTMLElement} */ (inspector?.querySelector(selector));
  }

  /** The symbol of a line, and with it its number if asked for.
   *  @param {HTMLElement} line @param {boolean} withNumber @returns {Node[]} */
  function formulaOf(line, withNumber) {
    const given = line.classList.contains("given");
    const found = line.querySelectorAll(given ? ".symbol, .number" : ".left, .result");
    return Array.from(found).slice(0, withNumber ? 2 : 1).map((math) => {
      const copy = /** @type {Element} */ (math.cloneNode(true));
      // a copy only shows; it is no second place to click
      copy.removeAttribute("class");
      for (const element of copy.querySelectorAll("[data-id]")) element.removeAttribute("data-id");
      return copy;
    });
  }

  /** Show a line, and what it is made of.
   *  @param {HTMLElement} line @param {{focus?: boolean, scroll?: boolean}} how */
  function show(line, { focus = false, scroll = true } = {}) {
    current.classList.remove("current");
    current.removeAttribute("aria-current");
    current.tabIndex = -1;
    for (const element of document.querySelectorAll(".lit, .network .current")) {
      element.classList.remove("lit", "current");
    }
    current = line;
    const at = steps.indexOf(line);
    if (at >= 0) place = at;
    line.classList.add("current");
    line.setAttribute("aria-current", "step");
    line.tabIndex = 0;
    line.closest("details")?.setAttribute("open", "");
    showSample(line.id);
    showWeights(line.closest("#phase-after") !== null);
    for (const id of madeOf.get(line.id) || []) {
      for (const element of drawn.get(id) || []) element.classList.add("lit");
    }
    for (const element of drawn.get(line.id) || []) {
      element.classList.add(element.closest(".network") ? "current" : "lit");
    }
    tell();
    const node = document.querySelector(".picture:not([hidden]) .current");
    if (node) bringIntoView(node);
    if (scroll) line.scrollIntoView({ block: focus ? "nearest" : "center" });
    if (focus) line.focus({ preventScroll: true });
  }

  /** Scroll the picture, and only the picture, to one of its nodes. @param {Element} node */
  function bringIntoView(node) {
    const at = node.getBoundingClientRect();
    for (const frame of [node.closest(".scroll"), node.closest("section")]) {
      if (!frame) continue;
      const around = frame.getBoundingClientRect();
      if (at.left < around.left || at.right > around.right) {
        frame.scrollLeft += (at.left + at.right - around.left - around.right) / 2;
      }
      if (at.top < around.top || at.bottom > around.bottom) {
        frame.scrollTop += (at.top + at.bottom - around.top - around.bottom) / 2;
      }
    }
  }

  /** Fill the panel. */
  function tell() {
    const form = part(".place").dataset.form || "";
    /** @type {Record<string, string>} */
    const numbers = { "{number}": String(place + 1), "{count}": String(steps.length) };
    part(".place").textContent = form.replace(/\{\w+\}/g, (key) => numbers[key]);
    part(".now-formula").replaceChildren(...formulaOf(current, true));
    part("code").textContent = current.id;
    fill("made-of", madeOf.get(current.id) || []);
    fill("goes-into", goesInto.get(current.id) || []);
    enable("first", place > 0 || current !== steps[0]);
    enable("previous", place > 0 || current !== steps[0]);
    enable("next", place < steps.length - 1);
    enable("last", place < steps.length - 1);
    enable("back", trail.length > 0);
    const crumbs = trail.map((line, depth) => {
      const crumb = document.createElement("li");
      crumb.append(button(line, false, () => goBack(depth)));
      return crumb;
    });
    if (crumbs.length) {
      const here = document.createElement("li");
      const label = document.createElement("span");
      label.setAttribute("aria-current", "location");
      label.append(...formulaOf(current, false));
      here.append(label);
      crumbs.push(here);
    }
    const list = part(".trail");
    list.replaceChildren(...crumbs);
    list.scrollLeft = list.scrollWidth;
    document.dispatchEvent(new Event("shown"));
  }

  /** @param {string} name @param {string[]} ids */
  function fill(name, ids) {
    const list = /** @type {HTMLElement} */ (document.getElementById(name));
    const items = ids.map((id) => {
      const item = document.createElement("li");
      const line = byId.get(id);
      if (line) item.append(button(line, true, () => follow(line)));
      return item;
    });
    if (!items.length) {
      const item = document.createElement("li");
      item.textContent = list.dataset.empty || "";
      items.push(item);
    }
    list.replaceChildren(...items);
  }

  /** @param {HTMLElement} line @param {boolean} withNumber @param {() => void} act */
  function button(line, withNumber, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.dataset.line = line.id;
    made.title = line.id;
    made.append(...formulaOf(line, withNumber));
    made.addEventListener("click", act);
    return made;
  }

  /** @param {string} go @param {boolean} possible */
  function enable(go, possible) {
    const found = /** @type {HTMLButtonElement} */ (part(`[data-go="${go}"]`));
    // a button that has the focus keeps it, so that the keyboard does not lose its place
    if (!possible && document.activeElement === found) current.focus({ preventScroll: true });
    found.disabled = !possible;
  }

  /** Show the pictures with the new weights and what they give, or as they were.
   *  @param {boolean} again */
  function showWeights(again) {
    for (const text of /** @type {NodeListOf<SVGElement>} */ (
      document.querySelectorAll(".network [data-again]")
    )) {
      text.dataset.before ??= text.textContent || "";
      text.textContent = (again ? text.dataset.again : text.dataset.before) || "";
    }
  }

  /** Show the picture of the sample that an id is about. @param {string} id */
  function showSample(id) {
    const pictures = document.querySelectorAll(".picture");
    if (pictures.length < 2) return;
    const drawnIn = (drawn.get(id) || [])
      .map((element) => element.closest(".picture"))
      .filter((picture) => picture !== null);
    if (!drawnIn.length) return;
    const shown = document.querySelector(".picture:not([hidden])");
    if (!shown || !drawnIn.includes(shown)) {
      chooseSample(/** @type {HTMLElement} */ (drawnIn[0]).dataset.sample || "0");
    }
  }

  /** Go to a number that was clicked, and remember the way. @param {HTMLElement} line */
  function follow(line) {
    if (line === current) return;
    trail.push(current);
    show(line, { focus: true });
  }

  /** Go back, to the last number of the trail or to one further up. @param {number} depth */
  function goBack(depth = trail.length - 1) {
    if (depth < 0) return;
    const [line] = trail.splice(depth);
    show(line, { focus: true });
  }

  /** @type {Record<string, (focus: boolean) => void>} */
  const actions = {
    first: (focus) => show(steps[0], { focus }),
    previous: (focus) => {
      // from a given number, back to the step that was left
      const to = current === steps[place] ? place - 1 : place;
      show(steps[Math.max(to, 0)], { focus });
    },
    next: (focus) => {
      const to = current === steps[place] ? place + 1 : place;
      show(steps[Math.min(to, steps.length - 1)], { focus });
    },
    last: (focus) => show(steps[steps.length - 1], { focus }),
    back: () => goBack(),
  };
  /** @type {Record<string, string>} */
  const keys = {
    ArrowRight: "next", ArrowDown: "next", ArrowLeft: "previous", ArrowUp: "previous",
    Home: "first", End: "last", Backspace: "back",
  };

  for (const element of inspector.querySelectorAll("[data-go]")) {
    const go = element.getAttribute("data-go") || "";
    element.addEventListener("click", () => actions[go](false));
  }

  document.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target instanceof HTMLInputElement) return;
    // up and down scroll, unless a line has the focus
    const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (vertical && document.activeElement !== current) return;
    event.preventDefault();
    actions[action](true);
  });

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const clicked = event.target.closest("[data-id]");
    const line = clicked && byId.get(idOf(clicked));
    if (line) {
      follow(line);
      return;
    }
    const own = event.target.closest("li.line");
    if (own instanceof HTMLElement) show(own, { scroll: false });
  });

  /** Light up what the pointer is on. @param {Event} event @param {boolean} on */
  function hover(event, on) {
    const target = event.target instanceof Element ? event.target : null;
    const term = target?.closest("[data-id]");
    const id = term ? idOf(term) : target?.closest("li.line")?.id;
    for (const element of drawn.get(id || "") || []) element.classList.toggle("hovered", on);
  }
  document.addEventListener("pointerover", (event) => hover(event, true));
  document.addEventListener("pointerout", (event) => hover(event, false));

  function showAddressed() {
    const line = byId.get(decodeURIComponent(location.hash.slice(1)));
    if (line) show(line, { focus: true });
    return Boolean(line);
  }
  window.addEventListener("hashchange", showAddressed);

  document.body.classList.add("scripted-page");
  inspector.hidden = false;
  for (const element of document.querySelectorAll(".scripted")) {
    /** @type {HTMLElement} */ (element).hidden = false;
  }
  fit();
  for (const line of lines) line.tabIndex = -1;
  if (!showAddressed()) show(current, { scroll: false });
})();
