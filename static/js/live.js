// One WebSocket a page for all of its <ct-live topic data-version> elements.
//
// Sends {"watch": [{"topic", "version"}]}; receives {"topic", "version", "html"}, as gzip where there is html: the server
// compresses a drawing once for all who watch. The html is the same partial that the
// first load rendered. An element with data-src shows what only this person sees (their inbox, a filtered queue): it is
// told that its topic changed and fetches its own fragment. After a reconnect the versions are sent again, so what was
// missed meanwhile comes first.

import { fill, gettext, language } from "./words.js";

const FIRST_WAIT = 300;
const LONGEST_WAIT = 10_000;
const FETCH_AT_MOST_EVERY = 700;
const LONGEST_WAIT_TO_FETCH = 60_000;
// The server sends a ping every 20 s.
const SILENT_TOO_LONG = 50_000;
const ASK_FRESHNESS_EVERY = 60_000;

const csrfSafe = { "X-Fragment": "1", "X-Requested-With": "fetch" };
let socket = null;
let wait = FIRST_WAIT;
let downSince = null;
let lastHeard = null;
// What a first load shows is what there was when the server drew it; what changed since then comes at once.
const drawnAt = Date.parse(document.querySelector('meta[name="server-now"]')?.content) || 0;

const watchers = () => [...document.querySelectorAll("ct-live[topic]")];
// An element that shows what several topics tell of names them with a space between.
const topicsOf = (element) => element.getAttribute("topic").split(" ");

// ---- Swapping children without losing focus, typed text, open details or scroll -------------------------------

// Not node.id: of a form with a field named "id" that would be the field.
const keyOf = (node) => (node.nodeType === 1 && (node.getAttribute("id") || node.dataset.key)) || null;

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

// Where somebody stands, what they picked and folded: the browser knows it, the server does not.
const OWN_CLASSES = ["is-here", "is-picked", "is-folded"];

// Attributes that the browser owns: what was pressed, a form that was sent, and what data-keeps names.
function copyAttributes(from, to) {
  const own = OWN_CLASSES.filter((name) => to.classList.contains(name));
  const kept = ["data-sent", "aria-busy", "aria-pressed", to.dataset.keeps, to.form?.dataset.sent && "disabled"];
  for (const { name } of [...to.attributes]) {
    if (kept.includes(name)) continue;
    if (!from.hasAttribute(name) && !(name === "open" && to.nodeName === "DETAILS")) to.removeAttribute(name);
  }
  for (const { name, value } of from.attributes) {
    if (kept.includes(name)) continue;
    if (to.getAttribute(name) !== value) to.setAttribute(name, value);
  }
  if (own.length) to.classList.add(...own);
}

function morphChildren(parent, fresh) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  let here = parent.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = keyOf(wanted);
    let match = key ? keyed.get(key) : here && !keyOf(here) && alike(here, wanted) ? here : null;
    if (match && !alike(match, wanted)) match = null;
    if (!match) {
      // A row or card that came while somebody was looking is marked, so that it is not overlooked.
      if (key && parent.nodeName !== "CT-LIVE" && keyed.size) wanted.classList.add("is-new");
      parent.insertBefore(wanted, here);
      continue;
    }
    if (match === here) here = here.nextSibling;
    else parent.insertBefore(match, here);
    morph(match, wanted);
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

function morph(old, fresh) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  // What somebody types, and islands that look after themselves, are left alone.
  if (old === document.activeElement && old.matches("input, textarea, select")) return;
  if (old.hasAttribute("data-island")) {
    copyAttributes(fresh, old);
    return;
  }
  copyAttributes(fresh, old);
  morphChildren(old, fresh);
}

function swap(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  // A page that must not move under somebody's hand takes what is new and puts it in itself.
  const detail = { content: template.content, morph, morphChildren };
  if (!element.dispatchEvent(new CustomEvent("ct:fresh", { bubbles: true, cancelable: true, detail }))) return;
  // What stands outside of the element and tells of the same comes with its drawing: a page's breadcrumb, for one.
  for (const part of template.content.querySelectorAll("template[data-outside]")) {
    const place = document.getElementById(part.dataset.outside);
    if (place) morphChildren(place, part.content);
    part.remove();
  }
  morphChildren(element, template.content);
  element.dispatchEvent(new CustomEvent("ct:swapped", { bubbles: true }));
}

// ---- Elements ---------------------------------------------------------------------------------------------------

