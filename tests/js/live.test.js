// static/js/live.js: what is swapped, what is kept of it, and how a lost connection comes back.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openPage, settled, Socket, stopClock, until } from "./page.js";

const BODY = `
  <ct-fresh data-odoo-seen="2026-11-29T10:00:00Z" data-late-after="600" data-src="/freshness/" data-connected="1"><span class="fresh-words"></span></ct-fresh>
  <ct-live id="older" topic="board:order kpis" data-version="3"></ct-live>
  <ct-live id="board" topic="board:order" data-version="5"></ct-live>
  <ct-live id="inbox" topic="inbox" data-src="/approvals/" data-version="7"></ct-live>`;

openPage({ body: BODY });
stopClock();
globalThis.WebSocket = Socket;
const fetched = mock.fn(async () => new Response("<p>fetched</p>"));
globalThis.fetch = fetched;
await import("../../static/js/live.js");

const board = document.getElementById("board");
const inbox = document.getElementById("inbox");
const chip = document.querySelector("ct-fresh");
let version = 100;
const draw = (html) => {
  version += 1;
  return Socket.newest.push({ topic: "board:order", version, html });
};

beforeEach(async () => {
  if (Socket.newest.readyState !== Socket.OPEN) Socket.newest.accept();
  await draw("");
  fetched.mock.resetCalls();
});
afterEach(async () => {
  // The time after which a fetch may follow the one before.
  mock.timers.tick(700);
  await settled();
});

test("the page watches each topic once, from the older of the versions that it shows", () => {
  assert.deepEqual(Socket.all[0].sent[0], {
    watch: [{ topic: "board:order", version: 3 }, { topic: "kpis", version: 3 }, { topic: "inbox", version: 7 }],
  });
});

test("a newer drawing is shown, an older one that comes after it is not", async () => {
  await Socket.newest.push({ topic: "board:order", version: 1000, html: "<p>new</p>" });
  await Socket.newest.push({ topic: "board:order", version: 999, html: "<p>old</p>" });
  assert.equal(board.textContent, "new");
  version = 1000;
});

test("a drawing may come compressed", async () => {
  version += 1;
  const bytes = gzipSync(JSON.stringify({ topic: "board:order", version, html: "<p>packed</p>" }));
  const blob = new Blob([bytes]);
  blob.stream = () => new ReadableStream({ start: (out) => { out.enqueue(new Uint8Array(bytes)); out.close(); } });
  await Socket.newest.push(blob);
  await until(() => board.textContent === "packed");
});

test("what somebody types is left alone, and keeps the focus", async () => {
  await draw('<form><input name="q" value="a"></form><p>1</p>');
  const input = board.querySelector("input");
  input.focus();
  input.value = "half a wor";
  await draw('<form><input name="q" value="b"></form><p>2</p>');
  assert.equal(board.querySelector("input"), input);
  assert.equal(input.value, "half a wor");
  assert.equal(document.activeElement, input);
  assert.equal(board.querySelector("p").textContent, "2");
});

test("a field that somebody is in is not drawn anew under their hand", async () => {
  await draw("<select><option>open</option></select>");
  board.querySelector("select").focus();
  await draw("<select><option>late</option></select>");
  assert.equal(board.textContent, "open");
  board.querySelector("select").blur();
  await draw("<select><option>late</option></select>");
  assert.equal(board.textContent, "late");
});

test("an entry keeps its element where entries change places, and one that has come is marked", async () => {
  await draw('<ul><li id="a">A</li><li id="b">B</li></ul>');
  const [a, b] = board.querySelectorAll("li");
  await draw('<ul><li id="b">B2</li><li id="c">C</li><li id="a">A</li></ul>');
  const now = [...board.querySelectorAll("li")];
  assert.deepEqual(now.map((one) => one.textContent), ["B2", "C", "A"]);
  assert.equal(now[0], b);
  assert.equal(now[2], a);
  assert.deepEqual(now.map((one) => one.classList.contains("is-new")), [false, true, false]);
});

test("where somebody stands, what they picked, folded, opened and pressed is not the server's to take", async () => {
  await draw('<details><summary>s</summary></details><p id="row" class="row">r</p><button aria-busy="false">b</button>');
  board.querySelector("details").setAttribute("open", "");
  board.querySelector("p").classList.add("is-here", "is-picked");
  board.querySelector("button").setAttribute("aria-busy", "true");
  await draw('<details><summary>t</summary></details><p id="row" class="row late">r</p><button aria-busy="false">b</button>');
  assert.ok(board.querySelector("details").hasAttribute("open"));
  assert.equal(board.querySelector("p").className, "row late is-here is-picked");
  assert.equal(board.querySelector("button").getAttribute("aria-busy"), "true");
  assert.equal(board.querySelector("summary").textContent, "t");
});

test("an island looks after its own content", async () => {
  await draw("<div data-island>server</div>");
  board.firstChild.textContent = "its own";
  await draw('<div data-island class="late">server</div>');
  assert.equal(board.textContent, "its own");
  assert.equal(board.firstChild.className, "late");
});

