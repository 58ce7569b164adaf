// Imports: what each made, its receipt, and taking one back after a look at what that would do.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { confirm } from "./dialog.js";
import { ask, save } from "./operations.js";
import { Part } from "./part.js";
import { Table, buttons } from "./table.js";
import { time } from "./words.js";

const POLL_MS = 15_000;
const SHOWN_FIRST = 8;
/** Parts of a rollback that are asked for at most; each is some hundreds of assets. */
const PARTS_MAX = 10_000;
const PART_MS_MAX = 300_000;
const STATES = { open: "open", closed: "done", rolledBack: "taken back" };

export class Imports extends Part {
  constructor() {
    super("imports", "batches", POLL_MS);
    this.showsAll = false;
    this.table = new Table(byId("imports-table"), {
      key: (batch) => batch.id,
      empty: byId("imports-empty"),
      columns: [
        (batch) => el("a", { href: `#history/batch/${batch.id}` }, time(batch.openedAt)),
        (batch) => STATES[batch.status] ?? batch.status,
        (batch) => format.count(batch.created),
        (batch) => format.count(batch.duplicates),
        (batch) => format.bytes(batch.createdBytes),
        (batch) => format.count(batch.albums),
        (batch) => buttons(
          ["Receipt", `Save the receipt of the import of ${format.here(batch.openedAt)}`, (button) => this.receipt(button, batch.id)],
          batch.status !== "rolledBack" && ["Take back…", `Take back the import of ${format.here(batch.openedAt)}`, (button) => this.takeBack(button, batch)]),
      ],
    });
    byId("imports-all").addEventListener("click", () => {
      this.showsAll = true;
      this.draw(this.batches);
    });
  }

  fetch() {
    return ask("batches");
  }

  draw(batches) {
    this.batches = batches;
    this.table.draw(this.showsAll ? batches : batches.slice(0, SHOWN_FIRST));
    byId("imports-all").hidden = this.showsAll || batches.length <= SHOWN_FIRST;
    byId("imports-all").textContent = `Show all ${format.count(batches.length)}`;
  }

  async receipt(button, id) {
    await this.act(button, "", async () => {
      await save("batchReceipt", { id }, {}, `receipt-${id}.json`);
      return "The receipt is saved.";
    });
  }

  async takeBack(button, batch) {
    const would = await this.preview(button, batch);
    if (!would) return;
    const text = `What the import of ${format.here(batch.openedAt)} made goes into the trash, and can be restored from there. What somebody changed since stays.`;
    if (!(await confirm("Take this import back?", text, "Take it back", drawParts(would)))) return this.say("Nothing was taken back.");
    await this.act(button, "Taking it back …", async () => {
      const done = await this.parts(batch, false);
      return `${format.plural(done.assets, "photo", "photos")} went into the trash, ${format.count(done.leftAlone)} stayed.`;
    });
  }

  async preview(button, batch) {
    let would = null;
    await this.act(button, "Looking what that would do …", async () => {
      would = await this.parts(batch, true);
      return "";
    });
    return would;
  }

  /** Asks for one part after the other and adds up what they did, or would do. */
  async parts(batch, preview) {
    const sum = { assets: 0, leftAlone: 0, albumEntries: 0, tagsRemoved: 0, albums: 0 };
    let before;
    for (let part = 0; part < PARTS_MAX; part += 1) {
      const body = before === undefined ? { preview } : { preview, before };
      const done = await ask("rollBackBatch", { id: batch.id }, { body, timeoutMs: PART_MS_MAX });
      sum.assets += done.assetIds.length;
      sum.leftAlone += done.leftAlone.length;
      sum.albumEntries += done.albumEntries;
      sum.tagsRemoved += done.tagsRemoved;
      sum.albums += done.albumIds.length;
      if (done.next === null) return sum;
      before = done.next;
    }
    return sum;
  }
}

function drawParts(sum) {
  const facts = [
    ["Into the trash", format.plural(sum.assets, "photo", "photos")],
    ["Stay, because they were changed", format.plural(sum.leftAlone, "photo", "photos")],
    ["Taken out of albums", format.plural(sum.albumEntries, "time", "times")],
    ["Tags taken off", format.plural(sum.tagsRemoved, "time", "times")],
    ["Albums that go", format.count(sum.albums)],
  ];
  return el("dl", { class: "facts-list" }, ...facts.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value }))));
}