class Live extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("topic") && socket?.readyState === WebSocket.OPEN) watch([this]);
    // data-load: a part of another room, fetched once the page stands.
    if (this.hasAttribute("data-load")) this.refetch();
    this.lookAgain();
  }

  lookAgain() {
    // data-again inside: something is being found out; look again until the page no longer says so.
    const soon = this.querySelector("[data-again]");
    if (soon) setTimeout(() => this.refetch(), Number(soon.dataset.again));
  }

  // Fetch and swap at once; resolves to true once the page shows what the server said.
  async refresh() {
    this.isOwed = false;
    try {
      const answer = await fetch(this.dataset.src || location.href, { headers: csrfSafe, credentials: "same-origin" });
      if (answer.ok && !answer.redirected) {
        swap(this, await answer.text());
        return true;
      }
      if (answer.redirected || answer.status === 403) location.reload();
      // The server was busy or is starting. What it has not got, it will not have the next time either.
      this.isOwed = answer.status >= 500 || answer.status === 429;
    } catch {
      this.isOwed = true;
    }
    this.fail();
    return false;
  }

  // Where nothing came yet, what stands in for it gives way to the words for that: a part that loads for ever says nothing. They say
  // what to do, so it is not asked for again by itself: what took too long would take too long again.
  fail() {
    const words = this.querySelector(":scope > template[data-failed]");
    if (!words) return;
    this.replaceChildren(words.content.cloneNode(true));
    this.isOwed = false;
  }

  // Refresh, however many ask for it, at most every FETCH_AT_MOST_EVERY; what could not be fetched is asked for again after longer
  // and longer waits, since nobody will say a second time that it changed.
  async refetch() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    await this.refresh();
    this.failures = this.isOwed ? (this.failures ?? 0) + 1 : 0;
    const pause = Math.min(FETCH_AT_MOST_EVERY * 2 ** this.failures, LONGEST_WAIT_TO_FETCH);
    await new Promise((done) => setTimeout(done, pause));
    this.busy = false;
    if (!this.isConnected) return;
    if (!this.again && !this.isOwed) this.lookAgain();
    else {
      this.again = false;
      this.refetch();
    }
  }
}
customElements.define("ct-live", Live);

function watch(elements) {
  const seen = new Map();
  for (const element of elements) {
    // Two elements of one topic: the older of them must be brought up to date.
    const version = Number(element.dataset.version) || drawnAt;
    for (const topic of topicsOf(element)) seen.set(topic, Math.min(version, seen.get(topic) ?? version));
  }
  if (seen.size) socket.send(JSON.stringify({ watch: [...seen].map(([topic, version]) => ({ topic, version })) }));
}

function receive(message) {
  lastHeard = Date.now();
  if (!message.topic) return;
  for (const element of watchers()) {
    if (!topicsOf(element).includes(message.topic)) continue;
    if (Number(message.version) <= Number(element.dataset.version || 0)) continue;
    element.dataset.version = message.version;
    if (element.dataset.src !== undefined) element.refetch();
    else if (typeof message.html === "string") swap(element, message.html);
  }
}

// Two that arrive together may be unpacked in another order: an older version is not taken after a newer one.
const unpacked = (blob) => new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).text();

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`);
  socket.addEventListener("open", () => {
    wait = FIRST_WAIT;
    downSince = null;
    lastHeard = Date.now();
    watch(watchers());
    freshness();
  });
  socket.addEventListener("message", async (event) => {
    receive(JSON.parse(typeof event.data === "string" ? event.data : await unpacked(event.data)));
    freshness();
  });
  socket.addEventListener("close", (event) => {
    downSince ??= new Date();
    freshness();
    // 4401, 4403: signed out, or the rights have changed. A reload says so in words.
    if (event.code === 4401 || event.code === 4403) {
      location.reload();
      return;
    }
    setTimeout(connect, wait * (0.5 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

// ---- Freshness --------------------------------------------------------------------------------------------------

let askedFreshness = Date.now();

async function askFreshness(chip) {
  // Only a page that is about to call its data old asks whether it is.
  if (Date.now() - askedFreshness < ASK_FRESHNESS_EVERY) return;
  askedFreshness = Date.now();
  try {
    const answer = await fetch(chip.dataset.src, { headers: csrfSafe, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    copyAttributes(template.content.querySelector("ct-fresh"), chip);
    freshness();
  } catch {
    // The connection is down; the chip says so.
  }
}

const clockTime = (date) => date.toLocaleTimeString(language === "en" ? "en-GB" : language, { hour: "2-digit", minute: "2-digit" });

function freshness() {
  for (const chip of document.querySelectorAll("ct-fresh")) {
    const seen = Date.parse(chip.dataset.odooSeen);
    const late = Number(chip.dataset.lateAfter) * 1000;
    const behind = Date.now() - seen;
    // What the server said of a connection that is out of reach stays, until the page is drawn anew.
    let state = chip.dataset.trouble ? chip.dataset.troubleState : "live";
    let words = chip.dataset.trouble || gettext("live");
    if (chip.dataset.trouble || behind > late / 2) askFreshness(chip);
    if (downSince) {
      state = "down";
      words = fill(gettext("reconnecting… data of %(time)s"), { time: clockTime(downSince) });
    } else if (!chip.dataset.trouble && chip.dataset.connected === "0") {
      state = "none";
      words = gettext("no Odoo yet");
    } else if (!chip.dataset.trouble && behind > late) {
      state = "stale";
      words = fill(gettext("Odoo data %(minutes)s min old"), { minutes: Math.round(behind / 60000) });
    }
    if (chip.dataset.state !== state) chip.dataset.state = state;
    const text = chip.querySelector(".fresh-words");
    if (text.textContent !== words) text.textContent = words;
  }
}

if (watchers().length) connect();
setInterval(() => {
  freshness();
  // A connection that died without a word (a sleeping laptop, a lost network) is begun anew.
  if (socket?.readyState === WebSocket.OPEN && Date.now() - lastHeard > SILENT_TOO_LONG) socket.close();
}, 5000);
window.addEventListener("online", () => {
  if (socket?.readyState === WebSocket.CLOSED) connect();
});
