// The studio in a notebook (widget.py): a frame of its own, so that several do not know of each other; it tells the model
// what is tried and where the run stands.

/** @typedef {{ get: (name: string) => any, set: (name: string, value: unknown) => void, save_changes: () => void,
 *   on: (event: string, heard: () => void) => void, off: (event: string, heard: () => void) => void }} Model */

/** @param {{ model: Model, el: HTMLElement }} given */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "deltaprop studio";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.allow = "clipboard-write";
  Object.assign(frame.style, { display: "block", width: "100%", border: "0", borderRadius: "8px" });
  const sized = () => (frame.style.height = `${model.get("height")}px`);
  const begun = () => (frame.srcdoc = model.get("_page"));
  const heard = (/** @type {MessageEvent} */ { source, data }) => {
    if (source !== frame.contentWindow || !Array.isArray(data?.parameters)) return;
    for (const name of ["setup", "step", "figures"]) model.set(name, data[name]);
    model.set("_numbers", data.parameters);
    model.save_changes();
  };
  addEventListener("message", heard);
  model.on("change:height", sized);
  model.on("change:_page", begun);
  sized();
  begun();
  el.append(frame);
  return () => {
    removeEventListener("message", heard);
    model.off("change:height", sized);
    model.off("change:_page", begun);
  };
}

export default { render };
