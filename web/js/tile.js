// One photo in the timeline: a link with its average as placeholder, its thumbnail, its marks.

import * as api from "./api.js";
import { el, icon } from "./dom.js";
import * as format from "./format.js";
import { paint } from "./thumbhash.js";

const DEVELOPING_MS_MAX = 5 * 60_000;
const NAMES_MAX = 500;
const OUTCOMES = new Set(["AssetThumbnailsRecorded", "AssetProcessingFailed", "AssetProcessingRequested"]);

const names = new Map();

/** Whether the server is probably still working on this photo. */
export const isDeveloping = (item) => !item.thumbhash && Date.now() - item.added < DEVELOPING_MS_MAX;

/** The sentence that stands for a photo where it cannot be seen. */
export function describe(item) {
  const kind = item.isImage ? "Photo" : "Video";
  return [kind, format.localDay(item.taken, item.offsetHours), item.place, item.isFavorite ? "favorite" : ""]
    .filter(Boolean).join(", ");
}

/** Whether this element already shows this photo as it is now. */
export const sameTile = (tile, item) => tile.dataset.state === stateOf(item);

const stateOf = (item) => `${item.thumbhash ?? ""} ${item.isFavorite}`;

/** The link for one photo, out of the tab order; the grid has one tab stop. */
export function drawTile(item, view) {
  const tile = el("a", {
    class: "tile",
    href: `#/${view}/${item.id}`,
    tabindex: -1,
    draggable: "false",
    "aria-label": describe(item),
    "data-id": item.id,
    "data-state": stateOf(item),
  });
  if (item.thumbhash) {
    const canvas = el("canvas", { "aria-hidden": true });
    if (paint(canvas, item.thumbhash)) tile.append(canvas);
  } else {
    tile.classList.add("bare");
  }
  const image = el("img", { alt: "", decoding: "async", draggable: "false" });
  image.addEventListener("load", () => tile.classList.add("ready"));
  image.addEventListener("error", () => showBare(tile, image, item));
  image.src = api.thumbnailUrl(item.id, item.thumbhash);
  tile.append(image);

  const caption = [format.localDay(item.taken, item.offsetHours), item.place].filter(Boolean).join(" · ");
  tile.append(el("span", { class: "caption", "aria-hidden": true, text: caption }));
  if (!item.isImage) tile.append(el("span", { class: "badge", "aria-hidden": true }, icon("play"), item.duration ? format.duration(item.duration) : ""));
  else if (item.isLive) tile.append(el("span", { class: "badge", "aria-hidden": true, text: "Live" }));
  if (item.isFavorite) tile.append(icon("heart"));
  return tile;
}

/** No picture to show: say what kind of file it is, and whether more will come. */
async function showBare(tile, image, item) {
  image.remove();
  tile.classList.add("bare");
  const isWaiting = isDeveloping(item);
  tile.classList.toggle("developing", isWaiting);
  const type = el("strong", { text: item.isImage ? "Photo" : "Video" });
  tile.append(el("span", { class: "stand-in", "aria-hidden": true }, type, el("small", { text: isWaiting ? "developing" : "no preview" })));
  const name = await fileName(item.id);
  if (name) type.textContent = format.fileType(name);
  const failure = await failureOf(item.id);
  if (!failure) return;
  tile.classList.remove("developing");
  tile.title = failure;
  tile.querySelector(".stand-in small").textContent = "could not be read";
}

/** Why the server gave this photo up, in its history's words; null while it has not. */
async function failureOf(id) {
  const answer = await api.history(id).catch(() => null);
  const last = answer?.events.findLast(({ type }) => OUTCOMES.has(type));
  return last?.type === "AssetProcessingFailed" ? last.sentence : null;
}

/** The file name, which the timeline does not carry; asked once per photo. */
function fileName(id) {
  if (!names.has(id)) {
    if (names.size >= NAMES_MAX) names.delete(names.keys().next().value);
    names.set(id, api.asset(id).then((asset) => asset.originalFileName, () => null));
  }
  return names.get(id);
}
