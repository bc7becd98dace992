// The run as Python: the same data, network, first weights, batches and steps, by deltaprop's public names.

import { facts, told } from "../facts.js";
import { problemOf } from "../problem.js";
import { look, runToKeep } from "../run.js";
import { setup } from "../setup.js";
import { withBiases } from "../weights.js";

const WIDTH = 96;

/** Numbers, and lists of them, as Python reads them; long ones over several lines. @param {any} value @param {string} [indent]
 *  @returns {string} */
export function literal(value, indent = "") {
  if (!Array.isArray(value)) return String(value);
  const inside = `${indent}    `;
  const line = `[${value.map((each) => literal(each)).join(", ")}]`;
  if (line.length + indent.length <= WIDTH) return line;
  if (Array.isArray(value[0])) return `[\n${value.map((each) => `${inside}${literal(each, inside)},\n`).join("")}${indent}]`;
  const lines = [""];
  for (const each of value) {
    const text = `${literal(each)},`;
    const last = lines.length - 1;
    if (lines[last] && inside.length + lines[last].length + text.length >= WIDTH) lines.push(text);
    else lines[last] += lines[last] ? ` ${text}` : text;
  }
  return `[\n${lines.map((each) => `${inside}${each}\n`).join("")}${indent}]`;
}

/** W and b of each layer. @param {number[]} sizes @param {ArrayLike<number>} flat */
export function layersOf(sizes, flat) {
  let from = 0;
  const take = (/** @type {number} */ n) => Array.from({ length: n }, () => flat[from++]);
  return sizes.slice(1).map((n, l) => ({ W: Array.from({ length: sizes[l] }, () => take(n)), b: take(n) }));
}

/** Targets as the run is given them. @param {number[]} answers @param {number} classes @param {string} loss */
function targetsOf(answers, classes, loss) {
  const list = `np.array(${literal(answers)})`;
  if (!classes) return `${list}[:, None]`;
  return facts.losses[loss] === "distribution" ? list : `np.eye(${classes})[${list}]`;
}

/** Rows and targets as lines of Python: as they are, or where the server has read them, from the table's file.
 *  @param {import("../problem.js").Shown} shown */
function rowsIn({ training, held, classes, table, plan: { loss } }) {
  const { data, held: share } = setup.value;
  const isFile = data.name !== "own" || /\.(csv|tsv|txt|parquet)(\.gz)?$/i.test(data.file);
  if (table && facts.server !== null && isFile) {
    const [own, text] = [data.name === "own", JSON.stringify];
    const without = data.without === "" ? "" : `[${data.without.split("\n").map((name) => text(name)).join(", ")}]`;
    const choice = [text(table.target), text(data.task), `frozenset(${without})`, share, data.seed].join(", ");
    const targets = (/** @type {string} */ of) =>
      classes ? (facts.losses[loss] === "distribution" ? `chosen.${of}.t` : `np.eye(${classes})[chosen.${of}.t]`) : `chosen.${of}.t.reshape(-1, 1)`;
    const read = own ? "opened_file" : "built_in_table";
    const imports = own ? ["tables import Choice, opened_file"] : ["tables import Choice", "typed_columns import built_in_table"];
    return {
      imports: imports.map((line) => `from deltaprop.studio.${line}`),
      rows: [
        `table = ${read}(${text(own ? data.file : data.name)})${own ? "  # the file lies beside this one" : ""}`,
        `chosen = table.choose(Choice(${choice}))`,
        `X, y = chosen.training.x.copy(), ${targets("training")}`,
        ...(held.x.length ? ["", "# held out: these only judge", `X_held, y_held = chosen.held.x, ${targets("held")}`] : []),
      ],
    };
  }
  if (table && table.taken > training.x.length + held.x.length) throw new Error(told("code too large"));
  const rows = [`X = np.array(${literal(training.x)})`, `y = ${targetsOf(training.answers, classes, loss)}`];
  if (held.x.length) rows.push("", "# held out: these only judge", `X_held = np.array(${literal(held.x)})`, `y_held = ${targetsOf(held.answers, classes, loss)}`);
  return { imports: [], rows };
}

