// What a projection made anew would change: numbers by table, and some rows with what they are and would be.

import { el } from "../dom.js";
import * as format from "../format.js";

const VALUE_CHARS_MAX = 160;

export class Comparison {
  constructor(host) {
    this.host = host;
  }

  /** Shows what differed between both generations; says it in one sentence. */
  draw({ name, comparison, examples = [] }) {
    if (!comparison) return `${name}: nothing was compared.`;
    const said = comparison.isSame ? `${name}: both generations hold the same rows.` : `${name}: rows differ.`;
    this.host.hidden = false;
    this.host.classList.toggle("bad", !comparison.isSame);
    this.host.replaceChildren(
      el("h3", { text: comparison.isSame ? `Nothing would change in ${name}` : `What would change in ${name}` }),
      el("p", { class: "quiet", text: `Compared at position ${format.count(comparison.position)}.` }),
      drawTables(comparison.tables, name),
      ...(examples.length > 0 ? [el("ol", { class: "findings", "aria-label": "Rows that differ" }, ...examples.map(drawExample))] : []));
    this.host.focus();
    return said;
  }
}

function drawTables(tables, name) {
  const columns = ["Table", "Live rows", "Rows anew", "Only live", "Only anew", "Different"];
  const cells = (row) => [row.liveRows, row.nextRows, row.onlyLive, row.onlyNext, row.different];
  const lines = tables.map((row) => el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, el("code", { text: row.table })),
    ...cells(row).map((number, at) => el("td", { role: "cell", class: number > 0 && at > 1 ? "number warn" : "number", "data-label": columns[at + 1], text: format.count(number) }))));
  const heads = columns.map((text, at) => el("th", { scope: "col", role: "columnheader", class: at > 0 ? "number" : null, text }));
  return el("table", { role: "table" },
    el("caption", { text: `Tables of ${name}, as they are and as they would be` }),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
    el("tbody", { role: "rowgroup" }, ...lines));
}

function drawExample({ table, key, live, next, columns }) {
  const what = live && next ? "differs" : live ? "is there now only" : "would be new";
  const fields = (columns ?? []).map((column) => el("div", {}, el("dt", { text: column }), el("dd", {}, text(live?.[column]), " → ", el("strong", { text: text(next?.[column]) }))));
  return el("li", {}, el("code", { text: `${table} ${JSON.stringify(key)}` }), ` ${what}`, fields.length > 0 ? el("dl", {}, ...fields) : null);
}

function text(value) {
  const whole = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return whole.length > VALUE_CHARS_MAX ? `${whole.slice(0, VALUE_CHARS_MAX)}…` : whole;
}
