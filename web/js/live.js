// News from the server: a socket.io 4 client for the one transport the server speaks (web socket),
// and a poll underneath it, so that a missed message only makes the page late.

const DELAY_MS_MIN = 1000;
const DELAY_MS_MAX = 60_000;
const POLL_MS_ALONE = 15_000;
const POLL_MS_CONNECTED = 60_000;
const POLL_MS_URGENT = 3000;
const SILENCE_MS_DEFAULT = 45_000;

export class Live {
  /** `onEvent(name, payload)`, `onPoll()`; `isUrgent()` says whether to look more often. */
  constructor({ onEvent, onPoll, isUrgent }) {
    this.onEvent = onEvent;
    this.onPoll = onPoll;
    this.isUrgent = isUrgent;
    this.isRunning = false;
    this.isConnected = false;
    this.failures = 0;
    document.addEventListener("visibilitychange", () => { if (this.isRunning && !document.hidden) this.poll(); });
  }

  start() {
    if (this.isRunning) return;
    this.isRunning = true;
    this.failures = 0;
    this.connect();
    this.schedulePoll();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.retry);
    clearTimeout(this.pollTimer);
    clearTimeout(this.silence);
    this.socket?.close();
    this.socket = null;
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/socket.io/?EIO=4&transport=websocket`);
    this.socket = socket;
    this.silenceMs = SILENCE_MS_DEFAULT;
    socket.onmessage = ({ data }) => { if (socket === this.socket && typeof data === "string") this.received(socket, data); };
    socket.onclose = () => { if (socket === this.socket) this.lost(); };
    this.listen(socket);
  }

  /** Closes a socket from which nothing was heard for an interval of its pings. */
  listen(socket) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => socket.close(), this.silenceMs);
  }

  // Engine.IO: 0 open, 1 close, 2 ping, 3 pong, 4 message. Socket.IO in a message: 0 connect,
  // 1 disconnect, 2 event, 4 connect error.
  received(socket, packet) {
    this.listen(socket);
    if (packet[0] === "0") {
      const { pingInterval, pingTimeout } = parse(packet.slice(1)) ?? {};
      if (pingInterval > 0 && pingTimeout > 0) this.silenceMs = pingInterval + pingTimeout;
      socket.send("40");
    } else if (packet[0] === "2") {
      socket.send("3");
    } else if (packet.startsWith("40")) {
      const isReturn = this.hasConnected;
      this.isConnected = true;
      this.hasConnected = true;
      this.failures = 0;
      if (isReturn) this.poll();
    } else if (packet.startsWith("42")) {
      const event = parse(packet.slice(packet.indexOf("[")));
      if (Array.isArray(event) && typeof event[0] === "string") this.onEvent(event[0], event[1]);
    } else if (packet[0] === "1" || packet.startsWith("41") || packet.startsWith("44")) {
      socket.close();
    }
  }

  lost() {
    clearTimeout(this.silence);
    this.isConnected = false;
    this.socket = null;
    if (!this.isRunning) return;
    const delay = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** this.failures);
    this.failures += 1;
    // Spread out, so that a restarted server is not met by every page at once.
    this.retry = setTimeout(() => this.connect(), delay * (0.5 + Math.random() / 2));
  }

  schedulePoll() {
    clearTimeout(this.pollTimer);
    const calm = this.isConnected ? POLL_MS_CONNECTED : POLL_MS_ALONE;
    this.pollTimer = setTimeout(() => this.poll(), this.isUrgent() ? POLL_MS_URGENT : calm);
  }

  async poll() {
    if (!document.hidden) await this.onPoll();
    if (this.isRunning) this.schedulePoll();
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
