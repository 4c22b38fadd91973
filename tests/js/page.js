// A page for the scripts of static/js, in happy-dom. A test file has a process of its own: it opens one page, and imports its
// script after that.

import { after, mock } from "node:test";
import { GlobalRegistrator } from "@happy-dom/global-registrator";

export const SERVER_NOW = "2026-11-29T10:00:00Z";
// Node's own, before the page's take their names.
const turn = setImmediate;
const NodeEvent = Event;

export function openPage({ url = "https://tower.example/", person = "olga", body = "" } = {}) {
  GlobalRegistrator.register({ url });
  document.head.innerHTML = `<meta name="person" content="${person}"><meta name="server-now" content="${SERVER_NOW}">`;
  document.body.innerHTML = `${body}<p id="said"></p>`;
  // happy-dom lays nothing out.
  Element.prototype.checkVisibility = function checkVisibility() {
    return !this.closest("[hidden]");
  };
  after(() => GlobalRegistrator.unregister());
}

// From here on time passes only by mock.timers.tick().
export function stopClock() {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.parse(SERVER_NOW) });
}

// Wait until `holds` returns something, and return it. Where it never does, the runner's time-out names the test.
export async function until(holds) {
  for (;;) {
    const found = holds();
    if (found) return found;
    await new Promise((done) => { turn(done); });
  }
}

// Let everything run that was begun and waits for nothing outside.
export async function settled() {
  for (let left = 20; left; left -= 1) await new Promise((done) => { turn(done); });
}

// The server's end of the page's WebSocket.
export class Socket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 3;
  static all = [];
  readyState = Socket.CONNECTING;
  sent = [];

  constructor(url) {
    super();
    this.url = url;
    Socket.all.push(this);
  }

  static get newest() {
    return Socket.all.at(-1);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  accept() {
    this.readyState = Socket.OPEN;
    this.dispatchEvent(new NodeEvent("open"));
  }

  async push(message) {
    const event = new NodeEvent("message");
    event.data = message instanceof Blob ? message : JSON.stringify(message);
    this.dispatchEvent(event);
    await settled();
  }

  close(code = 1006) {
    this.readyState = Socket.CLOSED;
    this.dispatchEvent(Object.assign(new NodeEvent("close"), { code }));
  }
}
