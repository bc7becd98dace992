// What is asked of whoever trains, and what is answered, by the kernels in the page (worker.js) and by the server
// (session.py) alike.

/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {{
 *   sizes: number[], activations: string[], loss: string, optimizer: Record<string, string | number>,
 *   learningRate: number, l2: number, l1: number, batchSize: number, seed: number, biases: boolean }} Plan
 *  sizes: inputs, then the neurons of each layer. activations: of the hidden layers. biases: whether there are any. optimizer: name and settings. */
/** @typedef {{
 *   openTable: { name: string, form: "file" | "built in" | "own" | "columns", size?: number, told?: any, rules?: any },
 *   choose: Choice,
 *   begin: { plan: Plan, edits?: number[], changes?: import("./learning.js").Change[], table?: boolean },
 *   try: { plan: Plan, steps: number },
 *   go: { steps: number },
 *   goTo: { step: number },
 *   play: { rate: number | null },
 *   pause: {},
 *   setParameters: {},
 *   setLearningRate: { learningRate: number },
 *   setRow: { row: number[] },
 *   edits: {},
 *   frame: { since: number, plane: PlaneAsked | null, parameters: boolean, outputs: boolean, shown?: [number, number] },
 *   trace: {},
 *   explain: { example: unknown, form: string, language: string } }} Asked
 *  openTable: with the array file, its bytes, or in the page what a table's columns hold. choose: see Told.
 *  begin: with the arrays x, labels or targets, heldX, heldLabels or heldTargets, parameters; row by row; of the table that
 *  was chosen from, with parameters alone. edits: at which steps parameters were set by hand, with the array edits, all of
 *  them one after another; changes: what else was changed by hand; it answers alike. setRow: [row, ...x] of the rows to
 *  learn from, or [row, ...x, ...targets] where those are numbers.
 *  explain: a worked example in a form of deltaprop explain; the server alone answers, { text: string }.
 *  play: so many steps a second; null: as many as there can be. frame: what is shown; points of the curve behind the
 *  step `since`. */
/** @typedef {{ x: [number, number], y: [number, number], columns: number, rows: number, inputs?: [number, number],
 *   allNeurons: boolean, most?: number }} PlaneAsked  most: neurons of a hidden layer, if not all. With the array base, a row of inputs, for those that stay; and two directions in the
 *  arrays across and up, unless two of the inputs are these. */
/** @typedef {{ target: string, task: string, without: string[], held: number, seed: number }} Choice
 *  target, task: "" has it found out. without: columns left out. */
/** @typedef {string | import("./encoding.js").Said} Sentence  of the server, or by its key in the page's words */
/** @typedef {{
 *   name: string, rows: number, taken: number, target: string, task: "classes" | "numbers", why: Sentence,
 *   columns: { name: string, kind: string, done: string | import("./encoding.js").Said[], missing: number }[],
 *   moreColumns: number, targets: string[], inputs: [string, boolean][], classes: string[],
 *   picture: [number, number] | null, notes: Sentence[], unit: [number, number] | null }} Told
 *  What was made of a table. columns: kind "" for those left out by hand. inputs: names, and whether it is an amount.
 *  unit: mean and deviation of a number asked for. With the arrays x, answers, heldX, heldAnswers (some of the rows, those
 *  that come first in the backend's), mean and axes (the plane in which they lie most). */
/** @typedef {{
 *   step: number, epoch: number, stepsPerEpoch: number, running: boolean, diverged: string | null, rate: number,
 *   figures: import("./learning.js").Point, learningRate: number, rows: number[][] }} Frame
 *  rate: steps a second, lately. learningRate and rows: as they are now; of rows those that were changed. With the arrays
 *  curve (rows of step, loss, held, right, heldRight), field (for each layer, for each neuron, columns x rows numbers),
 *  parameters, outputs (of the training rows), heldOutputs; of the first rows alone where it says how many of each are `shown`. */
/** @typedef {{ step: number, loss: number, right: number, diverged: string | null }} TriedAnswer
 *  Of another run, tried beside the one that is shown, with the arrays of a beginning; with the array curve. */
/** @typedef {{ step: number, loss: number, rows: number[] }} TraceAnswer
 *  With the arrays parameters, state_0, ..., x and targets of the batch: everything that the next step is worked out from;
 *  and what it comes to: by their ids z.1, a.1, delta.1, losses, loss, ... and those of the pass after it, z.1.after, ...;
 *  gradient, dataGradient, after (the parameters) and stateAfter_0, ..., flat. */

export {};
