// Models: which are in use, trying another one beside it, what that would change, switching, and the way back.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { choose, confirm } from "./dialog.js";
import { drawDiff } from "./modeldiff.js";
import { ask, has } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { short } from "./words.js";

const POLL_MS = 15_000;
const POLL_MS_URGENT = 5000;
const DIFF_MS_MAX = 300_000;
const WORDS_MAX = 50;
const TASKS = { smartSearch: "search by content", facialRecognition: "faces and people", ocr: "text in pictures" };

export class Models extends Part {
  constructor() {
    super("models", "models", POLL_MS);
    this.table = new Table(byId("models-table"), {
      key: (row) => `${row.task} ${row.name}`,
      empty: byId("models-empty"),
      columns: [
        (row) => el("span", {}, row.name, row.isInUse ? " " : "", row.isInUse ? el("em", { class: "tag good", text: "in use" }) : null, row.model ? el("small", {}, short(row.model.sha256)) : null),
        (row) => TASKS[row.task] ?? row.task,
        (row) => drawState(row),
        (row) => format.count(row.assets),
        (row) => this.wishes(row),
      ],
    });
  }

  async fetch() {
    const [tasks, trials] = await Promise.all([ask("models"), has("modelTrials") ? ask("modelTrials") : []]);
    return tasks.flatMap((task) => rowsOf(task, trials));
  }

  draw(rows) {
    this.table.draw(rows);
    this.everyMs = rows.some(({ trial }) => trial?.state === "open") ? POLL_MS_URGENT : POLL_MS;
  }

  wishes(row) {
    const { name, trial } = row;
    if (row.isInUse) return buttons(row.switched?.canRollBack && has("rollBackModel") && ["Go back…", `Go back from ${name}`, (button) => this.goBack(button, row)]);
    const isOpen = trial?.state === "open";
    return buttons(
      isOpen && ["Stop…", `Stop the trial of ${name}`, (button) => this.stop(button, row)],
      !isOpen && row.model && has("beginTrial") && ["Try…", `Try ${name}`, (button) => this.begin(button, row)],
      trial && has("compareModels") && ["Compare…", `Compare ${name} with the model in use`, (button) => this.compare(button, row)],
      trial && has("switchModel") && ["Switch…", `Switch to ${name}`, (button) => this.switchTo(button, row)]);
  }

  async begin(button, { task, name }) {
    const sample = el("input", { id: "ask-sample", type: "number", min: 1, step: 1, inputmode: "numeric" });
    const body = el("label", { class: "field" }, el("span", { text: "How many photos at most; all, if nothing stands here" }), sample);
    const text = "It is shown the library behind everything else. What it says is kept beside what is in use and changes nothing that anybody sees.";
    if (!(await confirm(`Try ${name}?`, text, "Try it", body))) return;
    await this.act(button, "", async () => {
      await ask("beginTrial", {}, { body: sample.value ? { task, name, sample: Number(sample.value) } : { task, name } });
      return `${name} is being tried.`;
    });
  }

  async stop(button, { name, trial }) {
    if (!(await confirm("Stop the trial?", `What ${name} said until now stays, beside what is in use.`, "Stop it"))) return;
    await this.act(button, "", async () => {
      await ask("cancelTrial", { id: trial.id });
      return `The trial of ${name} is stopped.`;
    });
  }

  async compare(button, { task, name }) {
    let words = [];
    if (task === "smartSearch") {
      const lines = el("textarea", { id: "ask-words", rows: 5, spellcheck: "false" });
      const body = el("label", { class: "field" }, el("span", { text: "Searches, one a line; ten usual ones, if nothing stands here" }), lines);
      if (!(await confirm(`Compare ${name}?`, "The first twenty photos of each search are compared, in every library.", "Compare", body))) return;
      words = lines.value.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, WORDS_MAX);
    }
    let said = false;
    await this.act(button, "Comparing …", async () => {
      const diff = await ask("compareModels", {}, { body: words.length > 0 ? { task, name, words } : { task, name }, timeoutMs: DIFF_MS_MAX });
      drawDiff(byId("models-diff"), diff);
      said = true;
      return `What would change with ${name} is shown below.`;
    });
    if (said) byId("models-diff").focus();
  }

  async switchTo(button, { task, name, trial }) {
    const incomplete = trial.missing > 0 || trial.state !== "finished";
    const lacks = incomplete ? ` It has said nothing of ${format.plural(trial.missing, "photo", "photos")} yet: those wait in their queue.` : "";
    const text = `What it said counts from now on, at once. Names, merges and whatever else people said stay, and there is a way back.${lacks}`;
    const wish = await choose({ title: `Switch to ${name}?`, text, actions: [["yes", incomplete ? "Switch all the same" : "Switch"]] });
    if (wish !== "yes") return;
    await this.act(button, "", async () => {
      await ask("switchModel", {}, { body: incomplete ? { task, name, incomplete } : { task, name } });
      return `${name} is in use.`;
    });
  }

  async goBack(button, { task, name }) {
    const text = "What the model before said counts again, at once. What people said since stays.";
    if (!(await confirm(`Go back from ${name}?`, text, "Go back"))) return;
    await this.act(button, "", async () => {
      await ask("rollBackModel", {}, { body: { task } });
      return "The model before is in use again.";
    });
  }
}

/** One row for each model that is there, and for the one in use also where it is not. */
function rowsOf({ task, name, model, installed, results, switched }, trials) {
  const isHere = installed.some((one) => one.isInUse);
  const all = isHere ? installed : [{ name, model, isInUse: true }, ...installed.filter((one) => one.name !== name)];
  return all.map((one) => {
    const said = one.model ? results.find((result) => isSame(result.model, one.model)) : null;
    const trial = trials.find((tried) => tried.task === task && tried.name === one.name);
    return { ...one, task, trial, switched, assets: said ? (one.isInUse ? said.assets : said.assets + said.beside) : 0 };
  });
}

const isSame = (one, other) => one.name === other.name && one.revision === other.revision && one.sha256 === other.sha256;

function drawState({ isInUse, model, trial, switched }) {
  if (!model) return el("span", { class: "warn", text: "not on this machine" });
  if (isInUse && switched && !switched.isFollowed) return `${format.plural(switched.followed, "photo follows", "photos follow")} so far`;
  if (isInUse || !trial) return isInUse ? "answers" : "not tried";
  const { tried, failed, missing, state } = trial;
  const words = `${format.count(tried)} tried${failed > 0 ? `, ${format.count(failed)} failed` : ""}${missing > 0 ? `, ${format.count(missing)} left` : ""}`;
  if (state !== "open") return el("span", {}, { finished: "trial finished", cancelled: "trial stopped" }[state] ?? state, el("small", { text: words }));
  return el("span", { class: "making" }, el("progress", { max: Math.max(tried + failed + missing, 1), value: tried + failed, "aria-label": `Trial of ${trial.name}` }), words);
}
