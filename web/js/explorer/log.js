// Looking through the whole log: by kind, by who did it, and by time.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { drawEvent } from "./event.js";
import { hasKey } from "../api.js";
import { ask, save } from "./operations.js";
import { Part } from "./part.js";
import { KINDS } from "./words.js";

const PAGE_EVENTS = 50;
/** How far back is looked when nothing is said. */
const DAYS = 7;

export class Log extends Part {
  /** `prove(eventId, button)` saves the proof of an event. */
  constructor(prove) {
    super("log", "audit");
    this.prove = prove;
    this.form = byId("log-form");
    this.list = byId("log-events");
    this.form.elements.kind.append(...KINDS.map(({ kind, name }) => el("option", { value: kind, text: name })));
    this.form.elements.from.value = local(new Date(Date.now() - DAYS * 86_400_000));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    byId("log-more").addEventListener("click", () => this.page(this.next));
    for (const format of ["jsonl", "csv"]) byId(`log-${format}`).addEventListener("click", ({ currentTarget }) => this.save(currentTarget, format));
  }

  /** Offers the accounts, `{id, name}`, as those who did something. */
  offer(users) {
    byId("log-people").replaceChildren(...users.map((user) => el("option", { value: user.id, text: user.name })));
  }

  // Nothing is looked for before somebody asks. Whether a key may look is asked at once, of what is still to come.
  async refresh() {
    if (hasKey() && !this.wish) await ask("audit", {}, { search: { from: new Date().toISOString(), limit: 1 } });
  }

  asked() {
    const { kind, actor, from, to } = this.form.elements;
    const instant = (input) => (input.value ? new Date(input.value).toISOString() : "");
    return { kind: kind.value, actor: actor.value.trim(), from: instant(from), to: instant(to) };
  }

  async search() {
    this.wish = this.asked();
    this.count = 0;
    this.list.replaceChildren();
    await this.page();
  }

  async page(after) {
    const { wish } = this;
    this.say("Looking …");
    try {
      const answer = await ask("audit", {}, { search: { ...wish, after, limit: PAGE_EVENTS } });
      if (this.wish !== wish) return;
      const first = this.list.childElementCount;
      this.list.append(...answer.events.map((event) => drawEvent(event, { withStream: true, prove: this.prove })));
      this.count += answer.events.length;
      this.next = answer.next ?? null;
      this.say(this.told());
      if (first > 0) this.list.children[first]?.querySelector("summary")?.focus();
    } catch (error) {
      if (this.wish === wish) this.say(error.message, true);
    }
    byId("log-more").hidden = this.next === null;
    for (const id of ["log-jsonl", "log-csv"]) byId(id).hidden = this.count === 0;
  }

  told() {
    if (this.count === 0) return this.next === null ? "No event fits." : "No event fits so far; there is more of the log to look through.";
    return `${format.plural(this.count, "event fits", "events fit")}${this.next === null ? "" : " so far"}.`;
  }

  async save(button, kind) {
    await this.act(button, "", async () => {
      await save("audit", {}, { ...this.wish, format: kind }, `log.${kind}`);
      return "What fits is being saved.";
    });
  }
}

/** An instant as the reader's clock shows it, in the shape of an input's value. */
function local(instant) {
  const shifted = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
