// The timeline: months one under the other, newest first, loaded as they come near.

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import * as format from "./format.js";
import { metrics } from "./layout.js";
import { Month } from "./month.js";
import { isDeveloping } from "./tile.js";
import { Walk, topInset } from "./walk.js";

const NEAR = "1400px 0px";
const DRAWN_MARGIN_PX = 700;
const LOADS_MAX = 3;
const LOAD_DELAY_MS = 60;
const RETRY_AFTER_MS = 5000;
const MONTHS_LOADED_MAX = 48;

/** What each view asks the server for. */
export const FILTERS = {
  photos: { visibility: "timeline" },
  favorites: { isFavorite: "true" },
  trash: { isTrashed: "true" },
};

export class Timeline {
  constructor({ onChange, onError }) {
    this.root = byId("timeline");
    this.rail = byId("rail");
    this.margin = DRAWN_MARGIN_PX;
    this.months = [];
    this.onChange = onChange;
    this.onError = onError;
    this.view = "photos";
    this.generation = 0;
    this.loads = 0;
    this.isFirst = true;
    this.metrics = metrics(this.root.clientWidth || window.innerWidth);

    this.observer = new IntersectionObserver((entries) => this.sawMonths(entries), { rootMargin: NEAR });
    new ResizeObserver(() => this.resized()).observe(this.root);
    window.addEventListener("scroll", () => this.soon(), { passive: true });
    this.walk = new Walk(this);
  }

  get filter() {
    return FILTERS[this.view];
  }

  get count() {
    return this.months.reduce((sum, month) => sum + month.count, 0);
  }

  /** Shows another selection from its top. */
  async open(view) {
    this.view = view;
    this.reset();
    window.scrollTo(0, 0);
    await this.refresh();
  }

  reset() {
    this.generation += 1;
    for (const month of this.months) this.observer.unobserve(month.section);
    this.months = [];
    this.walk.cursor = null;
    this.isFirst = true;
    this.root.replaceChildren();
    this.rail.replaceChildren();
  }

  /** Compares the months with the server's; `changed` names months whose photos changed. */
  async refresh(changed = new Set()) {
    const generation = this.generation;
    let answer;
    try {
      answer = await api.buckets(this.filter);
    } catch (error) {
      if (error.status !== 401 && this.isFirst) this.onError(error);
      return;
    }
    if (generation !== this.generation) return;
    this.isFirst = false;
    const old = new Map(this.months.map((month) => [month.key, month]));
    this.months = answer.filter(({ count }) => count > 0).map(({ timeBucket, count }) => {
      const month = old.get(timeBucket);
      if (!month) return this.addMonth(timeBucket, count);
      old.delete(timeBucket);
      if (month.count !== count || changed.has(timeBucket.slice(0, 7)) || month.items?.some(isDeveloping)) month.isStale = true;
      if (!month.items && month.count !== count) {
        month.setCount(count);
        month.relayout();
      }
      return month;
    });
    for (const month of old.values()) this.dropMonth(month);
    this.months.forEach((month, i) => {
      if (this.root.children[i] !== month.section) this.root.insertBefore(month.section, this.root.children[i] ?? null);
    });
    this.drawRail();
    this.soon();
    this.onChange(this.count);
  }

  addMonth(timeBucket, count) {
    const month = new Month(timeBucket, count, this);
    this.observer.observe(month.section);
    return month;
  }

  dropMonth(month) {
    this.observer.unobserve(month.section);
    month.section.remove();
  }

  sawMonths(entries) {
    for (const entry of entries) {
      entry.target.month.isNear = entry.isIntersecting;
      entry.target.month.lastNear = performance.now();
    }
    this.soon();
  }

