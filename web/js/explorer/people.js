// All faces compared anew: what that would change, and agreeing to it or not.

import { byId } from "../dom.js";
import { confirm } from "./dialog.js";
import { drawFaces } from "./modeldiff.js";
import { ask } from "./operations.js";
import { Part } from "./part.js";
import { time } from "./words.js";

const POLL_MS = 15_000;
const POLL_MS_URGENT = 5000;
const STATES = {
  comparing: "All faces are being compared.",
  proposed: "This is proposed, and changes nothing until somebody agrees.",
  applying: "Somebody agreed; it is being recorded.",
  applied: "It was recorded.",
  discarded: "It was not agreed to, or everything was compared anew since.",
};

export class People extends Part {
  constructor() {
    super("people", "reclustering", POLL_MS);
    byId("people-compare").addEventListener("click", ({ currentTarget }) => this.compare(currentTarget));
    byId("people-apply").addEventListener("click", ({ currentTarget }) => this.apply(currentTarget));
    byId("people-discard").addEventListener("click", ({ currentTarget }) => this.discard(currentTarget));
  }

  /** The server answers 404 where nobody ever compared: the part is there for that. */
  async fetch() {
    return ask("reclustering").catch((error) => {
      if (error.status === 404) return null;
      throw error;
    });
  }

  draw(proposal) {
    const isNew = JSON.stringify(proposal) !== JSON.stringify(this.proposal ?? null);
    this.proposal = proposal;
    const state = proposal?.state;
    byId("people-state").replaceChildren(proposal ? STATES[state] ?? state : "All faces have never been compared anew.",
      ...(proposal?.comparedAt ? [" Compared ", time(proposal.comparedAt), "."] : []));
    byId("people-compare").hidden = state === "comparing" || state === "applying";
    byId("people-apply").hidden = state !== "proposed";
    byId("people-discard").hidden = state !== "proposed" && state !== "comparing";
    this.everyMs = state === "comparing" || state === "applying" ? POLL_MS_URGENT : POLL_MS;
    const report = byId("people-diff");
    report.hidden = !proposal?.faces;
    // Drawn again only where it says something else: whoever reads in it keeps the place.
    if (isNew || !report.hasChildNodes()) report.replaceChildren(...(proposal?.faces ? [drawFaces(proposal.faces)] : []));
  }

  async compare(button) {
    const text = "Every face is compared with all others of its library. Nobody's person changes until somebody agrees. A former proposal is forgotten.";
    if (!(await confirm("Compare all faces anew?", text, "Compare"))) return;
    await this.act(button, "", async () => {
      await ask("beginReclustering");
      return "All faces are being compared.";
    });
  }

  async apply(button) {
    const text = "It is recorded as far as nobody said anything else of these faces since. Names, merges and whatever else people said stay.";
    const { id } = this.proposal;
    if (!(await confirm("Agree to what is proposed?", text, "Agree"))) return;
    await this.act(button, "", async () => {
      await ask("applyReclustering", { id });
      return "It is being recorded.";
    });
  }

  async discard(button) {
    const { id } = this.proposal;
    if (!(await confirm("Forget the proposal?", "Nothing changes. All faces can be compared anew at any time.", "Forget it"))) return;
    await this.act(button, "", async () => {
      await ask("discardReclustering", { id });
      return "The proposal is forgotten.";
    });
  }
}
