// What is asked of whoever trains, and what is answered, by the kernels in the page (worker.js) and by the server
// (session.py) alike.

/** @typedef {import("./frames.js").Arrays} Arrays */
/** @typedef {{
 *   sizes: number[], activations: string[], loss: string, optimizer: Record<string, string | number>,
 *   learningRate: number, l2: number, l1: number, batchSize: number, seed: number, biases: boolean }} Plan
 *  sizes: inputs, then the neurons of each layer. activations: of the hidden layers. biases: whether there are any. optimizer: name and settings. */
/** @typedef {{
 *   begin: { plan: Plan, edits?: number[], changes?: import("./learning.js").Change[] },
 *   try: { plan: Plan, steps: number },
 *   go: { steps: number },
 *   goTo: { step: number },
 *   play: { rate: number | null },
 *   pause: {},
 *   setParameters: {},
 *   setLearningRate: { learningRate: number },
 *   setRow: { row: number[] },
 *   edits: {},
 *   frame: { since: number, plane: PlaneAsked | null, parameters: boolean, outputs: boolean },
 *   trace: {},
 *   explain: { example: unknown, form: string, language: string } }} Asked
 *  begin: with the arrays x, labels or targets, heldX, heldLabels or heldTargets, parameters; row by row. edits: at which
 *  steps parameters were set by hand, with the array edits, all of them one after another; changes: what else was changed by
 *  hand; it answers alike. setRow: [row, ...x] of the rows to learn from, or [row, ...x, ...targets] where those are numbers.
 *  explain: a worked example in a form of deltaprop explain; the server alone answers, { text: string }.
 *  play: so many steps a second; null: as many as there can be. frame: what is shown; points of the curve behind the
 *  step `since`. */
/** @typedef {{ x: [number, number], y: [number, number], columns: number, rows: number, inputs: [number, number],
 *   allNeurons: boolean }} PlaneAsked  with the array base, a row of inputs, for those that stay */
/** @typedef {{
 *   step: number, epoch: number, stepsPerEpoch: number, running: boolean, diverged: string | null, rate: number,
 *   figures: import("./learning.js").Point, learningRate: number, rows: number[][] }} Frame
 *  rate: steps a second, lately. learningRate and rows: as they are now; of rows those that were changed. With the arrays
 *  curve (rows of step, loss, held, right, heldRight), field (for each layer, for each neuron, columns x rows numbers),
 *  parameters, outputs (of the training rows), heldOutputs. */
/** @typedef {{ step: number, loss: number, right: number, diverged: string | null }} TriedAnswer
 *  Of another run, tried beside the one that is shown, with the arrays of a beginning; with the array curve. */
/** @typedef {{ step: number, loss: number, rows: number[] }} TraceAnswer
 *  With the arrays parameters, state_0, ... : everything that the next step is worked out from; and what it comes to: by
 *  their ids z.1, a.1, delta.1, losses, loss, ... and those of the pass after it, z.1.after, ...; gradient, dataGradient,
 *  after (the parameters) and stateAfter_0, ..., flat. */

export {};
