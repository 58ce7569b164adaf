// What things are called on the page.

import * as format from "../format.js";
import { el } from "../dom.js";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [["day", 86_400], ["hour", 3600], ["minute", 60]];
const SHORT_CHARS = 12;
const STREAM_CHARS_MAX = 32;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Kinds of objects that have a history: what streams, people and operations call them. */
export const KINDS = [
  { kind: "asset", name: "Photo or film", operation: "assetHistory" },
  { kind: "album", name: "Album", operation: "albumHistory" },
  { kind: "shared_link", name: "Shared link", operation: "linkHistory" },
  { kind: "person", name: "Person in photos", operation: "personHistory" },
  { kind: "user", name: "Account", operation: "userHistory" },
  { kind: "batch", name: "Import", operation: "batchHistory" },
];

const QUEUES = {
  thumbnailGeneration: "Thumbnails",
  metadataExtraction: "Metadata",
  videoConversion: "Films",
  faceDetection: "Faces",
  facialRecognition: "People",
  smartSearch: "Search by content",
  duplicateDetection: "Duplicates",
  backgroundTask: "Background work",
  storageTemplateMigration: "Storage template",
  migration: "Migration",
  search: "Search",
  sidecar: "Sidecars",
  library: "External libraries",
  notifications: "Notifications",
  backupDatabase: "Database backup",
  ocr: "Text in pictures",
  workflow: "Workflows",
  integrityCheck: "Checks of files",
  editor: "Edited pictures",
};

/** What a queue is called. */
export const queueName = (name) => QUEUES[name] ?? name;

/** How long ago something was, or that it is to come: `5 minutes ago`. */
export function ago(instant) {
  const seconds = (new Date(instant) - Date.now()) / 1000;
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  return step ? RELATIVE.format(Math.trunc(seconds / step[1]), step[0]) : "just now";
}

/** Seconds in words that are short: `12 s`, `4 min`, `2 h 5 min`. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An instant in the reader's own zone, as a `time` element. */
export const time = (instant) => el("time", { datetime: instant, text: format.here(instant) });

/** The beginning of a digest, the whole of it for who points at it. */
export const short = (digest) => el("code", { title: digest, text: `${digest.slice(0, SHORT_CHARS)}…` });

/** A stream by its kind and id, leading to its history where it has one. */
export function stream(streamId) {
  const id = UUID.exec(streamId)?.[0];
  const kind = id ? streamId.slice(0, -id.length - 1) : "";
  const known = KINDS.find((one) => one.kind === kind);
  if (!known) return el("code", { title: streamId, text: streamId.length > STREAM_CHARS_MAX ? `${streamId.slice(0, STREAM_CHARS_MAX)}…` : streamId });
  return el("a", { href: `#history/${kind}/${id}`, "aria-label": `History of ${known.name.toLowerCase()} ${id}` },
    el("span", { text: known.name }), " ", el("code", { text: id.slice(0, 8) }));
}
