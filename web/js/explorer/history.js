// Everything that happened to one object.

import { byId, el } from "../dom.js";
import * as format from "../format.js";
import { drawEvent } from "./event.js";
import { ask, has } from "./operations.js";
import { Part } from "./part.js";
import { KINDS } from "./words.js";

const PAGE_EVENTS = 100;

export class History extends Part {
  /** `prove(eventId, button)` saves the proof of an event. */
  constructor(prove) {
    super("history", "assetHistory");
    this.prove = prove;
    this.form = byId("history-form");
    this.list = byId("history-events");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { kind, id } = this.form.elements;
      if (!id.value.trim()) return this.refuse();
      const address = `#history/${kind.value}/${id.value.trim()}`;
      if (location.hash === address) this.tell(kind.value, id.value.trim());
      else location.hash = address;
    });
    byId("history-more").addEventListener("click", () => this.more());
  }

  async refresh() {
    const kinds = KINDS.filter(({ operation }) => has(operation));
    const { kind } = this.form.elements;
    if (kind.options.length === 0) kind.replaceChildren(...kinds.map((one) => el("option", { value: one.kind, text: one.name })));
  }

  refuse() {
    this.say("Which object? Its id is missing.", true);
    this.form.elements.id.focus();
  }

  /** Shows the history of an object and takes the focus there. */
  async tell(kind, id) {
    const known = KINDS.find((one) => one.kind === kind);
    if (!known || !has(known.operation)) return this.say("This server tells no history of that.", true);
    this.form.elements.kind.value = kind;
    this.form.elements.id.value = id;
    this.asked = { known, id, count: 0 };
    this.list.replaceChildren();
    this.say("Reading …");
    await this.page({});
  }

  more() {
    return this.page({ after: this.next });
  }

  async page(search) {
    const { asked } = this;
    try {
      const answer = await ask(asked.known.operation, { id: asked.id }, { search: { ...search, limit: PAGE_EVENTS } });
      if (this.asked !== asked) return;
      const events = answer.events ?? [];
      const first = this.list.childElementCount;
      this.list.append(...events.map((event) => drawEvent(event, { prove: this.prove })));
      this.next = answer.next ?? null;
      byId("history-more").hidden = this.next === null;
      asked.count += events.length;
      const views = answer.views?.length ? `, seen in ${format.plural(answer.views.length, "hour", "hours")}` : "";
      this.say(`${known(asked)}: ${format.plural(asked.count, "event", "events")}${this.next === null ? "" : " so far"}${views}.`);
      if (first > 0) this.list.children[first]?.querySelector("summary")?.focus();
    } catch (error) {
      if (this.asked === asked) this.say(error.message, true);
      byId("history-more").hidden = true;
    }
  }
}

const known = ({ known: { name }, id }) => `${name} ${id.slice(0, 8)}`;
