// Changes in the address of the page, so that it can be bookmarked and sent: #set:x[0,0]=2;t=3

const PREFIX = "#set:";
const MOST = 60; // changes that an address carries

/** @param {Map<string, number>} changes */
export function putInAddress(changes) {
  const list = [...changes].map(([id, value]) => `${id}=${value}`).join(";");
  const hash = list && changes.size <= MOST ? PREFIX + list : "";
  try {
    history.replaceState(null, "", hash || location.pathname + location.search);
  } catch {
    location.hash = hash; // where a page has no origin
  }
}

/** What the address asks for: ids, each with the text of its number; null for nothing.
 *  @returns {[string, string][] | null} */
export function askedByAddress() {
  if (!location.hash.startsWith(PREFIX) || location.hash === PREFIX) return null;
  return decoded(location.hash.slice(PREFIX.length))
    .split(";")
    .map((part) => {
      const [id, text = ""] = part.split("=");
      return [id, text];
    });
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
