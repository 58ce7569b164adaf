// The keyboard's way through the timeline: one tab stop among all photos, moved by the arrows.

export class Walk {
  constructor(timeline) {
    this.timeline = timeline;
    this.cursor = null;
    timeline.root.addEventListener("focusin", (event) => this.focused(event.target.closest(".tile")));
    timeline.root.addEventListener("keydown", (event) => this.pressed(event));
  }

  focused(tile) {
    if (!tile) return;
    this.cursor = tile.dataset.id;
    this.keepOneStop();
  }

  keepOneStop() {
    const stop = this.tileOf(this.cursor) ?? this.firstVisible();
    for (const tile of this.timeline.root.querySelectorAll('.tile[tabindex="0"]')) if (tile !== stop) tile.tabIndex = -1;
    if (stop) stop.tabIndex = 0;
  }

  tileOf(id) {
    return id ? this.timeline.root.querySelector(`.tile[data-id="${CSS.escape(id)}"]`) : null;
  }

  firstVisible() {
    const inset = topInset();
    return [...this.timeline.root.querySelectorAll(".tile")].find((tile) => tile.getBoundingClientRect().top >= inset) ?? null;
  }

  /** Focuses a photo, scrolling only as far as it takes to see it. */
  focus(id) {
    const place = this.timeline.find(id);
    if (!place) return;
    const { month, index } = place;
    const row = month.rows[month.rowOf(index)];
    const top = month.body.getBoundingClientRect().top + row.top;
    // The first row of a month is shown with its heading.
    const low = topInset() + (row.top === 0 ? month.body.offsetTop : 8);
    const high = window.innerHeight - bottomInset() - 8;
    if (top < low) window.scrollBy({ top: top - low, behavior: "instant" });
    else if (top + row.height > high) window.scrollBy({ top: top + row.height - high, behavior: "instant" });
    this.cursor = id;
    month.draw(id);
    this.tileOf(id)?.focus({ preventScroll: true });
  }

  /** Moves the focus from outside the grid to the first photo in sight. */
  enter() {
    const tile = this.tileOf(this.cursor) ?? this.firstVisible();
    if (tile) this.focus(tile.dataset.id);
  }

  async pressed(event) {
    const id = event.target.closest(".tile")?.dataset.id;
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const line = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step && !line) return;
    event.preventDefault();
    const next = step ? await this.timeline.neighbour(id, step) : await this.below(id, line);
    if (next) this.focus(next.id);
  }

  /** The photo in the line above or below whose middle is nearest; short months share a line. */
  async below(id, line) {
    const { month, index } = this.timeline.find(id);
    const at = month.rowOf(index);
    const { gap } = this.timeline.metrics;
    const x = middleOf(month, at, index, gap);
    if (month.rows[at + line]) return nearest([month], () => at + line, x, gap);

    const own = month.section.offsetTop;
    const ahead = line > 0 ? this.timeline.months : [...this.timeline.months].reverse();
    const first = ahead.find((other) => (other.section.offsetTop - own) * line > 0);
    if (!first) return null;
    const beside = this.timeline.months.filter((other) => other.section.offsetTop === first.section.offsetTop);
    await Promise.all(beside.map((other) => (other.items ? null : other.load())));
    return nearest(beside, (other) => (line > 0 ? 0 : other.rows.length - 1), x, gap);
  }
}

/** Of one row of each month, the photo whose middle is nearest to `x`. */
function nearest(months, rowOf, x, gap) {
  let best = null;
  let bestFar = Infinity;
  for (const month of months) {
    const row = rowOf(month);
    const { start, widths } = month.rows[row];
    widths.forEach((_, i) => {
      const far = Math.abs(middleOf(month, row, start + i, gap) - x);
      if (far >= bestFar) return;
      best = month.items[start + i];
      bestFar = far;
    });
  }
  return best;
}

/** The middle of a photo, in pixels from the left edge of the timeline. */
function middleOf(month, row, index, gap) {
  const { start, widths } = month.rows[row];
  const left = widths.slice(0, index - start).reduce((sum, width) => sum + width + gap, month.section.offsetLeft);
  return left + widths[index - start] / 2;
}

const inset = (name) => parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name)) || 0;
/** The pixels covered at the top: by the bar on wide pages, by the month's heading on narrow ones. */
export const topInset = () => inset("--covered");
const bottomInset = () => inset("--bottom");
