// Uploads: what was dropped, chosen or pasted goes to the server a few files at a time.

import { messageOf } from "./api.js";
import { byId, el } from "./dom.js";
import * as format from "./format.js";

const SENDING_MAX = 3;
const ATTEMPTS_MAX = 3;
const RETRY_DELAY_MS = 2000;
const SHOWN_MAX = 60;
const FILES_MAX = 20_000;
const DEPTH_MAX = 12;
const DEVELOPING_MS_MAX = 120_000;
const HIDE_AFTER_MS = 6000;
const DRAW_EVERY_MS = 100;
const OPEN = new Set(["waiting", "sending", "pausing"]);

const WORDS = {
  waiting: "Waiting",
  pausing: "Trying again soon",
  developing: "Developing",
  added: "Added",
  duplicate: "Already here",
  failed: "Not added",
};

export class Uploads {
  /** `onAdded` is called after each file the server took, `onSignedOut` on a 401. */
  constructor({ onAdded, onSignedOut }) {
    this.jobs = [];
    this.sending = 0;
    this.onAdded = onAdded;
    this.onSignedOut = onSignedOut;
    byId("uploads-close").addEventListener("click", () => this.dismiss());
    window.addEventListener("beforeunload", (event) => { if (this.isBusy) event.preventDefault(); });
  }

  get isBusy() {
    return this.jobs.some((job) => OPEN.has(job.state));
  }

  get isDeveloping() {
    return this.jobs.some((job) => job.state === "developing");
  }

  add(files) {
    if (!this.isBusy && !this.isDeveloping) this.clear();
    for (const file of files.slice(0, FILES_MAX)) this.jobs.push({ file, state: "waiting", share: 0, attempts: 0, note: "", since: 0 });
    if (this.jobs.length === 0) return;
    byId("uploads").hidden = false;
    this.draw();
    this.pump();
  }

  pump() {
    while (this.sending < SENDING_MAX) {
      const job = this.jobs.find((candidate) => candidate.state === "waiting");
      if (!job) break;
      this.send(job);
    }
  }

  send(job) {
    job.state = "sending";
    job.attempts += 1;
    this.sending += 1;
    const form = new FormData();
    const modified = new Date(job.file.lastModified || Date.now()).toISOString();
    form.append("fileCreatedAt", modified);
    form.append("fileModifiedAt", modified);
    form.append("isFavorite", "false");
    form.append("assetData", job.file, job.file.name);

    const request = new XMLHttpRequest();
    job.request = request;
    request.open("POST", "/api/assets");
    request.upload.onprogress = (event) => {
      job.share = event.lengthComputable ? event.loaded / event.total : 0;
      this.drawSoon();
    };
    request.onloadend = () => {
      job.request = null;
      this.sending -= 1;
      this.answered(job, request);
      this.drawSoon();
      this.pump();
    };
    request.send(form);
    this.drawSoon();
  }

  answered(job, request) {
    let body = null;
    try {
      body = JSON.parse(request.responseText);
    } catch {
      // Not JSON: a proxy's page, or no answer at all.
    }
    if (request.status === 201 || request.status === 200) {
      job.id = body?.id ?? null;
      job.state = body?.status === "duplicate" ? "duplicate" : "developing";
      job.since = Date.now();
      if (job.state === "developing") this.onAdded(job.id);
      return;
    }
    const mayPass = request.status === 0 || request.status === 429 || request.status >= 502;
    if (mayPass && job.attempts < ATTEMPTS_MAX && this.jobs.includes(job)) {
      job.state = "pausing";
      job.share = 0;
      setTimeout(() => this.retry(job), RETRY_DELAY_MS * job.attempts);
      return;
    }
    job.state = "failed";
    job.mayPass = mayPass || request.status === 401;
    job.note = request.status === 0 ? "The connection was lost." : messageOf(request.status, body);
    if (request.status === 401) this.onSignedOut();
  }

  retry(job) {
    job.state = "waiting";
    job.note = "";
    job.share = 0;
    this.drawSoon();
    this.pump();
  }

  /** Marks those uploads as done whose photo `isReady(id)` says is on the timeline. */
  settle(isReady) {
    const now = Date.now();
    for (const job of this.jobs) {
      if (job.state === "developing" && (isReady(job.id) || now - job.since > DEVELOPING_MS_MAX)) job.state = "added";
    }
    this.drawSoon();
  }

