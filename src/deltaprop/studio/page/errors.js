/** Something that was given does not fit, or there is no memory for it: the sentence says what. */
export class EngineError extends Error {
  name = "EngineError";
}
