// Ties the page together: who is here, which view, what the keys and the server's news do.

import * as api from "./js/api.js";
import { byId } from "./js/dom.js";
import * as format from "./js/format.js";
import { Gate } from "./js/gate.js";
import { Live } from "./js/live.js";
import { FILTERS, Timeline } from "./js/timeline.js";
import { toast, undoLatest } from "./js/toast.js";
import { Uploads, filesOf } from "./js/uploads.js";
import { Viewer } from "./js/viewer.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const REFRESH_EVERY_MS = 1200;
const EMPTY = {
  photos: ["No photos yet", "Drop them anywhere on this page, paste them, or choose them."],
  favorites: ["No favorites yet", "Press F on a photo, or the heart when it is open."],
  trash: ["The trash is empty", "What you put here stays until it is emptied."],
};

let user = null;
let trashDays = 30;
let enteredByLink = true;
let trashed = [];

const gate = new Gate(enter);
const timeline = new Timeline({
  onChange: (count) => {
    drawEmpty(count);
    uploads.settle(isDeveloped);
  },
  onError: (error) => toast(error.message),
});
const viewer = new Viewer(timeline, {
  favorite,
  trash: trashOrRestore,
  myId: () => user?.id,
  onMove: (id) => window.history.replaceState(null, "", `#/${timeline.view}/${id}`),
  onClose: closedViewer,
});
const live = new Live({ onEvent: heard, onPoll: () => timeline.refresh(), isUrgent: () => uploads.isDeveloping });
const uploads = new Uploads({ onAdded: () => { refreshSoon(); live.schedulePoll(); }, onSignedOut: leave });

// Who is here.

async function boot() {
  api.onSignedOut(leave);
  try {
    const config = await api.serverConfig();
    trashDays = config.trashDays ?? trashDays;
    if (config.isInitialized === false) return gate.show("signUp");
    if (!document.cookie.includes("immich_is_authenticated=true")) return gate.show("logIn", config.loginPageMessage);
    return await enter();
  } catch (error) {
    return gate.show("logIn", error.status === 401 ? "" : error.message);
  }
}

async function enter() {
  user = await api.me();
  gate.hide();
  byId("who-name").textContent = user.name;
  byId("who-email").textContent = user.email;
  byId("app").hidden = false;
  await route();
  live.start();
}

/** The session is over, by choice or by the server's word. */
function leave() {
  if (!user) return;
  user = null;
  live.stop();
  uploads.abort();
  viewer.close();
  timeline.reset();
  byId("app").hidden = true;
  byId("account").open = false;
  window.history.replaceState(null, "", "#/photos");
  gate.show("logIn");
}

// Which view.