  dismiss() {
    byId("uploads").hidden = true;
    if (!this.isBusy) this.clear();
  }

  /** Stops and forgets everything, for logging out. */
  abort() {
    const jobs = this.jobs;
    this.jobs = [];
    for (const job of jobs) job.request?.abort();
    this.dismiss();
  }

  clear() {
    clearTimeout(this.hiding);
    this.jobs = this.jobs.filter((job) => OPEN.has(job.state));
  }

  drawSoon() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.draw();
    }, DRAW_EVERY_MS);
  }

  draw() {
    const tally = { waiting: 0, sending: 0, pausing: 0, developing: 0, added: 0, duplicate: 0, failed: 0 };
    let sent = 0;
    for (const job of this.jobs) {
      tally[job.state] += 1;
      sent += job.state === "sending" ? job.share : Number(!OPEN.has(job.state));
    }
    const total = this.jobs.length;
    const open = tally.waiting + tally.sending + tally.pausing;
    byId("uploads-title").textContent = open ? `Adding ${format.plural(total, "file", "files")}` : summary(tally);
    const bar = byId("uploads-total");
    bar.max = Math.max(1, total);
    bar.value = sent;
    bar.hidden = !open;

    const nodes = this.shownJobs().map((job) => this.drawJob(job));
    if (total > SHOWN_MAX) nodes.push(el("li", { class: "job more", text: `and ${format.count(total - SHOWN_MAX)} more` }));
    const list = byId("uploads-list");
    // Left alone where nothing moved, so that a button is not replaced under a finger.
    if (nodes.length !== list.children.length || nodes.some((node, i) => node !== list.children[i])) list.replaceChildren(...nodes);

    clearTimeout(this.hiding);
    if (!open && !tally.developing && !tally.failed && total > 0) this.hiding = setTimeout(() => this.dismiss(), HIDE_AFTER_MS);
  }

  /** What needs eyes first: failures, then files on their way, then the latest done. */
  shownJobs() {
    const rank = { failed: 0, sending: 1, pausing: 1, developing: 2, waiting: 3, duplicate: 4, added: 5 };
    return [...this.jobs].sort((a, b) => rank[a.state] - rank[b.state]).slice(0, SHOWN_MAX);
  }

  drawJob(job) {
    if (job.node && job.drawn === job.state) {
      if (job.state === "sending") job.node.querySelector("progress").value = job.share;
      return job.node;
    }
    const isSending = job.state === "sending";
    const isFailed = job.state === "failed";
    job.drawn = job.state;
    job.node ??= el("li");
    job.node.className = `job ${job.state}`;
    job.node.replaceChildren(
      el("span", { class: "job-name", text: job.file.name, title: job.file.name }),
      el("span", { class: "job-state", text: isFailed ? job.note : isSending ? format.bytes(job.file.size) : WORDS[job.state] }),
      ...(isSending ? [el("progress", { max: 1, value: job.share, "aria-label": `Sending ${job.file.name}` })] : []),
      ...(isFailed && job.mayPass ? [el("button", { type: "button", class: "quiet-button", text: "Try again", on: { click: () => this.again(job) } })] : []),
    );
    return job.node;
  }

  again(job) {
    job.attempts = 0;
    this.retry(job);
  }
}

function summary(tally) {
  const parts = [];
  const added = tally.added + tally.developing;
  if (added) parts.push(`${format.count(added)} added`);
  if (tally.duplicate) parts.push(`${format.count(tally.duplicate)} already here`);
  if (tally.failed) parts.push(`${format.count(tally.failed)} not added`);
  return parts.join(", ");
}

/** The files of a drop or a paste, folders walked through. Must be called in the event itself. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files = [];
  for (const entry of entries) await collect(entry, files, 0);
  return files;
}

async function collect(entry, files, depth) {
  if (!entry || files.length >= FILES_MAX || depth > DEPTH_MAX) return;
  if (entry instanceof File) {
    files.push(entry);
  } else if (entry.isFile) {
    const isLitter = depth > 0 && (entry.name.startsWith(".") || entry.name === "Thumbs.db");
    if (!isLitter) files.push(await new Promise((resolve, reject) => { entry.file(resolve, reject); }));
  } else if (entry.isDirectory) {
    const reader = entry.createReader();
    // A directory is read in portions until an empty one.
    for (;;) {
      const portion = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
      if (portion.length === 0) break;
      for (const child of portion) await collect(child, files, depth + 1);
    }
  }
}
