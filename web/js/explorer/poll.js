// Asks again and again, one after the other, only while the page is seen; slower while the server does not answer.

const DELAY_MS_MAX = 60_000;

export class Poll {
  /** `step` asks and draws; whether it went well decides when it is called again. `everyMs()` tells the pause. */
  constructor(step, everyMs) {
    this.step = step;
    this.everyMs = everyMs;
    this.isRunning = false;
    this.isAsking = false;
    this.failures = 0;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); else clearTimeout(this.timer); });
  }

  start() {
    this.isRunning = true;
    this.plan();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.timer);
  }

  plan() {
    clearTimeout(this.timer);
    if (!this.isRunning || document.hidden) return;
    this.timer = setTimeout(() => this.now(), Math.min(this.everyMs() * 2 ** this.failures, DELAY_MS_MAX));
  }

  async now() {
    if (!this.isRunning || this.isAsking || document.hidden) return;
    clearTimeout(this.timer);
    this.isAsking = true;
    try {
      await this.step();
      this.failures = 0;
    } catch {
      this.failures += 1;
    }
    this.isAsking = false;
    this.plan();
  }
}
