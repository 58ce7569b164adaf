// One month of the timeline: a section whose height is reserved from its count, whose photos are
// loaded when it comes near, and of which only the rows around the viewport are in the document.

import * as api from "./api.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { compactWidth, guessHeight, justify } from "./layout.js";
import { drawTile, sameTile } from "./tile.js";

export class Month {
  constructor(timeBucket, count, grid) {
    this.key = timeBucket;
    this.count = count;
    this.grid = grid;
    this.items = null;
    this.rows = [];
    this.height = 0;
    this.isNear = false;
    this.isStale = false;
    this.loading = null;
    this.lastNear = 0;
    this.retryAt = 0;
    this.shown = new Map();
    this.tiles = new Map();

    const id = `month-${timeBucket.slice(0, 7)}`;
    this.tally = el("span", { class: "tally" });
    this.body = el("div", { class: "rows" });
    this.section = el("section", { class: "month", id, "aria-labelledby": `${id}-title` },
      el("h2", { id: `${id}-title`, text: format.month(timeBucket) }, " ", this.tally), this.body);
    this.section.month = this;
    this.setCount(count);
    this.guess();
  }

  setCount(count) {
    this.count = count;
    this.tally.textContent = format.count(count);
  }

  /** Reserves the room a month of this many photos will need. */
  guess() {
    this.setSize(guessHeight(this.count, this.grid.metrics), compactWidth(null, this.count, this.grid.metrics));
  }

  setSize(height, width) {
    this.height = height;
    this.body.style.height = `${height}px`;
    this.section.style.width = width ? `${width}px` : "";
    this.section.classList.toggle("compact", Boolean(width));
  }

  /** Loads the photos once; later callers wait for the same answer. */
  load() {
    this.loading ??= this.fetch().finally(() => { this.loading = null; });
    return this.loading;
  }

  async fetch() {
    this.isStale = false;
    const columns = await api.bucket(this.grid.filter, this.key);
    this.items = columns.id.map((id, i) => ({
      id,
      ratio: columns.ratio[i],
      thumbhash: columns.thumbhash[i],
      isFavorite: columns.isFavorite[i],
      isImage: columns.isImage[i],
      duration: columns.duration[i],
      isLive: Boolean(columns.livePhotoVideoId?.[i]),
      taken: format.zoneless(columns.fileCreatedAt[i]),
      added: format.zoneless(columns.createdAt[i]),
      offsetHours: columns.localOffsetHours?.[i] ?? 0,
      place: [columns.city?.[i], columns.country?.[i]].filter(Boolean).join(", "),
    }));
    this.setCount(this.items.length);
    this.relayout();
  }

  /** Gives the memory back; the height stays. */
  unload() {
    this.items = null;
    this.rows = [];
    this.clear();
  }

  clear() {
    this.body.replaceChildren();
    this.shown.clear();
    this.tiles.clear();
  }

  /** Computes the rows again and draws them, keeping what the reader looks at in its place. */
  relayout() {
    const hold = this.grid.holdPlace(this);
    if (!this.items) {
      this.guess();
      hold();
      return;
    }
    const { rows, height } = justify(this.items.map((item) => item.ratio), this.grid.metrics);
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    this.rows = rows;
    this.setSize(height, compactWidth(rows, this.count, this.grid.metrics));
    this.body.replaceChildren();
    this.shown.clear();
    hold();
    this.draw(focused);
    if (focused) this.tiles.get(focused)?.focus({ preventScroll: true });
  }

  /** Puts the rows around the viewport into the document and takes the others out. */
  draw(keepId = document.activeElement?.dataset?.id) {
    if (!this.items) return;
    const top = this.body.getBoundingClientRect().top;
    const from = -this.grid.margin - top;
    const to = window.innerHeight + this.grid.margin - top;
    const wanted = new Set();
    for (let i = firstRowBelow(this.rows, from); i < this.rows.length && this.rows[i].top < to; i += 1) wanted.add(i);
    const kept = keepId ? this.rowOf(this.indexOf(keepId)) : -1;
    if (kept >= 0) wanted.add(kept);

    for (const [index, row] of this.shown) {
      if (wanted.has(index)) continue;
      for (const tile of row.children) this.tiles.delete(tile.dataset.id);
      row.remove();
      this.shown.delete(index);
    }
    // In order of the document, so that the tab order is the order of the photos.
    let before = this.body.firstChild;
    for (const index of [...wanted].sort((a, b) => a - b)) {
      const shown = this.shown.get(index);
      if (shown) {
        before = shown.nextSibling;
        continue;
      }
      const row = this.drawRow(index);
      this.body.insertBefore(row, before);
      this.shown.set(index, row);
    }
    this.forgetTiles();
  }

  drawRow(index) {
    const { top, height, start, widths } = this.rows[index];
    const row = el("div", { class: "row" });
    row.style.top = `${top}px`;
    row.style.height = `${height}px`;
    widths.forEach((width, i) => {
      const item = this.items[start + i];
      const old = this.tiles.get(item.id);
      const tile = old && sameTile(old, item) ? old : drawTile(item, this.grid.view);
      tile.style.width = `${width}px`;
      this.tiles.set(item.id, tile);
      row.append(tile);
    });
    return row;
  }

  forgetTiles() {
    for (const [id, tile] of this.tiles) if (!tile.isConnected) this.tiles.delete(id);
  }

  indexOf(id) {
    return this.items ? this.items.findIndex((item) => item.id === id) : -1;
  }

  rowOf(index) {
    return index < 0 ? -1 : this.rows.findIndex((row) => index >= row.start && index < row.start + row.widths.length);
  }

  /** Takes one photo out at once, before the server's next answer. */
  remove(id) {
    const index = this.indexOf(id);
    if (index < 0) return;
    this.items.splice(index, 1);
    this.setCount(this.items.length);
    this.relayout();
  }

  /** Draws one photo again after it changed. */
  redraw(id) {
    const old = this.tiles.get(id);
    const item = this.items?.[this.indexOf(id)];
    if (!old || !item) return;
    const tile = drawTile(item, this.grid.view);
    tile.style.width = old.style.width;
    tile.tabIndex = old.tabIndex;
    const hadFocus = old === document.activeElement;
    old.replaceWith(tile);
    this.tiles.set(id, tile);
    if (hadFocus) tile.focus({ preventScroll: true });
  }
}

/** The first row whose end lies below `y`, by halving. */
function firstRowBelow(rows, y) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < y) low = middle + 1;
    else high = middle;
  }
  return low;
}
