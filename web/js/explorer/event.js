// One event: what happened, who did it, what it changed, and what the log keeps of it.

import { el } from "../dom.js";
import { drawRecord } from "../facts.js";
import * as format from "../format.js";
import { stream, time } from "./words.js";

const VALUE_CHARS_MAX = 200;

let names = new Map();

/** Takes the accounts by whose names people are told, `{id, name}`. */
export function learnNames(users) {
  names = new Map(users.map((user) => [user.id, user.name]));
}

/** An event as an entry of a list. `withStream` says also what it happened to; `prove` is called to save its proof. */
export function drawEvent(event, { withStream = false, prove = null } = {}) {
  const changes = changesOf(event);
  return el("li", {},
    el("p", { class: "sentence" }, event.sentence, withStream && el("span", { class: "of" }, " · ", stream(`${event.kind}-${event.objectId}`))),
    el("p", { class: "quiet" }, time(event.recordedAt), ` · ${who(event.actor)}${words(" with ", event.client)}${words(" from ", event.address)}`),
    event.reason ? el("p", { class: "quiet", text: `Reason: ${event.reason}` }) : null,
    changes.length > 0 && drawChanges(changes, event, !withStream),
    el("details", {}, el("summary", { text: "What was recorded" }), drawRecord(event),
      el("pre", { tabindex: 0, role: "group", "aria-label": "The event’s data", text: JSON.stringify(event.data ?? {}, null, 2) }),
      prove && el("button", { type: "button", class: "small-button", text: "Save its proof", on: { click: ({ currentTarget }) => prove(event.eventId, currentTarget) } })));
}

const words = (before, text) => (typeof text === "string" && text ? before + text : "");

/** Who did something, by name where it is known. */
export function who(actor) {
  if (!actor) return "the server";
  const name = names.get(actor.userId) ?? (actor.userId ? `somebody (${actor.userId.slice(0, 8)})` : null);
  switch (actor.kind) {
    case "user": return name ?? "somebody";
    case "api_key": return name ? `an API key of ${name}` : "an API key";
    case "shared_link": return "a visitor of a shared link";
    case "processor": return `the processor ${actor.id}`;
    default: return "the server";
  }
}

/** What an event changed, as `{field, from, to}`; `from` is undefined where it is not known. */
function changesOf({ before, after, revision }) {
  // Before the first event there was nothing.
  const unknown = revision === 0 ? null : undefined;
  const was = (field) => (Object.hasOwn(before ?? {}, field) ? before[field] : unknown);
  return Object.entries(after ?? {}).map(([field, to]) => ({ field, from: was(field), to }));
}

/** A table of changes; what was before is told in histories of one object only. */
function drawChanges(changes, event, tellsBefore) {
  const rows = changes.map(({ field, from, to }) => el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader", text: fieldName(field) }),
    tellsBefore && el("td", { role: "cell" }, value(from)),
    el("td", { role: "cell" }, value(to))));
  const heads = tellsBefore ? ["What", "Was", "Became"] : ["What", "Became"];
  return el("table", { class: "changes", role: "table" },
    el("caption", { class: "unseen", text: `What “${event.sentence}” changed` }),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads.map((text) => el("th", { scope: "col", role: "columnheader", text })))),
    el("tbody", { role: "rowgroup" }, ...rows));
}

/** `localDateTime` as `local date time`; what stands behind a dot is an id. */
function fieldName(field) {
  const [name, ...id] = field.split(".");
  const plain = name.replace(/^is(?=[A-Z])/, "").replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase();
  return id.length > 0 ? `${plain} ${id.join(".").slice(0, 8)}` : plain;
}

function value(of) {
  if (of === undefined) return el("span", { class: "none", text: "not known" });
  if (of === null || of === "") return el("span", { class: "none", text: "nothing" });
  if (of === true) return "yes";
  if (of === false) return "no";
  if (typeof of === "number") return format.count(of);
  if (of?.$forgotten) return el("span", { class: "none", text: "forgotten" });
  const text = typeof of === "string" ? of : JSON.stringify(of);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text;
}
