// Lays photos out in justified rows. Pure: numbers in, numbers out.

const RATIO_MIN = 0.5;
const RATIO_MAX = 2.6;
const RATIO_GUESS = 1.35;
const COMPACT_SHARE = 0.72;

/**
 * The wished row height and the gap, in CSS pixels, for a timeline this wide, and how far beyond
 * that height a last row may grow to fill its line.
 */
export function metrics(width) {
  if (width < 560) return { width, target: 132, gap: 3, stretch: 1.5 };
  if (width < 1000) return { width, target: 176, gap: 5, stretch: 1.25 };
  return { width, target: width < 1700 ? 216 : 248, gap: 6, stretch: 1.25 };
}

/**
 * The width a short month takes, so that others fit beside it; null if it fills the line. `rows`
 * are those of `justify`; without them the width is guessed from `count`.
 */
export function compactWidth(rows, count, { width, target, gap }) {
  const used = rows
    ? rows.length === 1 && rows[0].widths.reduce((sum, wide) => sum + wide + gap, -gap)
    : Math.round(count * (RATIO_GUESS * target + gap) - gap);
  return used && used < width * COMPACT_SHARE ? used : null;
}

/** The height a month of `count` photos will take, before their shapes are known. */
export function guessHeight(count, { width, target, gap }) {
  const rows = Math.ceil((count * (RATIO_GUESS * target + gap)) / width);
  return Math.max(1, rows) * (target + gap) - gap;
}

/**
 * Rows `{top, height, start, widths}` for photos with these ratios (width over height), and the
 * height of all of them. Every row but the last fills the width exactly.
 */
export function justify(ratios, { width, target, gap, stretch }) {
  const rows = [];
  let top = 0;
  let start = 0;
  let sum = 0;
  const heightOf = (total, n) => (width - gap * (n - 1)) / total;

  const close = (end, total, wanted) => {
    const n = end - start;
    const fits = heightOf(total, n);
    const isFull = wanted === null;
    const height = Math.round(isFull ? fits : Math.min(fits, wanted));
    const widths = [];
    let used = 0;
    for (let i = start; i < end; i += 1) {
      const isLast = isFull && i === end - 1;
      const wide = isLast ? width - used : Math.round(clamp(ratios[i]) * (isFull ? fits : height));
      widths.push(wide);
      used += wide + gap;
    }
    rows.push({ top, height, start, widths });
    top += height + gap;
    start = end;
  };

  for (let i = 0; i < ratios.length; i += 1) {
    const ratio = clamp(ratios[i]);
    const withIt = heightOf(sum + ratio, i - start + 1);
    if (withIt > target) {
      sum += ratio;
      continue;
    }
    // The row is full. Whichever is nearer to the wished height: with this photo, or without.
    const without = i > start ? heightOf(sum, i - start) : Infinity;
    if (without / target < target / withIt) {
      close(i, sum, null);
      sum = ratio;
      if (heightOf(sum, 1) > target) continue;
    } else {
      sum += ratio;
    }
    close(i + 1, sum, null);
    sum = 0;
  }
  if (start < ratios.length) {
    const isNearlyFull = heightOf(sum, ratios.length - start) <= target * stretch;
    close(ratios.length, sum, isNearlyFull ? null : target);
  }
  return { rows, height: Math.max(0, top - gap) };
}

const clamp = (ratio) => Math.min(RATIO_MAX, Math.max(RATIO_MIN, ratio || 1));
