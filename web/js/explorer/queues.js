// Queues: what is worked on, what waits and what failed; pausing, and doing work again.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { choose } from "./dialog.js";
import { ask } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { queueName, stream } from "./words.js";

const POLL_MS = 5000;
const FAILED_SHOWN_MAX = 20;
/** Queues of Immich's that have no work here; they show only if they ever hold some. */
const WITHOUT_WORK = new Set(["migration", "search", "notifications", "backupDatabase", "workflow"]);
/** Queues whose work nobody can ask for as a whole. */
const NOT_STARTED = new Set(["backgroundTask", "integrityCheck"]);
const NOT_PAUSED = new Set(["backgroundTask"]);
const JOB_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

export class Queues extends Part {
  constructor() {
    super("queues", "queues", POLL_MS);
    this.table = new Table(byId("queues-table"), {
      key: (row) => row.name,
      columns: [
        (row) => (row.isPaused ? el("span", {}, queueName(row.name), " ", el("em", { class: "tag", text: "paused" })) : queueName(row.name)),
        (row) => figure(row.statistics.active),
        (row) => figure(row.statistics.waiting + row.statistics.paused),
        (row) => figure(row.statistics.delayed),
        (row) => (row.statistics.failed > 0 ? el("strong", { class: "warn", text: format.count(row.statistics.failed) }) : figure(0)),
        (row) => this.wishes(row),
      ],
    });
  }

  fetch() {
    return ask("queues");
  }

  draw(queues) {
    const sum = ({ statistics: { active, waiting, paused, delayed, failed } }) => active + waiting + paused + delayed + failed;
    this.table.draw(queues.filter((queue) => !WITHOUT_WORK.has(queue.name) || sum(queue) > 0));
    const waiting = queues.reduce((all, { statistics }) => all + statistics.active + statistics.waiting + statistics.paused, 0);
    byId("figure-waiting").textContent = format.count(waiting);
  }

  wishes({ name, isPaused }) {
    const title = queueName(name);
    return buttons(
      !NOT_PAUSED.has(name) && (isPaused
        ? ["Resume", `Resume ${title}`, (button) => this.pause(button, name, false)]
        : ["Pause", `Pause ${title}`, (button) => this.pause(button, name, true)]),
      ["More…", `More about ${title}`, (button) => this.more(button, name)]);
  }

  async pause(button, name, isPaused) {
    await this.act(button, "", async () => {
      await ask("updateQueue", { name }, { body: { isPaused } });
      return isPaused ? `${queueName(name)}: no new work is started.` : `${queueName(name)}: work goes on.`;
    });
  }

  async more(button, name) {
    const failed = await ask("queueJobs", { name }, { search: { status: "failed" } }).catch(() => []);
    const actions = [
      ...(NOT_STARTED.has(name) ? [] : [
        ["missing", "Do what is missing", "Also what failed or was taken off is tried once more."],
        ["all", "Do everything again", "For every photo and film, behind what is new."],
      ]),
      ["empty", "Take off what waits", "It stays undone until somebody asks for it."],
      ...(failed.length > 0 ? [["forget", "Forget what failed", "It is not counted as failed any more."]] : []),
    ];
    const text = failed.length === 0 ? "Nothing failed." : `${format.plural(failed.length, "piece of work", "pieces of work")} failed.`;
    const wish = await choose({ title: queueName(name), text, body: drawFailed(failed), actions });
    if (wish) await this.act(button, "", () => this.carryOut(name, wish));
  }

  async carryOut(name, wish) {
    const title = queueName(name);
    if (wish === "empty") {
      await ask("emptyQueue", { name }, { body: { failed: false } });
      return `${title}: what waited is taken off.`;
    }
    const body = { missing: { command: "start", force: false }, all: { command: "start", force: true }, forget: { command: "clear-failed" } }[wish];
    await ask("commandQueue", { name }, { body });
    return { missing: `${title}: what is missing is asked for.`, all: `${title}: everything is done again, behind what is new.`, forget: `${title}: what failed is forgotten.` }[wish];
  }
}

const figure = (number) => (number === 0 ? el("span", { class: "none", text: "0" }) : format.count(number));

function drawFailed(failed) {
  if (failed.length === 0) return null;
  const lines = failed.slice(0, FAILED_SHOWN_MAX).map((job) => {
    const id = JOB_ID.exec(job.data?.id ?? job.id)?.[0];
    return el("li", {}, id ? stream(`asset-${id}`) : job.name);
  });
  return el("ul", { class: "failed-jobs" }, ...lines);
}
