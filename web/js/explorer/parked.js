// What got stuck: told by stream, tried again or given up.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { confirm } from "./dialog.js";
import { ask } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { stream, time } from "./words.js";

const POLL_MS = 5000;

export class Parked extends Part {
  constructor() {
    super("parked", "parked", POLL_MS);
    this.table = new Table(byId("parked-table"), {
      key: (row) => `${row.name} ${row.streamId}`,
      empty: byId("parked-empty"),
      columns: [
        (row) => stream(row.streamId),
        (row) => el("span", {}, row.name, el("small", { text: row.kind === "processor" ? "work on the file" : "read model" })),
        (row) => el("span", {}, el("strong", { text: row.code }), el("small", { text: row.reason })),
        (row) => format.count(row.events),
        (row) => time(row.parkedAt),
        (row) => buttons(
          ["Retry", `Retry ${row.streamId}`, (button) => this.retry(button, row.streamId)],
          ["Discard…", `Discard ${row.streamId}`, (button) => this.discard(button, row)]),
      ],
    });
  }

  fetch() {
    return ask("parked");
  }

  draw(events) {
    const rows = byStream(events);
    const badge = byId("parked-badge");
    this.table.draw(rows);
    byId("figure-parked").textContent = format.count(rows.length);
    byId("figure-parked").classList.toggle("warn", rows.length > 0);
    badge.textContent = format.count(rows.length);
    badge.hidden = rows.length === 0;
  }

  async retry(button, streamId) {
    await this.act(button, "Trying again …", async () => told(await ask("retryParked", { streamId }), "tried again"));
  }

  async discard(button, { streamId, kind }) {
    const text = kind === "processor"
      ? "The file goes without the step that failed, until somebody asks for it again."
      : "Every reader skips the event that cannot be applied, from now on and in every rebuild. This is not taken back.";
    if (!(await confirm("Give this up?", text, "Discard"))) return;
    await this.act(button, "Giving up …", async () => told(await ask("discardParked", { streamId }), "given up"));
  }
}

/** One row for each reader's part of a stream: its first event tells why, the others wait behind it. */
function byStream(events) {
  const rows = new Map();
  for (const event of events) {
    const key = `${event.name} ${event.streamId}`;
    const row = rows.get(key) ?? { ...event, events: 0 };
    rows.set(key, { ...row, events: row.events + 1 });
  }
  return [...rows.values()];
}

function told(settled, verb) {
  const left = settled.find((one) => one.left > 0);
  if (left) return `${format.plural(left.left, "event", "events")} of ${left.name} still cannot be applied: ${left.reason ?? "no reason is known"}`;
  return `${settled.map((one) => one.name).join(", ")}: ${verb}.`;
}
