// What is known about one photo, and what happened to it.

import { el } from "./dom.js";
import * as format from "./format.js";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** The facts of an asset as one block. */
export function drawFacts(asset) {
  const exif = asset.exifInfo ?? {};
  const { day, time } = format.wallClock(asset.localDateTime);
  const offset = format.offset(asset.localDateTime, asset.fileCreatedAt);
  const zone = exif.timeZone && exif.timeZone !== offset ? `${exif.timeZone}, ${offset}` : offset;
  const people = (asset.people ?? []).map((person) => person.name).filter(Boolean);
  const tags = (asset.tags ?? []).map((tag) => tag.value ?? tag.name).filter(Boolean);

  const facts = el("section", { class: "facts", "aria-label": "Facts" },
    el("h2", { text: day }),
    el("p", { class: "facts-time", text: `${time} · ${zone}` }));
  if (exif.description) facts.append(el("p", { class: "facts-caption", text: exif.description }));
  facts.append(el("dl", {}, ...[
    fact("Camera", camera(exif)),
    fact("Lens", exif.lensModel),
    fact("Exposure", exposure(exif)),
    fact("Place", place(exif), position(exif)),
    fact("People", people.join(", ")),
    fact("Tags", tags.join(", ")),
    fact("Length", asset.duration ? format.duration(asset.duration) : ""),
    fact("File", asset.originalFileName, size(asset, exif)),
  ].filter(Boolean)));
  return facts;
}

function fact(name, value, more) {
  if (!value && !more) return null;
  return el("div", {}, el("dt", { text: name }),
    el("dd", { text: value || more }, value && more ? el("small", { text: more }) : null));
}

function camera({ make, model }) {
  if (!model) return make ?? "";
  const brand = (make ?? "").split(" ")[0];
  return !brand || model.toLowerCase().startsWith(brand.toLowerCase()) ? model : `${make} ${model}`;
}

function exposure({ exposureTime, fNumber, focalLength, iso }) {
  return [
    exposureTime && `${exposureTime}\u00a0s`,
    fNumber && `ƒ/${number.format(fNumber)}`,
    focalLength && `${number.format(focalLength)}\u00a0mm`,
    iso && `ISO\u00a0${iso}`,
  ].filter(Boolean).join(" · ");
}

const place = ({ city, state, country }) => [city, state, country].filter(Boolean).join(", ");

function position({ latitude, longitude }) {
  return typeof latitude === "number" && typeof longitude === "number" ? format.coordinates(latitude, longitude) : "";
}

function size(asset, exif) {
  const width = asset.width ?? exif.exifImageWidth;
  const height = asset.height ?? exif.exifImageHeight;
  const pixels = width && height ? `${width} × ${height}` : "";
  const mega = width && height && width * height >= 1e6 ? `${number.format((width * height) / 1e6)}\u00a0megapixels` : "";
  const bytes = exif.fileSizeInByte ? format.bytes(exif.fileSizeInByte) : "";
  return [pixels, mega, bytes, format.fileType(asset.originalFileName)].filter(Boolean).join(" · ");
}

/** The history as a list, oldest first, as the server tells it. */
export function drawHistory(events, myId) {
  const section = el("section", { class: "history", "aria-label": "History" }, el("h3", { text: "History" }));
  if (events.length === 0) section.append(el("p", { class: "quiet", text: "Nothing is recorded yet." }));
  else section.append(el("ol", {}, ...events.map((event) => drawEvent(event, myId))));
  return section;
}

/** A line in place of a history that could not be had. */
export function drawNoHistory(message) {
  return el("section", { class: "history", "aria-label": "History" },
    el("h3", { text: "History" }), el("p", { class: "quiet", text: message }));
}

function drawEvent(event, myId) {
  const when = el("time", { datetime: event.recordedAt, text: format.here(event.recordedAt) });
  const client = typeof event.client === "string" && event.client ? ` with ${event.client}` : "";
  return el("li", {},
    el("p", { class: "sentence", text: event.sentence }),
    el("p", { class: "quiet" }, when, ` · ${who(event.actor, myId)}${client}`),
    el("details", {}, el("summary", { text: "What was recorded" }), drawRecord(event),
      el("pre", { tabindex: 0, text: JSON.stringify(event.data ?? {}, null, 2) })));
}

function who(actor, myId) {
  if (!actor) return "the server";
  // The actor of a person's wish is the session or the key; the account stands beside it.
  if (actor.userId && actor.userId === myId) return "you";
  return actor.name || (actor.userId ? "another user" : actor.kind || "the server");
}

/** What the log keeps beside what an event says. */
export function drawRecord(event) {
  const from = event.derivedFrom;
  const rows = [
    ["Event", `${event.type} v${event.version}`],
    ["Order", `revision ${event.revision}, position ${event.position}`],
    ["Event id", event.eventId],
    ["Correlation", event.correlationId],
    ["Cause", event.causationId],
    ["Made by", from && [from.processor, from.version].filter(Boolean).join(" ")],
    ["From file", from?.input],
  ];
  return el("dl", {}, ...rows.filter(([, value]) => value)
    .map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value }))));
}
