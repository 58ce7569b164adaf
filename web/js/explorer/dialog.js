// Asks before something is done that lasts or cannot be taken back.

import { byId, el } from "../dom.js";

const dialog = byId("ask");

/**
 * Shows a dialog and gives the chosen action's value, or `""` for none. `actions` are `[value, label]`; of several,
 * `[value, label, what it does]`, one below the other. The way out takes the focus. `body` stands below the text.
 */
export function choose({ title, text, body = null, actions }) {
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-body").replaceChildren(...(body ? [body] : []));
  const isList = actions.some(([, , does]) => does);
  const buttons = actions.map(([value, label, does]) => (isList
    ? el("button", { class: "option", value }, el("span", { text: label }), el("small", { text: does }))
    : el("button", { class: "button primary", value, text: label })));
  const cancel = el("button", { class: "button", value: "", autofocus: true, text: "Cancel" });
  byId("ask-buttons").classList.toggle("list", isList);
  byId("ask-buttons").replaceChildren(...(isList ? [...buttons, cancel] : [cancel, ...buttons]));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/** Asks whether to do one thing. */
export const confirm = async (title, text, label, body = null) =>
  (await choose({ title, text, body, actions: [["yes", label]] })) === "yes";

// The browser keeps everything else out of reach; this also keeps the focus from leaving for its own bars.
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Tab") return;
  const all = [...dialog.querySelectorAll("a[href], button, input, textarea")];
  const end = event.shiftKey ? all[0] : all[all.length - 1];
  if (document.activeElement !== end) return;
  event.preventDefault();
  (event.shiftKey ? all[all.length - 1] : all[0]).focus();
});
// A link in it leads to what lies behind it. Enter in a field is no consent to what the first button does.
dialog.addEventListener("click", (event) => { if (event.target.closest("a[href]")) dialog.close(""); });
dialog.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); });
