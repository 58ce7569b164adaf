// Read models: how far each is, and making one anew beside the live one.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { Comparison } from "./comparison.js";
import { choose, confirm } from "./dialog.js";
import { ask, has } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { span } from "./words.js";

const POLL_MS = 5000;
const POLL_MS_URGENT = 2000;
/** A server that makes one anew in the request itself answers when it is done. */
const REBUILD_MS_MAX = 3_600_000;
const STAGES = { filling: "reading the log", indexing: "making its indexes", comparing: "comparing", switching: "switching" };
const WISHES = { rebuild: "rebuild", diff: "comparison", rollback: "way back" };

export class Projections extends Part {
  constructor() {
    super("projections", "projections", POLL_MS);
    this.rows = [];
    this.watched = new Map();
    this.comparison = new Comparison(byId("projections-report"));
    this.table = new Table(byId("projections-table"), {
      key: (row) => row.name,
      empty: byId("projections-empty"),
      columns: [
        (row) => (row.rebuild && isUnderWay(row.rebuild) ? el("div", {}, row.name, drawProgress(row.rebuild)) : row.name),
        (row) => row.version,
        (row) => format.count(row.position),
        (row) => (row.lagEvents > 0 ? el("strong", { class: "warn", text: format.count(row.lagEvents) }) : "0"),
        (row) => (row.parkedStreams > 0 ? el("a", { class: "warn", href: "#parked", text: format.count(row.parkedStreams) }) : "0"),
        (row) => this.wishes(row),
      ],
    });
    for (const id of ["projections-find", "projections-troubled"]) byId(id).addEventListener("input", () => this.draw(this.rows));
  }

  fetch() {
    return ask("projections");
  }

  draw(rows) {
    this.rows = [...rows].sort((one, other) => one.name.localeCompare(other.name));
    const wanted = byId("projections-find").value.trim().toLowerCase();
    const onlyTroubled = byId("projections-troubled").checked;
    this.table.draw(this.rows.filter((row) => row.name.includes(wanted) && (!onlyTroubled || isTroubled(row))));
    const end = Math.max(0, ...rows.map((row) => row.position + row.lagEvents));
    const behind = rows.filter((row) => row.lagEvents > 0).length;
    byId("figure-events").textContent = format.count(end);
    byId("figure-behind").textContent = `${format.count(behind)} of ${format.count(rows.length)}`;
    this.everyMs = rows.some(({ rebuild }) => rebuild?.state === "running") ? POLL_MS_URGENT : POLL_MS;
    for (const [name, began] of this.watched) this.watch(rows.find((row) => row.name === name)?.rebuild, began);
  }

  wishes({ name, rebuild }) {
    if (!rebuild || !isUnderWay(rebuild)) {
      return buttons(
        has("rebuildProjection") && ["Rebuild…", `Rebuild ${name}`, (button) => this.rebuild(button, name)],
        has("diffProjection") && ["More…", `More about ${name}`, (button) => this.more(button, name)]);
    }
    const goesOn = rebuild.state === "failed" ? ["Try again", `Try the rebuild of ${name} again`] : ["Resume", `Resume the rebuild of ${name}`];
    return buttons(
      rebuild.state === "running"
        ? ["Pause", `Pause the rebuild of ${name}`, (button) => this.pause(button, name, true)]
        : [...goesOn, (button) => this.pause(button, name, false)],
      ["Give up…", `Give up the rebuild of ${name}`, (button) => this.giveUp(button, name)]);
  }

  async rebuild(button, name) {
    const text = "Its tables are made anew from the first event on, beside the live ones, which answer until that is done. On a large library it takes minutes.";
    if (!(await confirm(`Rebuild ${name}?`, text, "Rebuild"))) return;
    if (has("changeRebuild")) return this.start(button, "rebuildProjection", name);
    await this.act(button, `Rebuilding ${name} from the log …`, async () => {
      const began = performance.now();
      const done = await ask("rebuildProjection", { name }, { body: {}, timeoutMs: REBUILD_MS_MAX });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      return `${name} was made anew from ${format.plural(done.events, "event", "events")} in ${seconds} s.`;
    });
  }

