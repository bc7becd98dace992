// A line of the page as HTML: symbol = symbols = numbers = result, as blocks.py writes it.
import { escaped, mathOf, number, pieces } from "./mathml.js";

/** What stands beside a line's symbol: its formula in symbols and numbers, and its result.
 *  @param {import("./lines.js").Line} line @param {(id: string) => string} symbolOf
 *  @param {string} more how many terms were left out, with {count} and {number} */
export function partsOfLine(line, symbolOf, more) {
  const parts = [];
  if (line.hasFormula) {
    for (const kind of ["symbols", "numbers"]) {
      const writing = { digits: line.digits, symbolOf: kind === "symbols" ? symbolOf : null, more };
      const [first, ...others] = pieces(line.tree, writing);
      parts.push(`<span class="${kind}">${mathOf([`<mo>=</mo>${first}`, ...others])}</span>`);
    }
  }
  const sign = line.value < 0 ? "negative" : line.value > 0 ? "positive" : "zero";
  const result = `<mo>${line.exact ? "=" : "≈"}</mo>${number(line.shown)}`;
  return `${parts.join("")}<math class="result ${sign}">${result}</math>`;
}

const MARKS = { right: "\u2713", wrong: "\u2717", kink: "\u2013", undecided: "\u2013" };

/** What the referee found beside a gradient.
 *  @param {import("./referee.js").Proof} proof @param {Record<string, string>} words
 *  @param {(value: number, digits?: number) => string} text */
export function proofHtml({ verdict, measured, error }, words, text) {
  const said = escaped(words[verdict]);
  const mark = `<span role="img" aria-label="${said}">${MARKS[verdict]}</span>`;
  if (verdict === "kink" || verdict === "undecided") return `${mark} ${said}`;
  const lines = [
    ["central difference", text(measured)],
    ["relative error", text(error, 2)],
  ];
  const told = lines.map(([key, number]) => escaped(words[key].replace("{number}", number)));
  return `${mark} ${told.join(" <br>").replaceAll("-", "−")}`;
}
