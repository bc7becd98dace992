/** Something that was given does not fit, or there is no memory for it: the sentence says what. */
export class EngineError extends Error {
  name = "EngineError";
}

/** Something of a table that cannot be done: which of the page's sentences says it. */
export class Refused extends Error {
  /** @param {string} key @param {Record<string, string | number>} [values] */
  constructor(key, values = {}) {
    super(key);
    this.said = { key, values };
  }
}
