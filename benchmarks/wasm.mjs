// The engine of the page, timed: node wasm.mjs FOLDER, which has engine.js and engine.wasm; what to time comes in.
import { readFileSync } from "node:fs";

const folder = process.argv[2];
const spec = JSON.parse(readFileSync(0, "utf-8"));
const { loadEngine } = await import(`${folder}/engine.js`);
const bytes = readFileSync(`${folder}/engine.wasm`);

/** The least milliseconds of processor time of some calls, and those in the middle: what else runs is not counted. */
function times(repeats, work) {
  const each = Array.from({ length: repeats }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  return { best: each[0], median: each[repeats >> 1] };
}

const before = performance.now();
const engine = await loadEngine(bytes);
const ready = performance.now() - before;

const networks = spec.networks.map(({ description, parameters, x, labels, steps }) => {
  const network = engine.create(description);
  network.setParameters(parameters);
  network.setLearningRate(0.001);
  network.setRows("training", { x, labels });
  network.run(2 * steps); // until the machine code is the fast one
  return { ...times(spec.repeats, () => network.run(steps)), steps };
});

const small = engine.create(spec.networks[0].description);
small.setParameters(spec.networks[0].parameters);
small.setLearningRate(0.001);
small.setRows("training", spec.networks[0]);
const axes = { origin: [-1, -1], across: [0.02, 0], down: [0, 0.02], columns: 100, rows: 100 };
const start = small.snapshot();
small.run(500);
console.log(JSON.stringify({
  ready, networks,
  field: times(spec.repeats, () => small.field(axes)),
  everyNeuron: times(spec.repeats, () => small.field(axes, 0)),
  trace: times(spec.repeats, () => small.trace()),
  back: times(spec.repeats, () => { small.restore(start); small.run(500); }),
  memory: engine.memory.buffer.byteLength,
}));
