// Ties the explorer together: who looks, which parts this server has and they may see, and when figures are renewed.

import * as api from "../api.js";
import { byId } from "../dom.js";
import { Gate } from "../gate.js";
import { learnNames } from "./event.js";
import { Heads } from "./heads.js";
import { History } from "./history.js";
import { Imports } from "./imports.js";
import { Log } from "./log.js";
import { Models } from "./models.js";
import { ask, has, learn } from "./operations.js";
import { Parked } from "./parked.js";
import { People } from "./people.js";
import { Poll } from "./poll.js";
import { Projections } from "./projections.js";
import { Queues } from "./queues.js";

/** Parts that are due within this are asked together. */
const SLACK_MS = 250;
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

const heads = new Heads();
const prove = (eventId, button) => heads.proveEvent(eventId, button).then(() => byId("heads").scrollIntoView());
const log = new Log(prove);
const history = new History(prove);
const PARTS = [new Projections(), new Parked(), new Queues(), log, history, heads, new Imports(), new Models(), new People()];

let parts = [];
let isIn = false;
const renewed = new Map();
const poll = new Poll(renew, () => Math.min(...renewing().map((part) => part.everyMs)));
const gate = new Gate(enter, "Log in as an administrator.");

// Who looks.

async function boot() {
  api.onSignedOut(leave);
  try {
    const config = await api.serverConfig();
    if (config.isInitialized === false) return showGate("signUp");
    if (!document.cookie.includes("immich_is_authenticated=true")) return showGate("logIn", config.loginPageMessage);
    return await enter();
  } catch (error) {
    return showGate("logIn", error.status === 401 ? "" : error.message);
  }
}

function showGate(mode, message) {
  byId("key-way").hidden = mode === "signUp";
  gate.show(mode, message);
}

async function enter() {
  const user = await ask("me").catch((error) => {
    // A key that may read the log need not be one that may read accounts.
    if (api.hasKey() && error.status === 403) return null;
    throw error;
  });
  if (!api.hasKey() && !user.isAdmin) return refuse(`You are logged in as ${user.name}. This page is for administrators, and for auditors with an API key.`);
  await learn();
  const seen = await Promise.all(PARTS.filter((part) => has(part.operation)).map(look));
  parts = seen.filter(({ isSeen }) => isSeen).map(({ part }) => part);
  // Whether a history may be told shows when one is asked for.
  if (parts.every((part) => part === history)) return refuse("This key may read nothing that is shown here.");
  await learnPeople();
  draw(user, seen.filter(({ isKept }) => isKept).map(({ part }) => part));
  isIn = true;
  poll.start();
  await route();
}

/** Whether a part can be seen: not where the server lacks it (404), nor where it is kept from who looks (403). */
async function look(part) {
  try {
    await part.refresh();
  } catch (error) {
    if (error.status === 404) return { part };
    if (error.status === 403) return { part, isKept: true };
    part.say(error.message, true);
  }
  renewed.set(part, Date.now());
  return { part, isSeen: true };
}

async function learnPeople() {
  const users = await ask("users").catch(() => []);
  learnNames(users);
  log.offer(users);
}

function draw(user, kept) {
  for (const part of PARTS) {
    const isSeen = parts.includes(part);
    part.section.hidden = !isSeen;
    for (const link of document.querySelectorAll(`[href="#${part.id}"]`)) (link.closest("li, .figures > div") ?? link).hidden = !isSeen;
  }
  // How long the log is, is told by the projections.
  const tells = parts.find((part) => part.id === "projections");
  byId("figure-events").parentNode.hidden = !tells;
  const log = byId("figure-events").parentNode.querySelector("a");
  log.href = parts.some((part) => part.id === "log") ? "#log" : "#history";
  byId("withheld").hidden = kept.length === 0;
  byId("withheld").textContent = `Not shown to this key: ${kept.map((part) => part.section.querySelector("h2").textContent).join(", ")}.`;
  byId("who-name").textContent = user?.name ?? "An API key";
  byId("who-email").textContent = api.hasKey() ? "looks with an API key" : user.email;
  gate.hide();
  byId("refusal").hidden = true;
  byId("app").hidden = false;
  drawFresh();
  for (const id of ["fresh", "hold"]) byId(id).hidden = renewing().length === 0;
  spy.disconnect();
  for (const section of document.querySelectorAll(".part")) spy.observe(section);
}

function refuse(text) {
  gate.hide();
  byId("app").hidden = true;
  byId("refusal-text").textContent = text;
  byId("refusal").hidden = false;
  byId("refusal-title").focus();
}

/** The server knows the session or the key no longer: back to the way in. */
function leave() {
  api.useKey("");
  // Nothing of what was shown stays in the page.
  if (isIn) return location.reload();
  byId("refusal").hidden = true;
  return showGate("logIn");
}

async function logOut() {
  isIn = false;
  poll.stop();
  if (!api.hasKey()) await api.logOut().catch(() => {});
  location.replace("/calotype");
}

byId("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { key } = event.currentTarget.elements;
  byId("key-error").textContent = "";
  if (!key.value.trim()) return key.focus();
  api.useKey(key.value.trim());
  try {
    await enter();
    event.target.reset();
  } catch (error) {
    api.useKey("");
    byId("key-error").textContent = error.status === 401 ? "The server does not know this key." : error.message;
    key.focus();
  }
});
for (const id of ["logout", "refusal-leave"]) byId(id).addEventListener("click", logOut);

// When figures are renewed: each part in its own time, nothing while the page is hidden or held.

const renewing = () => parts.filter((part) => part.everyMs > 0);

async function renew() {
  const due = renewing().filter((part) => !part.isBusy && Date.now() - renewed.get(part) >= part.everyMs - SLACK_MS);
  const answers = await Promise.allSettled(due.map(async (part) => {
    await part.refresh();
    renewed.set(part, Date.now());
  }));
  const failed = answers.find(({ status }) => status === "rejected");
  if (!isIn || due.length === 0) return;
  drawFresh(failed?.reason);
  if (failed) throw failed.reason;
}

function drawFresh(error) {
  byId("fresh").textContent = error ? error.message : `As of ${CLOCK.format(new Date())}`;
  byId("fresh").classList.toggle("failed", Boolean(error));
}

byId("hold").addEventListener("click", ({ currentTarget }) => {
  const isHeld = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(isHeld));
  if (isHeld) return poll.stop();
  poll.start();
  return poll.now();
});

// Where one is.

async function route() {
  const [name, kind, id] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const section = name ? byId(name) : null;
  if (!isIn || !section?.classList.contains("part")) return;
  section.scrollIntoView();
  if (name !== "history" || !id) return;
  await history.tell(kind, id);
}

const inView = new Set();
const spy = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) inView.add(entry.target.id);
    else inView.delete(entry.target.id);
  }
  const first = [...document.querySelectorAll(".part")].find((section) => inView.has(section.id));
  for (const link of byId("contents").querySelectorAll("a")) {
    const isCurrent = first && link.hash === `#${first.id}`;
    if (isCurrent) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    // Where the links lie in one line, the current one is in sight.
    if (isCurrent) byId("contents").scrollLeft = link.offsetLeft - byId("contents").clientWidth / 3;
  }
}, { rootMargin: "-130px 0px -55% 0px" });

window.addEventListener("hashchange", route);
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#account")) byId("account").open = false;
});
byId("account").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  byId("account").open = false;
  byId("account").querySelector("summary").focus();
});

boot();
