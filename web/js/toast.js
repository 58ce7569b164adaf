// Short messages at the foot of the page, one at a time, with an optional undo.

import { byId, el } from "./dom.js";

const SHOWN_MS = 4500;
const OFFERED_MS = 9000;

let timer = 0;
let undo = null;
let gone = null;

/**
 * Says `text`. `action` is called once by the button or by `undoLatest`; `onGone` when the offer
 * has ended, but not when a newer message with the same `onGone` replaces it.
 */
export function toast(text, action = null, onGone = null) {
  const host = byId("toasts");
  const dialog = document.querySelector("dialog[open]");
  // Everything outside a modal dialog is inert, so the message moves into it.
  if (host.parentNode !== (dialog ?? document.body)) (dialog ?? document.body).append(host);
  if (gone !== onGone) gone?.();
  undo = action;
  gone = onGone;
  const button = action && el("button", { type: "button", text: "Undo", on: { click: undoLatest } });
  host.replaceChildren(el("div", { class: "toast" }, el("p", { text }), button));
  clearTimeout(timer);
  timer = setTimeout(clear, action ? OFFERED_MS : SHOWN_MS);
}

/** Runs the undo on offer. False if there is none. */
export function undoLatest() {
  const action = undo;
  clear();
  action?.();
  return action !== null;
}

/** Takes the message back to the page, after the dialog that held it has closed. */
export function rehome() {
  document.body.append(byId("toasts"));
}

function clear() {
  clearTimeout(timer);
  gone?.();
  undo = null;
  gone = null;
  byId("toasts").replaceChildren();
}
