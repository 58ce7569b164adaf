// One photo, as large as the window allows, with its facts and history beside it.

import * as api from "./api.js";
import { byId, el, wantsStillness } from "./dom.js";
import { drawFacts, drawHistory, drawNoHistory } from "./facts.js";
import * as format from "./format.js";
import { Swipe } from "./swipe.js";
import { paint } from "./thumbhash.js";
import { rehome } from "./toast.js";

const WIDE = "(min-width: 60rem)";
const PANEL_KEY = "calotype.panel";
const SPINNER_MS = 400;

export class Viewer {
  /** `actions` is `{favorite(item), trash(item), myId(), onMove(id), onClose(id)}`. */
  constructor(timeline, actions) {
    this.timeline = timeline;
    this.actions = actions;
    this.item = null;
    this.dialog = byId("viewer");
    this.stage = byId("stage");
    this.frame = byId("frame");
    this.panel = byId("panel");

    const click = (id, act) => byId(id).addEventListener("click", act);
    click("v-close", () => this.close());
    click("v-prev", () => this.step(-1));
    click("v-next", () => this.step(1));
    click("v-favorite", () => this.item && actions.favorite(this.item));
    click("v-trash", () => this.item && actions.trash(this.item));
    click("v-info", () => this.showPanel(this.panel.hidden, true));
    click("v-motion", () => this.toggleMotion());
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.dialog.addEventListener("close", () => this.item && this.closed());
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.stage.addEventListener("click", (event) => { if (event.target === this.stage) this.close(); });
    new ResizeObserver(() => this.fit()).observe(this.stage);
    new Swipe(this.stage, this.frame, { step: (by) => this.step(by), close: () => this.close() });
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Shows the photo with this id; asks the server about it if the timeline does not know it. */
  async open(id) {
    const known = this.timeline.find(id)?.item;
    if (known) return this.show(known);
    const asset = await api.asset(id);
    await this.timeline.bring(asset);
    return this.show(this.timeline.find(id)?.item ?? itemOf(asset));
  }

  show(item) {
    if (this.isOpen && this.item?.id === item.id) return;
    this.item = item;
    if (!this.isOpen) {
      const saved = localStorage.getItem(PANEL_KEY);
      this.showPanel(matchMedia(WIDE).matches && saved !== "closed", false);
      this.dialog.showModal();
    }
    const day = format.localDay(item.taken, item.offsetHours);
    byId("v-when").textContent = day;
    this.dialog.setAttribute("aria-label", `${item.isImage ? "Photo" : "Video"}, ${day}`);
    const inTrash = this.timeline.view === "trash";
    byId("v-trash").setAttribute("aria-label", inTrash ? "Put back" : "Move to trash");
    byId("v-trash-icon").setAttribute("href", inTrash ? "#i-restore" : "#i-trash");
    byId("v-download").href = api.originalUrl(item.id);
    byId("v-download").setAttribute("download", "");
    byId("v-motion").hidden = true;
    byId("v-motion").setAttribute("aria-pressed", "false");
    this.drawFavorite();
    this.drawPicture(item);
    this.panel.replaceChildren();
    this.panel.scrollTop = 0;
    this.asset = null;
    this.loadFacts();
    this.lookAround(item.id);
  }

  drawFavorite() {
    const button = byId("v-favorite");
    button.setAttribute("aria-pressed", String(Boolean(this.item?.isFavorite)));
    button.disabled = this.timeline.view === "trash";
  }

  drawPicture(item) {
    this.ratio = item.ratio || 1;
    const box = el("div", { class: "picture" });
    const canvas = el("canvas", { "aria-hidden": true });
    if (item.thumbhash && paint(canvas, item.thumbhash)) box.append(canvas);
    if (item.isImage) {
      const small = el("img", { class: "small", alt: "", src: api.thumbnailUrl(item.id, item.thumbhash), draggable: "false" });
      small.addEventListener("error", () => small.remove());
      box.append(small, this.largeImage(item, box));
    } else {
      const video = el("video", { controls: true, playsinline: true, preload: "metadata", src: api.playbackUrl(item.id) });
      if (item.thumbhash) video.poster = api.previewUrl(item.id, item.thumbhash);
      video.addEventListener("loadedmetadata", () => this.reshape(box, video.videoWidth, video.videoHeight));
      video.addEventListener("error", () => this.showBare(box, "This video cannot be played here."));
      box.append(video);
    }
    this.frame.replaceChildren(box);
    this.frame.style.transform = "";
    this.fit();
  }

  largeImage(item, box) {
    const image = el("img", { class: "large", alt: byId("v-when").textContent, decoding: "async", draggable: "false" });
    const late = setTimeout(() => box.classList.add("late"), SPINNER_MS);
    const done = () => { clearTimeout(late); box.classList.remove("late"); };
    image.addEventListener("load", () => {
      done();
      this.reshape(box, image.naturalWidth, image.naturalHeight);
      box.classList.add("ready");
    });
    image.addEventListener("error", () => {
      done();
      this.showBare(box, "There is no preview of this file.");
    });
    image.src = api.previewUrl(item.id, item.thumbhash);
    return image;
  }

  showBare(box, sentence) {
    const type = this.asset ? format.fileType(this.asset.originalFileName) : "";
    box.replaceChildren(el("p", { class: "bare-note" }, el("strong", { text: type }), el("span", { text: sentence }), el("a", { href: api.originalUrl(this.item.id), download: true, text: "Download the original" })));
    box.classList.add("bare");
  }

  reshape(box, width, height) {
    if (!width || !height || !box.isConnected) return;
    this.ratio = width / height;
    this.fit();
  }

  /** Gives the picture the largest box of its shape that the stage holds. */
  fit() {
    const box = this.frame.firstElementChild;
    if (!box) return;
    const style = getComputedStyle(this.frame);
    const width = this.frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = this.frame.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const wide = Math.min(width, height * this.ratio);
    box.style.width = `${Math.floor(wide)}px`;
    box.style.height = `${Math.floor(wide / this.ratio)}px`;
  }

  async loadFacts() {
    const { id } = this.item;
    const isCurrent = () => this.item?.id === id;
    try {
      const asset = await api.asset(id);
      if (!isCurrent()) return;
      this.asset = asset;
      byId("v-motion").hidden = !asset.livePhotoVideoId;
      byId("v-download").setAttribute("download", asset.originalFileName);
      const strong = this.frame.querySelector(".bare-note strong");
      if (strong) strong.textContent = format.fileType(asset.originalFileName);
      this.panel.querySelector(".facts")?.remove();
      this.panel.prepend(drawFacts(asset));
    } catch (error) {
      if (isCurrent()) this.panel.prepend(el("section", { class: "facts" }, el("p", { class: "quiet", text: error.message })));
    }
    await this.loadHistory();
  }

  async loadHistory() {
    if (!this.item) return;
    const { id } = this.item;
    let section;
    try {
      const answer = await api.history(id);
      section = drawHistory(answer?.events ?? [], this.actions.myId());
    } catch (error) {
      section = drawNoHistory(error.status === 404 ? "This server tells no history." : error.message);
    }
    if (this.item?.id !== id) return;
    this.panel.querySelector(".history")?.remove();
    this.panel.append(section);
  }

  /** Hides the arrows that lead nowhere and fetches the neighbours' previews. */
  async lookAround(id) {
    for (const [button, step] of [["v-next", 1], ["v-prev", -1]]) {
      const item = await this.timeline.neighbour(id, step).catch(() => null);
      if (this.item?.id !== id) return;
      byId(button).disabled = !item;
      if (item?.isImage && item.thumbhash) new Image().src = api.previewUrl(item.id, item.thumbhash);
    }
  }

  async step(by) {
    if (!this.item) return false;
    const { id } = this.item;
    const next = await this.timeline.neighbour(id, by).catch(() => null);
    if (!next || this.item?.id !== id) return false;
    this.show(next);
    this.actions.onMove(next.id);
    if (!wantsStillness()) {
      this.frame.animate([{ transform: `translateX(${by * 24}px)`, opacity: 0.4 }, { transform: "none", opacity: 1 }], { duration: 160, easing: "ease-out" });
    }
    return true;
  }

  showPanel(isShown, remember) {
    this.panel.hidden = !isShown;
    this.dialog.classList.toggle("with-panel", isShown);
    byId("v-info").setAttribute("aria-expanded", String(isShown));
    if (remember && matchMedia(WIDE).matches) localStorage.setItem(PANEL_KEY, isShown ? "open" : "closed");
  }

  toggleMotion() {
    const box = this.frame.firstElementChild;
    const playing = box?.querySelector("video.motion");
    byId("v-motion").setAttribute("aria-pressed", String(!playing));
    if (playing) {
      playing.remove();
      return;
    }
    const video = el("video", { class: "motion", playsinline: true, src: api.playbackUrl(this.asset.livePhotoVideoId) });
    const end = () => {
      video.remove();
      byId("v-motion").setAttribute("aria-pressed", "false");
    };
    video.addEventListener("ended", end);
    video.addEventListener("error", end);
    box.append(video);
    video.play().catch(end);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("video, pre")) return;
    if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "i") this.showPanel(this.panel.hidden, true);
    else return;
    event.preventDefault();
  }

  close() {
    if (this.isOpen) this.dialog.close();
  }

  closed() {
    const { id } = this.item;
    this.item = null;
    this.asset = null;
    this.frame.replaceChildren();
    this.panel.replaceChildren();
    rehome();
    this.actions.onClose(id);
  }
}

/** What the timeline would say about an asset that it does not hold. */
function itemOf(asset) {
  const exif = asset.exifInfo ?? {};
  const width = asset.width ?? exif.exifImageWidth;
  const height = asset.height ?? exif.exifImageHeight;
  return {
    id: asset.id,
    ratio: width && height ? width / height : 1,
    thumbhash: asset.thumbhash,
    isFavorite: asset.isFavorite,
    isImage: asset.type === "IMAGE",
    duration: asset.duration,
    isLive: Boolean(asset.livePhotoVideoId),
    taken: new Date(asset.fileCreatedAt),
    added: new Date(asset.createdAt),
    offsetHours: (new Date(asset.localDateTime) - new Date(asset.fileCreatedAt)) / 3_600_000,
    place: [exif.city, exif.country].filter(Boolean).join(", "),
  };
}
