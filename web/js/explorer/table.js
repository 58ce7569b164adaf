// A table whose head stands in the page and whose rows follow the server's answers. Only cells that differ are
// replaced, so that neither focus nor selection is lost when figures change.

import { el } from "../dom.js";

export class Table {
  /**
   * `key(row)` tells rows apart. `columns` has a function for each column of the head, from a row to its text or an
   * element; the first is the row's header. `empty` is shown in place of a table without rows.
   */
  constructor(table, { key, columns, empty = null }) {
    this.table = table;
    this.body = table.tBodies[0];
    this.key = key;
    this.columns = columns;
    this.empty = empty;
    this.heads = [...table.tHead.rows[0].cells];
    this.rows = new Map();
    // As cards on a narrow screen a table keeps being one only by its roles.
    table.setAttribute("role", "table");
    for (const part of [table.tHead, this.body]) part.setAttribute("role", "rowgroup");
    table.tHead.rows[0].setAttribute("role", "row");
    for (const head of this.heads) head.setAttribute("role", "columnheader");
  }

  draw(rows) {
    this.table.hidden = rows.length === 0;
    if (this.empty) this.empty.hidden = rows.length > 0;
    const former = this.rows;
    this.rows = new Map();
    let place = this.body.firstElementChild;
    for (const row of rows) {
      const key = this.key(row);
      const line = former.get(key) ?? this.line();
      former.delete(key);
      this.rows.set(key, line);
      this.columns.forEach((column, at) => refresh(line.cells[at], column(row)));
      if (line === place) place = place.nextElementSibling;
      else this.body.insertBefore(line, place);
    }
    for (const line of former.values()) line.remove();
  }

  line() {
    const cells = this.heads.map((head, at) => {
      const label = head.querySelector(".unseen") ? null : head.textContent;
      const common = { class: head.className || null, "data-label": label };
      return at === 0 ? el("th", { scope: "row", role: "rowheader", ...common }) : el("td", { role: "cell", ...common });
    });
    return el("tr", { role: "row" }, ...cells);
  }
}

function refresh(cell, content) {
  const isNode = content instanceof Node;
  const [only] = cell.childNodes;
  if (isNode ? only?.isEqualNode(content) : cell.textContent === String(content) && !cell.firstElementChild) return;
  const focused = [...cell.querySelectorAll("button, a")].indexOf(document.activeElement);
  cell.replaceChildren(isNode ? content : String(content));
  if (focused >= 0) cell.querySelectorAll("button, a")[focused]?.focus();
}

/** Buttons in a cell: `[label, what it is for, action]` of each; the full name is for those who hear the table. */
export function buttons(...all) {
  return el("div", { class: "row-buttons" }, ...all.filter(Boolean).map(([label, name, action]) =>
    el("button", { type: "button", class: "small-button", "aria-label": name, text: label, on: { click: (event) => action(event.currentTarget) } })));
}