  async more(button, name) {
    const { rebuild } = this.rows.find((row) => row.name === name);
    const actions = [
      ["diff", "Compare, change nothing", "Makes the tables anew, says what would change, and drops them."],
      ...(rebuild?.comparison ? [["show", "Show the last comparison", `Of ${format.here(rebuild.beganAt)}.`]] : []),
      ...(rebuild?.previous ? [
        ["back", "Go back to the former tables", "They take in what happened since, and answer then."],
        ["drop", "Drop the former tables", "There is no way back to them then."],
      ] : []),
    ];
    const text = rebuild?.previous
      ? `The tables that were live until ${format.here(rebuild.previous.since)} are kept.`
      : "No former tables are kept.";
    const wish = await choose({ title: name, text, actions });
    if (wish === "diff") await this.start(button, "diffProjection", name);
    if (wish === "show") await this.act(button, "", () => this.show(name));
    if (wish === "back") await this.start(button, "rollBackProjection", name);
    if (wish === "drop") await this.act(button, "", async () => {
      await ask("discardRebuild", { name });
      return `The former tables of ${name} are dropped.`;
    });
  }

  async start(button, operation, name) {
    await this.act(button, "", async () => {
      const { beganAt } = await ask(operation, { name }, { body: {}, search: { wait: false } });
      this.watched.set(name, beganAt);
      return `${name}: begun.`;
    });
  }

  async pause(button, name, isPaused) {
    await this.act(button, "", async () => {
      await ask("changeRebuild", { name }, { body: { isPaused } });
      return isPaused ? `${name}: paused where it is.` : `${name}: goes on.`;
    });
  }

  async giveUp(button, name) {
    if (!(await confirm("Give this up?", `What was built of ${name} so far is dropped. The live tables stay as they are.`, "Give up"))) return;
    await this.act(button, "", async () => {
      this.watched.delete(name);
      await ask("discardRebuild", { name });
      return `${name}: given up.`;
    });
  }

  /** Says how something ended that this page began. */
  watch(rebuild, began) {
    if (!rebuild || rebuild.beganAt !== began || ["running", "paused"].includes(rebuild.state)) return;
    const { name } = rebuild;
    this.watched.delete(name);
    if (rebuild.state === "failed") return this.say(`${name}: stopped, ${rebuild.failure?.reason ?? "nobody knows why"}`, true);
    if (rebuild.state !== "done") return;
    const events = format.plural(rebuild.events, "event", "events");
    if (rebuild.wish === "diff") this.show(name).then((said) => this.say(said), (error) => this.say(error.message, true));
    else this.say(`${name} was ${rebuild.wish === "rollback" ? "switched back" : "made anew"}; ${events} were read.`);
  }

  async show(name) {
    const rebuild = await ask("projectionRebuild", { name });
    return this.comparison.draw(rebuild);
  }
}

const isUnderWay = ({ state }) => ["running", "paused", "failed"].includes(state);
const isTroubled = (row) => row.lagEvents > 0 || row.parkedStreams > 0 || Boolean(row.rebuild && isUnderWay(row.rebuild));

function drawProgress(rebuild) {
  const { position, target, state, stage, failure } = rebuild;
  if (state === "failed") {
    const where = failure?.eventType ? `${failure.eventType} at position ${format.count(failure.position)}: ` : "";
    return el("small", { class: "making warn" }, `stopped at ${where}${failure?.reason ?? "something unknown"}`);
  }
  const percent = target > 0 ? Math.floor((100 * position) / target) : 0;
  const rate = state === "running" && rebuild.eventsPerSecond > 0 ? `, ${format.count(Math.round(rebuild.eventsPerSecond))} events/s` : "";
  const left = rebuild.secondsLeft === null || rebuild.secondsLeft === undefined ? "" : `, ${span(rebuild.secondsLeft)} left`;
  return el("span", { class: "making" },
    el("progress", { max: Math.max(target, 1), value: position, "aria-label": `${WISHES[rebuild.wish]} of ${rebuild.name}` }),
    `${state === "paused" ? "paused" : STAGES[stage] ?? stage}, ${percent} %${rate}${left}`);
}
