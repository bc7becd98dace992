// Cases answered by an engine: a network is made of a description and called, one method after another.

/** What JSON can hold of a value. */
function plain(value) {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value, plain);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

/** { description, calls }: each call is [method, ...arguments], or [property]; an argument { back: i } is what call i
 *  gave. The answer has what each gave, or { refused: sentence } for those that threw one. */
function answer(engine, { description, calls }) {
  const given = [];
  let network = null;
  const attempt = (work) => {
    try {
      given.push(work());
    } catch (error) {
      if (error.name !== "EngineError") throw error;
      given.push({ refused: error.message });
    }
  };
  attempt(() => void (network = engine.create(description)));
  if (network === null) return plain(given);
  for (const [method, ...rest] of calls) {
    const sent = rest.map((each) => (each?.back === undefined ? each : given[each.back + 1]));
    attempt(() => {
      if (method === "create again") return void (network = engine.create(description));
      return typeof network[method] === "function" ? network[method](...sent) : network[method];
    });
  }
  network.free();
  return plain(given).slice(1);
}

/** How much memory there is after some rounds of a case, and after as many again. */
function memories(engine, { rounds, ...one }) {
  const after = () => {
    for (let i = 0; i < rounds; ++i) answer(engine, one);
    return engine.memory.buffer.byteLength;
  };
  return [after(), after()];
}

/** What is said where memory runs out, what then, and how many parameters a network of another engine has. */
function starved(engine, { description }) {
  const hungry = engine.again();
  for (let size = 2 ** 30; size >= 65536; size /= 2) {
    try {
      for (;;) hungry.allocAll([size]); // nobody writes to it, so that it costs nothing
    } catch (error) {
      if (error.name !== "EngineError") throw error;
    }
  }
  const attempt = () => {
    try {
      return hungry.create(description);
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
  return [attempt(), attempt(), hungry.fault, hungry.again().create(description).nParameters];
}

/** @param {import("../../src/deltaprop/studio/page/engine.js").Engine} engine */
export function answersTo(engine, cases) {
  const kinds = { memories, starved, answer };
  return cases.map((one) => kinds[one.ask ?? "answer"](engine, one));
}