async function route() {
  if (!user) return;
  const [, name = "photos", id = ""] = location.hash.split("/");
  const view = name in FILTERS ? name : "photos";
  if (timeline.view !== view || timeline.isFirst) {
    for (const link of document.querySelectorAll("[data-view]")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    byId("empty").hidden = true;
    await timeline.open(view);
  }
  if (!UUID.test(id)) {
    viewer.close();
    return;
  }
  try {
    await viewer.open(id);
  } catch (error) {
    toast(error.message);
    window.history.replaceState(null, "", `#/${view}`);
  }
}

function closedViewer(id) {
  if (!user) return;
  // Opening a photo from the timeline made an entry in the browser's history; closing takes it
  // back. A page opened on a photo has no such entry.
  if (location.hash.split("/")[2]) {
    if (enteredByLink) window.history.replaceState(null, "", `#/${timeline.view}`);
    else window.history.back();
  }
  timeline.walk.focus(id);
}

function drawEmpty(count) {
  const [title, text] = EMPTY[timeline.view];
  byId("empty").hidden = count > 0 || timeline.isFirst;
  byId("empty-title").textContent = title;
  byId("empty-text").textContent = timeline.view === "trash" ? `What you put here is deleted after ${format.plural(trashDays, "day", "days")}.` : text;
  byId("empty-add").hidden = timeline.view !== "photos";
}

// What can be done to a photo.

async function favorite(item) {
  if (timeline.view === "trash") return;
  const isFavorite = !item.isFavorite;
  const show = (value) => {
    item.isFavorite = value;
    timeline.setFavorite(item.id, value);
    viewer.drawFavorite();
  };
  show(isFavorite);
  try {
    await api.setFavorite(item.id, isFavorite);
    viewer.loadHistory();
  } catch (error) {
    show(!isFavorite);
    toast(error.message);
  }
}

async function trashOrRestore(item) {
  const inTrash = timeline.view === "trash";
  const forward = await timeline.neighbour(item.id, 1).catch(() => null);
  const next = forward ?? (await timeline.neighbour(item.id, -1).catch(() => null));
  const wasOpen = viewer.isOpen;
  timeline.remove(item.id);
  if (wasOpen && next) {
    viewer.show(next);
    window.history.replaceState(null, "", `#/${timeline.view}/${next.id}`);
  } else if (wasOpen) {
    viewer.close();
  } else if (next) {
    timeline.walk.focus(next.id);
  }
  try {
    if (inTrash) {
      await api.restore([item.id]);
      toast("Put back among your photos");
      return;
    }
    await api.trash([item.id]);
    trashed.push(item.id);
    const text = trashed.length === 1 ? "Moved to trash" : `${format.count(trashed.length)} moved to trash`;
    const ids = trashed;
    toast(text, () => untrash(ids), forgetTrashed);
  } catch (error) {
    toast(error.message);
    await timeline.refresh();
  }
}

// Photos trashed while the offer to undo stands are taken back together.
function forgetTrashed() {
  trashed = [];
}

async function untrash(ids) {
  try {
    await api.restore(ids);
    await timeline.refresh();
    toast(ids.length === 1 ? "Put back" : `${format.count(ids.length)} put back`);
  } catch (error) {
    toast(error.message);
  }
}

// News from the server.

const changed = new Set();
let refreshing = null;

function refreshSoon(month = null) {
  if (month) changed.add(month);
  refreshing ??= setTimeout(async () => {
    refreshing = null;
    const months = new Set(changed);
    changed.clear();
    if (user) await timeline.refresh(months);
  }, REFRESH_EVERY_MS);
}

function heard(name, payload) {
  if (name === "on_upload_success" || name === "on_asset_update") {
    uploads.settle((id) => id === payload?.id || isDeveloped(id));
    refreshSoon(payload?.localDateTime?.slice(0, 7));
    if (viewer.item && viewer.item.id === payload?.id) viewer.loadFacts();
  } else if (name.startsWith("on_asset_")) {
    refreshSoon();
  } else if (name === "on_session_delete") {
    api.me().catch(() => {});
  }
}

const isDeveloped = (id) => Boolean(timeline.find(id)?.item.thumbhash);

// Adding photos.

function choose() {
  byId("files").click();
}

function addFiles(files) {
  if (files.length === 0) return;
  uploads.add(files);
}

byId("files").addEventListener("change", ({ target }) => {
  addFiles([...target.files]);
  target.value = "";
});
for (const id of ["add", "empty-add"]) byId(id).addEventListener("click", choose);

const hasFiles = (event) => user && event.dataTransfer?.types.includes("Files");
let dragDepth = 0;
const showDrop = (depth) => {
  dragDepth = Math.max(0, depth);
  byId("drop").classList.toggle("shown", dragDepth > 0);
};
window.addEventListener("dragenter", (event) => { if (hasFiles(event)) showDrop(dragDepth + 1); });
window.addEventListener("dragleave", (event) => { if (hasFiles(event)) showDrop(dragDepth - 1); });
window.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
window.addEventListener("drop", async (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  showDrop(0);
  addFiles(await filesOf(event.dataTransfer));
});
window.addEventListener("paste", async (event) => {
  if (!user || !event.clipboardData?.types.includes("Files")) return;
  addFiles(await filesOf(event.clipboardData));
});

// Keys that work everywhere but in a text field.

window.addEventListener("keydown", (event) => {
  if (!user || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, pre, video")) return;
  if (byId("help").open) return;
  const id = viewer.item?.id ?? event.target.closest(".tile")?.dataset.id;
  const item = viewer.item ?? timeline.find(id)?.item;
  const act = {
    f: item && (() => favorite(item)),
    Delete: item && (() => trashOrRestore(item)),
    Backspace: item && (() => trashOrRestore(item)),
    z: undoLatest,
    u: viewer.isOpen ? null : choose,
    "?": openHelp,
    ArrowDown: isOutside(event) && (() => timeline.walk.enter()),
    ArrowRight: isOutside(event) && (() => timeline.walk.enter()),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const isOutside = (event) => !viewer.isOpen && (event.target === document.body || event.target.id === "main");

function openHelp() {
  byId("account").open = false;
  byId("help").showModal();
}

byId("open-help").addEventListener("click", openHelp);
byId("logout").addEventListener("click", async () => {
  await api.logOut().catch(() => {});
  leave();
});
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
  timeline.walk.enter();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#account")) byId("account").open = false;
  if (event.target.closest(".tile")) enteredByLink = false;
});
byId("account").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  byId("account").open = false;
  byId("account").querySelector("summary").focus();
});
window.addEventListener("hashchange", route);

boot();