/** @returns {Promise<import("./files.js").Taken>} */
export async function code() {
  const { step, edits, changes = [], address } = await runToKeep();
  const { plan, arrays, shown } = problemOf(setup.value);
  const { sizes, activations, loss, learningRate, batchSize, seed, l2, l1, biases } = plan;
  const { name, ...settings } = plan.optimizer;
  const steps = /** @type {import("../run.js").Look} */ (look.value).stepsPerEpoch;
  const others = Object.entries(settings).filter(([key, value]) => value !== facts.optimizers[name][key]);
  const rule = (/** @type {number} */ eta) => `dp.${facts.rules[name]}(${[eta, ...others.map(([key, value]) => `${key}=${value}`)].join(", ")})`;
  const penalties = [["l2", l2], ["l1", l1]].flatMap(([key, value]) => (value ? [`, ${key}=${value}`] : [])); // prettier-ignore
  const first = layersOf(sizes, biases ? arrays.parameters : withBiases(arrays.parameters, sizes));
  const byHand = [...new Set([...edits.map(([at]) => at), ...changes.map((one) => one.step)])];
  const stops = [...byHand.filter((at) => at <= step).sort((a, b) => a - b), step];
  const whole = Math.floor(stops[0] / steps);
  const { imports, rows } = rowsIn(shown);
  const common = `optimizer=optimizer, batch_size=${batchSize}`;

  const lines = [
    `"""The first ${step} steps of a run of deltaprop studio (${facts.version}), repeated.`, "",
    `The run: ${address || "as usual"}. It needs: pip install deltaprop`, '"""', "",
    "import numpy as np", "", "import deltaprop as dp", ...imports, "from deltaprop.training.batches import epoch_order", "", ...rows,
  ]; // prettier-ignore
  lines.push(
    "", `net = dp.Network(${literal(sizes)}, ${JSON.stringify(activations)}, ${JSON.stringify(loss)}${penalties.join("")}${biases ? "" : ", bias=False"})`,
    "params = net.parameters(",
    `    W=${literal(first.map(({ W }) => W), "    ")},`,
    ...(biases ? [`    b=${literal(first.map(({ b }) => b), "    ")},`] : []),
    ")",
    `optimizer = ${rule(learningRate)}`,
    "state = {}  # what the optimizer keeps from step to step", "", "",
    "def take_steps(first, last):",
    '    """Take steps of epochs cut short; each epoch visits the rows in an order of its own."""',
    "    while first < last:",
    `        epoch, place = divmod(first, ${steps})`,
    `        n = min(last - first, ${steps} - place)`,
    `        rows = epoch_order(${seed}, epoch, len(X), True)[place * ${batchSize} : (place + n) * ${batchSize}]`,
    "        dp.train(",
    `            net, params, X[rows], y[rows], ${common},`,
    '            epochs=1, shuffle=False, dtype="float64", state=state,',
    "        )", "        first += n", "", "",
  ); // prettier-ignore
  if (whole) lines.push(`dp.train(net, params, X, y, ${common}, epochs=${whole}, seed=${seed}, dtype="float64", state=state)`);
  let now = whole * steps;
  stops.forEach((at, k) => {
    if (at > now) lines.push(`take_steps(${now}, ${at})`);
    now = at;
    if (k === stops.length - 1) return;
    lines.push("# here it was changed by hand");
    const flat = edits.find(([when]) => when === at)?.[1];
    if (flat) lines.push(`params.flat[:] = ${literal(flat)}`);
    for (const { learningRate: eta, rows } of changes.filter((one) => one.step === at)) {
      if (eta !== null) lines.push(`optimizer = ${rule(eta)}`);
      for (const [row, ...numbers] of rows) {
        lines.push(`X[${row}] = ${literal(numbers.slice(0, sizes[0]))}`);
        if (numbers.length > sizes[0]) lines.push(`y[${row}] = ${numbers[sizes[0]]}`);
      }
    }
  });
  lines.push("", `print("after step ${step}:", dp.backpropagate(net, params, X, y).data_loss, "is the loss")`);
  if (shown.held.x.length) lines.push('print("held out:", dp.backpropagate(net, params, X_held, y_held).data_loss)');
  return { ending: ".py", type: "text/x-python", content: `${lines.join("\n")}\n` };
}