test("a page may take a drawing and put it in itself", async () => {
  await draw("<p>before</p>");
  board.addEventListener("ct:fresh", (event) => event.preventDefault(), { once: true });
  await draw("<p>after</p>");
  assert.equal(board.textContent, "before");
});

test("what only this person sees is fetched, however often it is told at most once in 700 ms", async () => {
  for (let n = 1; n <= 5; n += 1) await Socket.newest.push({ topic: "inbox", version: 1000 + n });
  assert.equal(fetched.mock.callCount(), 1);
  assert.equal(fetched.mock.calls[0].arguments[0], "/approvals/");
  assert.equal(inbox.textContent, "fetched");
  mock.timers.tick(699);
  await settled();
  assert.equal(fetched.mock.callCount(), 1);
  mock.timers.tick(1);
  await settled();
  assert.equal(fetched.mock.callCount(), 2);
  mock.timers.tick(700);
  await settled();
  assert.equal(fetched.mock.callCount(), 2);
});

test("what could not be fetched is asked for again, after longer and longer waits, until it is shown", async () => {
  const answers = [() => { throw new TypeError("Failed to fetch"); }, () => new Response("", { status: 503 })];
  fetched.mock.mockImplementation(async () => (answers.shift() ?? (() => new Response("<p>at last</p>")))());
  await Socket.newest.push({ topic: "inbox", version: 2000 });
  for (const [pause, calls] of [[1399, 1], [1, 2], [2799, 2], [1, 3], [60_000, 3]]) {
    mock.timers.tick(pause);
    await settled();
    assert.equal(fetched.mock.callCount(), calls);
  }
  assert.equal(inbox.textContent, "at last");
});

test("what the server has not got is not asked for again", async () => {
  fetched.mock.mockImplementation(async () => new Response("", { status: 404 }));
  await Socket.newest.push({ topic: "inbox", version: 2001 });
  mock.timers.tick(60_000);
  await settled();
  assert.equal(fetched.mock.callCount(), 1);
  fetched.mock.mockImplementation(async () => new Response("<p>fetched</p>"));
});

test("a lost connection is said, and begun anew after longer and longer waits with the versions that are shown", async () => {
  const before = Socket.all.length;
  Socket.newest.close();
  assert.equal(chip.dataset.state, "down");
  assert.match(chip.textContent, /reconnecting… data of \d\d:\d\d/);
  mock.timers.tick(300);
  assert.equal(Socket.all.length, before + 1);
  Socket.newest.close();
  mock.timers.tick(299);
  assert.equal(Socket.all.length, before + 1);
  mock.timers.tick(301);
  assert.equal(Socket.all.length, before + 2);
  Socket.newest.accept();
  assert.equal(chip.dataset.state, "live");
  const watched = Socket.newest.sent[0].watch.find((one) => one.topic === "board:order");
  assert.equal(watched.version, version);
});

test("a connection that died without a word is begun anew", () => {
  const silent = Socket.newest;
  mock.timers.tick(50_000);
  assert.equal(silent.readyState, Socket.OPEN);
  mock.timers.tick(5_000);
  assert.equal(silent.readyState, Socket.CLOSED);
});

test("who is signed out reads so on a page drawn anew", () => {
  const reload = mock.method(location, "reload", () => {});
  const before = Socket.all.length;
  Socket.newest.close(4401);
  mock.timers.tick(60_000);
  assert.equal(reload.mock.callCount(), 1);
  assert.equal(Socket.all.length, before);
  reload.mock.restore();
});

test("a part that cannot be loaded says so, and what was shown stays where it cannot be fetched again", async () => {
  fetched.mock.mockImplementationOnce(async () => new Response("no", { status: 500 }));
  document.body.insertAdjacentHTML("beforeend", '<ct-live id="part" data-load data-src="/part/"><p>loading</p><template data-failed><p>Try again</p></template></ct-live>');
  const part = document.getElementById("part");
  await until(() => part.textContent === "Try again");
  mock.timers.tick(700);
  await settled();
  await part.refresh();
  assert.equal(part.textContent, "fetched");
  fetched.mock.mockImplementationOnce(async () => { throw new TypeError("no network"); });
  assert.equal(await part.refresh(), false);
  assert.equal(part.textContent, "fetched");
});

test("what stands outside of an element and tells of the same is drawn with it", async () => {
  document.body.insertAdjacentHTML("afterbegin", '<nav><span id="crumb-stage"><a href="/quotation/">Quotation</a></span></nav>');
  await draw('<template data-outside="crumb-stage"><a href="/unpaid/">Unpaid</a></template><p>body</p>');
  const link = document.querySelector("#crumb-stage a");
  assert.deepEqual([link.textContent, link.getAttribute("href")], ["Unpaid", "/unpaid/"]);
  assert.equal(board.innerHTML, "<p>body</p>");
});
