// The tree over the log: its signed heads, looking at all of it, and proofs for others.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { confirm } from "./dialog.js";
import { ask, save, saveText } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { ago, short, time } from "./words.js";

const POLL_MS = 30_000;
const SHOWN_FIRST = 5;
const FINDINGS_SHOWN_MAX = 100;
const VERIFY_MS_MAX = 3_600_000;

export class Heads extends Part {
  constructor() {
    super("heads", "heads", POLL_MS);
    this.showsAll = false;
    this.table = new Table(byId("heads-table"), {
      key: (head) => head.size,
      empty: byId("heads-empty"),
      columns: [
        (head) => time(head.signedAt),
        (head) => format.count(head.size),
        (head) => short(head.root),
        (head) => buttons(
          ["Save", `Save the head of ${format.count(head.size)} events`, () => saveText(head.note, `head-${head.size}`)],
          head.size !== this.newest && ["Proof", `Save the proof that the log of ${format.count(head.size)} events is the beginning of today’s`,
            (button) => this.prove(button, () => save("headProof", {}, { from: head.size }, `since-${head.size}.json`))]),
      ],
    });
    byId("heads-sign").addEventListener("click", ({ currentTarget }) => this.sign(currentTarget));
    byId("heads-verify").addEventListener("click", ({ currentTarget }) => this.verify(currentTarget));
    byId("heads-all").addEventListener("click", () => {
      this.showsAll = true;
      this.draw(this.heads);
    });
    const form = byId("proof-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const id = form.elements.id.value.trim();
      if (id) this.proveEvent(id, form.querySelector("button"));
      else form.elements.id.focus();
    });
  }

  fetch() {
    return ask("heads");
  }

  draw(heads) {
    this.heads = heads;
    this.newest = heads[0]?.size;
    this.table.draw(this.showsAll ? heads : heads.slice(0, SHOWN_FIRST));
    byId("heads-all").hidden = this.showsAll || heads.length <= SHOWN_FIRST;
    byId("heads-all").textContent = `Show all ${format.count(heads.length)}`;
    byId("figure-head").textContent = heads.length > 0 ? ago(heads[0].signedAt) : "never";
    if (!byId("heads-key").textContent) this.drawKey();
  }

  async drawKey() {
    const answer = await ask("logKey").catch(() => null);
    if (answer) byId("heads-key").textContent = answer.key;
  }

  async sign(button) {
    await this.act(button, "Signing …", async () => {
      const { isNew, head } = await ask("signHead");
      if (!head) return "The log is empty: there is nothing to sign.";
      const events = format.plural(head.size, "event", "events");
      return isNew ? `A head over ${events} was signed. Save it where this server cannot write.` : `Nothing happened since the last head, which covers ${events}.`;
    });
  }

  async verify(button) {
    const text = "Every event is hashed again and compared with the tree, the tree with every signed head. A million events take a few seconds of one core.";
    if (!(await confirm("Verify the whole log?", text, "Verify"))) return;
    await this.act(button, "Looking at every event …", async () => {
      const report = await ask("verifyLog", {}, { body: {}, timeoutMs: VERIFY_MS_MAX });
      drawReport(byId("heads-report"), report);
      return report.isGood ? "The log is what was recorded and signed." : `The log is not what was recorded: ${format.plural(report.findingsTotal, "finding", "findings")}.`;
    });
    if (!byId("heads-report").hidden) byId("heads-report").focus();
  }

  /** Saves the proof that an event is in the log. */
  proveEvent(eventId, button) {
    return this.prove(button, async () => saveText(await ask("eventProof", { eventId }), `proof-${eventId}.json`));
  }

  async prove(button, action) {
    await this.act(button, "", async () => {
      await action();
      return "The proof is saved. verify_proof.py checks it without this server.";
    });
  }
}

function drawReport(host, report) {
  const facts = [
    ["Events compared", format.count(report.events)],
    ["Positions without an event", format.count(report.gaps)],
    ["Not in the tree yet", format.count(report.waiting)],
    ["Behind the last head that holds", format.count(report.unsigned)],
    ["Heads that hold", `${format.count(report.heads.filter((head) => head.isSigned && head.fitsLog && head.fitsTiles).length)} of ${format.count(report.heads.length)}`],
    ["Events that readers skip", format.count(report.skipped.length)],
    ["Tree made anew", report.rebuilt ? format.here(report.rebuilt.at) : "never"],
  ];
  host.hidden = false;
  host.classList.toggle("bad", !report.isGood);
  host.replaceChildren(
    el("h3", { text: report.isGood ? "Everything holds" : "The log was changed" }),
    el("dl", {}, ...facts.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value })))),
    report.findings.length > 0 ? drawFindings(report) : "");
}

function drawFindings({ findings, findingsTotal }) {
  const shown = findings.slice(0, FINDINGS_SHOWN_MAX);
  const lines = shown.map((finding) => el("li", {},
    el("strong", { text: finding.kind }),
    finding.position === null ? "" : ` at position ${format.count(finding.position)}`,
    finding.eventType ? `, ${finding.eventType}` : "",
    finding.streamId ? ` of ${finding.streamId}` : "",
    `: ${finding.what}`));
  const more = findingsTotal > shown.length ? el("p", { class: "quiet", text: `And ${format.count(findingsTotal - shown.length)} more.` }) : null;
  return el("div", {}, el("ol", { class: "findings", "aria-label": "Findings" }, ...lines), more);
}
