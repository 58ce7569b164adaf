// What the parts of the page have in common: one question to the server, drawn again with every answer, and a line
// that says what came of somebody's wish.

import { byId } from "../dom.js";

export class Part {
  /** `id` is the section's in the page, `operation` what it shows, asked again every `everyMs`, or once with 0. */
  constructor(id, operation, everyMs = 0) {
    this.id = id;
    this.operation = operation;
    this.everyMs = everyMs;
    this.section = byId(id);
    this.said = byId(`${id}-said`);
    this.isBusy = false;
  }

  /** Asks the server and draws; `all` are the parts, for who tells something of another one. */
  async refresh() {
    this.draw(await this.fetch());
  }

  /** Says what came of a wish, to eyes and to screen readers. */
  say(text, isError = false) {
    this.said.textContent = text;
    this.said.classList.toggle("failed", isError);
  }

  /**
   * Carries out a wish: one at a time, saying `doing` while it lasts, then what `action` gives back, or why it was
   * refused. What the part shows is asked for again in either case.
   */
  async act(button, doing, action) {
    if (this.isBusy) return;
    this.isBusy = true;
    button?.setAttribute("aria-disabled", "true");
    this.say(doing);
    try {
      const said = await action();
      await this.refresh().catch(() => {});
      this.say(said ?? "");
    } catch (error) {
      await this.refresh().catch(() => {});
      this.say(error.message, true);
    } finally {
      this.isBusy = false;
      button?.removeAttribute("aria-disabled");
    }
  }
}
