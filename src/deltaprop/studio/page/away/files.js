// How something leaves the page: as a file, or as text to paste elsewhere.

import { look } from "../run.js";
import { setup } from "../setup.js";

/** @typedef {{ ending: string, type: string, content: string | Uint8Array<ArrayBuffer> | Blob }} Taken
 *  What is taken away: the end of its file's name, its type as a browser calls it, and what stands in it. */

/** A name that tells set and step. @param {string} ending */
export function nameOf(ending) {
  const { name, file } = setup.value.data;
  const of = (name === "own" ? file.replace(/\..*$/, "") : name).replace(/[^\p{L}\p{N}-]+/gu, "-").slice(0, 40);
  return `deltaprop-${of}-step-${look.value?.step ?? 0}${ending}`;
}

/** Let the browser keep it. @param {Taken} taken @returns {string} under which name */
export function keep({ ending, type, content }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = nameOf(ending);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a telephone may ask first
  return link.download;
}

/** Text for the clipboard; where a page may not write there, by a selection. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    if (!isCopied) throw new Error("not copied");
  }
}
