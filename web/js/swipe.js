// One finger on the open photo: sideways for the next, down to close. Two fingers belong to the
// browser's zoom, and so does one while the page is zoomed.

const DECIDED_PX = 10;
const STEP_PX = 56;
const CLOSE_PX = 96;
const FLICK_PX_PER_MS = 0.5;

export class Swipe {
  constructor(stage, frame, { step, close }) {
    this.frame = frame;
    this.step = step;
    this.close = close;
    this.start = null;
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", () => this.drop());
    window.visualViewport?.addEventListener("resize", () => stage.classList.toggle("zoomed", isZoomed()));
  }

  down(event) {
    if (event.pointerType !== "touch" || event.target.closest("button, video, a")) return;
    if (!event.isPrimary || isZoomed()) {
      this.drop();
      return;
    }
    this.start = { id: event.pointerId, x: event.clientX, y: event.clientY, at: event.timeStamp, axis: null };
  }

  move(event) {
    const { start } = this;
    if (!start || event.pointerId !== start.id) return;
    const dx = event.clientX - start.x;
    const dy = event.clientY - start.y;
    if (!start.axis && Math.max(Math.abs(dx), Math.abs(dy)) > DECIDED_PX) start.axis = Math.abs(dx) > Math.abs(dy) ? "x" : "y";
    if (start.axis === "x") this.frame.style.transform = `translateX(${dx}px)`;
    if (start.axis === "y") this.frame.style.transform = `translateY(${Math.max(0, dy)}px)`;
  }

  async up(event) {
    const { start } = this;
    if (!start || event.pointerId !== start.id) return;
    const dx = event.clientX - start.x;
    const dy = event.clientY - start.y;
    const speed = Math.abs(dx) / Math.max(1, event.timeStamp - start.at);
    this.start = null;
    if (start.axis === "y" && dy > CLOSE_PX) this.close();
    const isStep = start.axis === "x" && (Math.abs(dx) > STEP_PX || speed > FLICK_PX_PER_MS);
    if (isStep && (await this.step(dx < 0 ? 1 : -1))) return;
    this.drop();
  }

  drop() {
    this.start = null;
    this.frame.style.transform = "";
  }
}

const isZoomed = () => (window.visualViewport?.scale ?? 1) > 1.01;
