// Numbers and times in words. The page speaks English, so other locales fall back to British dates.

const LOCALE = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
const utc = (options) => new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", ...options });
const MONTH = utc({ month: "long", year: "numeric" });
const DAY = utc({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
const LONG_DAY = utc({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const CLOCK = utc({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const HERE = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
const COUNT = new Intl.NumberFormat(LOCALE);

const MINUTE_MS = 60_000;

/** `2024-01-01` as `January 2024`. */
export const month = (timeBucket) => MONTH.format(new Date(`${timeBucket.slice(0, 10)}T00:00:00Z`));

/** A timestamp that the timeline sends without a zone; it means UTC. */
export const zoneless = (text) => new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);

/** The day on the photographer's calendar. */
export const localDay = (instant, offsetHours) => DAY.format(new Date(instant.getTime() + offsetHours * 60 * MINUTE_MS));

/** Wall-clock time written as if it were UTC, in full. */
export function wallClock(localDateTime) {
  const date = new Date(localDateTime);
  return { day: LONG_DAY.format(date), time: CLOCK.format(date) };
}

/** The distance of wall clock from UTC, such as `UTC−7` or `UTC+5:30`. */
export function offset(localDateTime, fileCreatedAt) {
  const minutes = Math.round((new Date(localDateTime) - new Date(fileCreatedAt)) / MINUTE_MS);
  if (!Number.isFinite(minutes)) return "";
  if (minutes === 0) return "UTC";
  const hours = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** An instant in the reader's own zone. */
export const here = (instant) => HERE.format(new Date(instant));

export const count = (number) => COUNT.format(number);
export const plural = (number, one, many) => `${COUNT.format(number)} ${number === 1 ? one : many}`;

/** Bytes in decimal units with three digits. */
export function bytes(size) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = size;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}\u00a0${units[unit]}`;
}

/** Milliseconds as `1:05` or `1:02:03`. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Degrees with four decimals, about eleven metres. */
export function coordinates(latitude, longitude) {
  const one = (value, positive, negative) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`;
  return `${one(latitude, "N", "S")}, ${one(longitude, "E", "W")}`;
}

/** The extension of a file name in capitals, or `FILE`. */
export function fileType(name) {
  const match = /\.([A-Za-z0-9]{1,5})$/.exec(name ?? "");
  return match ? match[1].toUpperCase() : "FILE";
}