  /** One pass per frame: draw what is near, then ask for what is missing. */
  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const month of this.months) if (month.isNear) month.draw();
      this.markYear();
      this.walk.keepOneStop();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.loadNear(), LOAD_DELAY_MS);
    });
  }

  loadNear() {
    const middle = window.innerHeight / 2;
    const distance = (month) => {
      const box = month.section.getBoundingClientRect();
      return box.top > middle ? box.top - middle : Math.max(0, middle - box.bottom);
    };
    const wanted = this.months
      .filter((month) => month.isNear && !month.loading && performance.now() >= month.retryAt && (!month.items || month.isStale))
      .sort((a, b) => distance(a) - distance(b));
    for (const month of wanted.slice(0, LOADS_MAX - this.loads)) this.load(month);
    this.unloadFar();
  }

  async load(month) {
    this.loads += 1;
    try {
      await month.load();
      this.dropIfEmpty(month);
      this.onChange(this.count);
    } catch (error) {
      if (error.status !== 401) this.onError(error);
      month.retryAt = performance.now() + RETRY_AFTER_MS;
    } finally {
      this.loads -= 1;
    }
    this.soon();
  }

  unloadFar() {
    const loaded = this.months.filter((month) => month.items);
    if (loaded.length <= MONTHS_LOADED_MAX) return;
    loaded.filter((month) => !month.isNear).sort((a, b) => a.lastNear - b.lastNear)
      .slice(0, loaded.length - MONTHS_LOADED_MAX).forEach((month) => month.unload());
  }

  dropIfEmpty(month) {
    if (month.count > 0) return;
    this.months = this.months.filter((other) => other !== month);
    this.dropMonth(month);
    this.drawRail();
  }

  resized() {
    const width = this.root.clientWidth;
    if (width === 0 || width === this.metrics.width) return;
    this.metrics = metrics(width);
    const top = this.months.find((month) => month.section.getBoundingClientRect().bottom > 0);
    const before = top?.section.getBoundingClientRect().top ?? 0;
    for (const month of this.months) month.relayout();
    if (top && window.scrollY > 0) window.scrollBy({ top: top.section.getBoundingClientRect().top - before, behavior: "instant" });
    this.soon();
  }

  /**
   * Called before a month changes its size; the answer is called after. Keeps what the reader
   * looks at where it was: another month, the first visible photo of this one, or, before its
   * photos are known, the same share of it above the viewport.
   */
  holdPlace(month) {
    const anchor = window.scrollY > 0 && this.months.find((other) => other.section.getBoundingClientRect().bottom > topInset());
    if (!anchor || !anchor.section.isConnected) return () => {};
    const box = anchor.body.getBoundingClientRect();
    const scroll = (shift) => { if (shift) window.scrollBy({ top: shift, behavior: "instant" }); };
    if (anchor !== month) return () => scroll(anchor.body.getBoundingClientRect().top - box.top);

    const seen = [...month.tiles.values()].find((tile) => tile.isConnected && tile.getBoundingClientRect().bottom > topInset());
    const id = seen?.dataset.id;
    const offset = seen ? seen.getBoundingClientRect().top - box.top : 0;
    return () => {
      const top = month.body.getBoundingClientRect().top;
      const row = month.rows[month.rowOf(month.indexOf(id))];
      const share = Math.min(1, Math.max(0, -box.top / (box.height || 1)));
      scroll(top - box.top + (row ? row.top - offset : share * (month.height - box.height)));
    };
  }

  // Years at the side.

  drawRail() {
    const years = new Map();
    for (const month of this.months) {
      const year = month.key.slice(0, 4);
      if (!years.has(year)) years.set(year, month);
    }
    this.rail.hidden = years.size < 2;
    this.rail.replaceChildren(...[...years].map(([year, month]) =>
      el("button", { type: "button", "data-year": year, text: year, on: { click: () => this.goTo(month) } })));
    this.markYear();
  }

  goTo(month) {
    window.scrollTo({ top: window.scrollY + month.section.getBoundingClientRect().top - topInset(), behavior: "instant" });
  }

  markYear() {
    const inset = topInset() + 1;
    const current = this.months.find((month) => month.section.getBoundingClientRect().bottom > inset)?.key.slice(0, 4);
    for (const button of this.rail.children) {
      if (button.dataset.year === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  // Finding photos.

  find(id) {
    for (const month of this.months) {
      const index = month.indexOf(id);
      if (index >= 0) return { month, index, item: month.items[index] };
    }
    return null;
  }

  /** The photo `step` places on, loading the next month if it must; null at either end. */
  async neighbour(id, step) {
    const place = this.find(id);
    if (!place) return null;
    const inside = place.month.items[place.index + step];
    if (inside) return inside;
    const next = this.months[this.months.indexOf(place.month) + step];
    if (!next) return null;
    if (!next.items) await next.load();
    return step > 0 ? next.items[0] : next.items.at(-1);
  }

  /** Loads the month that holds this asset, for a page opened on one photo. */
  async bring(asset) {
    const key = asset.localDateTime.slice(0, 7);
    const month = this.months.find((candidate) => candidate.key.startsWith(key));
    if (month && !month.items) await month.load();
  }

  setFavorite(id, isFavorite) {
    const place = this.find(id);
    if (!place) return;
    place.item.isFavorite = isFavorite;
    place.month.redraw(id);
  }

  remove(id) {
    const place = this.find(id);
    if (!place) return;
    place.month.remove(id);
    this.dropIfEmpty(place.month);
    this.onChange(this.count);
    this.soon();
  }
}
