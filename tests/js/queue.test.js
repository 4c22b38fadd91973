// static/js/queue.js and the elements that it consists of, with the real <ct-live> below it.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { openPage, settled, Socket, stopClock } from "./page.js";

const row = (id, version = 1) => `<tr id="case-${id}" data-case="${id}" data-seen="open:" data-v="${version}">
  <td><input type="checkbox" class="pick"></td><td class="col-due"><a class="row-link" href="/exceptions/${id}/">S${id} v${version}</a></td></tr>`;
const list = (rows, total = 9) => `<div class="stack"><div id="views">${total} in all</div><button class="news" hidden id="news"></button>
  <p id="why-first">S${rows[0]?.[0]} is first</p>
  <table class="queue-table" data-total="${total}" data-query="type=late"><thead><tr><th><input type="checkbox" class="pick-all"></th><th class="col-due">Due</th></tr></thead>
  <tbody id="rows">${rows.map((one) => row(...one)).join("")}</tbody></table></div>`;
const QUEUE = `<main><ct-queue class="default-columns" data-hidden="" data-may-work="1">
  <ct-queue-columns><details><fieldset><input type="checkbox" value="due"><input type="checkbox" value="age"><button data-reset>Default</button></fieldset></details></ct-queue-columns>
  <ct-live topic="queue" data-src="" class="queue-live">${list([[1], [2], [3], [4]])}</ct-live>
  <ct-queue-panel id="panel" hidden></ct-queue-panel>
  <ct-queue-selection id="bulk" hidden><strong class="bulk-count"></strong><button class="bulk-all" hidden></button><button data-do="resolve">Resolve</button><button class="bulk-none">Clear</button></ct-queue-selection>
  <dialog id="do-resolve"><form data-bulk method="post"><span class="do-what"></span><input name="resolution"><button type="button" data-close>Cancel</button></form></dialog>
  <form id="do-take" data-bulk method="post"></form>
</ct-queue></main>`;

openPage({ url: "https://tower.example/exceptions/?type=late", body: QUEUE });
stopClock();
globalThis.WebSocket = Socket;
let panels;
globalThis.fetch = mock.fn((url) => new Promise((done) => {
  panels.push({ url: String(url), answer: (html) => done(new Response(html)) });
}));
await import("../../static/js/live.js");
await import("../../static/js/queue.js");
Socket.newest.accept();

const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
const ids = (selector = "tr[data-case]") => $$(selector).map((one) => one.dataset.case);
const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const pick = (id, more = {}) => $(`#case-${id} .pick`).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...more }));
const subjects = (form = "#do-take") => {
  const event = new Event("formdata", { bubbles: true });
  event.formData = new FormData();
  $(form).dispatchEvent(event);
  return Object.fromEntries([...new Set(event.formData.keys())].map((name) => [name, event.formData.getAll(name)]));
};
const draw = (...given) => {
  const template = document.createElement("template");
  template.innerHTML = list(...given);
  const live = $(".queue-live");
  live.refresh = async () => {};
  live.dispatchEvent(new CustomEvent("ct:fresh", { bubbles: true, cancelable: true, detail: { content: template.content, ...morphing } }));
};
const acted = (detail, from = document) => from.dispatchEvent(new CustomEvent("ct:acted", { bubbles: true, detail }));

// live.js hands what swaps to whoever takes a drawing.
let morphing;
document.body.insertAdjacentHTML("beforeend", '<ct-live topic="probe" id="probe"></ct-live>');
$("#probe").addEventListener("ct:fresh", ({ detail: { morph, morphChildren } }) => {
  morphing = { morph, morphChildren };
});
await Socket.newest.push({ topic: "probe", version: 1, html: "" });

beforeEach(async () => {
  $("main")?.remove();
  history.replaceState({}, "", "/exceptions/?type=late");
  panels = [];
  document.body.insertAdjacentHTML("afterbegin", QUEUE);
  await settled();
  panels = [];
});

test("rows stay where they are: what has changed or left is marked, what is new waits behind a bar", () => {
  draw([[5], [1], [2, 2], [4]], 10);
  assert.deepEqual(ids(), ["1", "2", "3", "4"]);
  assert.deepEqual(ids("tr.is-changed"), ["2"]);
  assert.deepEqual(ids("tr.is-gone"), ["3"]);
  assert.equal($("#news").textContent, "1 new, 1 left this view");
  assert.equal($("#news").hidden, false);
  assert.equal($("#views").textContent, "10 in all");
  press("n");
  assert.deepEqual(ids(), ["5", "1", "2", "4"]);
  assert.deepEqual(ids("tr.is-new"), ["5"]);
  assert.equal($("#news").hidden, true);
  assert.equal($("tr.is-gone, tr.is-changed"), null);
});

test("what has left and is back again is no longer marked, and nothing waits", () => {
  draw([[1], [2], [4]]);
  assert.deepEqual(ids("tr.is-gone"), ["3"]);
  draw([[1], [2], [3], [4]]);
  assert.deepEqual(ids("tr.is-gone"), []);
  assert.equal($("#news").hidden, true);
});

test("a click on the bar shows what is new and goes to it", () => {
  draw([[7], [1], [2], [3], [4]]);
  $("#news").click();
  assert.equal(document.activeElement, $("#case-7 a"));
});

test("what one has done oneself goes, and the next one is at hand", () => {
  $("#case-2 a").focus();
  acted({ ids: [2] });
  draw([[1], [3], [4]]);
  assert.deepEqual(ids(), ["1", "3", "4"]);
  assert.equal(document.activeElement, $("#case-3 a"));
  assert.equal($("#news").hidden, true);
});

test("where nothing is left under the hand, the next page of the view comes by itself", () => {
  acted({ ids: [1, 2, 3, 4] });
  draw([[8], [9]]);
  assert.deepEqual(ids(), ["8", "9"]);
});

test("why the first stands first is said only of what is in sight", () => {
  draw([[5], [1], [2]]);
  assert.equal($("#why-first").hidden, true);
  draw([[1, 2], [2]]);
  assert.equal($("#why-first").hidden, false);
  assert.equal($("#why-first").textContent, "S1 is first");
});

test("screen readers are told of news at most every ten seconds, the newest of it", () => {
  mock.timers.tick(10_000);
  draw([[5], [1], [2], [3], [4]]);
  mock.timers.tick(0);
  assert.equal($("#said").textContent, "1 new");
  draw([[6], [5], [1], [2], [3], [4]]);
  draw([[7], [6], [5], [1], [2], [3], [4]]);
  mock.timers.tick(9_999);
  assert.equal($("#said").textContent, "1 new");
  mock.timers.tick(1);
  assert.equal($("#said").textContent, "3 new");
});

test("with Shift all between two are selected, and the bar counts them", () => {
  pick(1);
  pick(3, { shiftKey: true });
  assert.deepEqual(ids("tr.is-picked"), ["1", "2", "3"]);
  assert.equal($(".bulk-count").textContent, "3 selected");
  assert.equal($(".pick-all").indeterminate, true);
  assert.equal($(".bulk-all").hidden, true);
  assert.deepEqual(subjects(), { ids: ["1", "2", "3"] });
  $(".bulk-none").click();
  assert.deepEqual(ids("tr.is-picked"), []);
  assert.equal($("#bulk").hidden, true);
});

test("who has selected the page may select the whole view; another box takes that back", () => {
  $(".pick-all").click();
  assert.equal($(".bulk-all").textContent, "Select all 9 of this view");
  $(".bulk-all").click();
  assert.equal($(".bulk-count").textContent, "All 9 of this view");
  assert.deepEqual(subjects(), { all: ["1"], query: ["type=late"] });
  pick(2);
  assert.deepEqual(subjects(), { ids: ["1", "3", "4"] });
});

test("without a selection a key is about the row where one stands, as it was seen", () => {
  $("#case-3 a").focus();
  assert.deepEqual(subjects(), { ids: ["3"], seen: ["open:"] });
});

test("a key asks what it needs to know, about what it is about", () => {
  $("#case-3 a").focus();
  press("r");
  assert.equal($("#do-resolve").open, true);
  assert.equal($(".do-what").textContent, "S3 v1");
  $("[data-close]").click();
  assert.equal($("#do-resolve").open, false);
});

test("what was done with a selection ends it", () => {
  pick(1);
  acted({ ids: [1] }, $("#do-take"));
  assert.equal($("#bulk").hidden, true);
});

test("a row opens beside the list and in the address, and closes with the focus back on it", async () => {
  $("#case-2 a").click();
  assert.equal(location.search, "?type=late&case=2");
  assert.equal($("#panel").getAttribute("aria-busy"), "true");
  assert.equal(panels[0].url, "https://tower.example/exceptions/2/");
  panels[0].answer('<div class="panel-head"><button data-panel="next">next</button><a data-panel="close" href="/exceptions/">x</a></div><p>Two</p>');
  await settled();
  assert.equal($("#panel p").textContent, "Two");
  assert.equal($("#panel").hasAttribute("aria-busy"), false);
  assert.equal(document.activeElement, $("[data-panel=next]"));
  history.replaceState({}, "", location.href);
  $("[data-panel=close]").click();
  assert.equal(location.search, "?type=late");
  assert.equal($("#panel").hidden, true);
  assert.equal($("ct-queue").classList.contains("is-open"), false);
  assert.equal(document.activeElement, $("#case-2 a"));
});

test("of two that were opened the later one is shown, whichever is answered first", async () => {
  $("#case-1 a").click();
  $("#case-2 a").click();
  panels[1].answer("<p>Two</p>");
  await settled();
  panels[0].answer("<p>One</p>");
  await settled();
  assert.equal($("#panel").textContent, "Two");
});

test("Next opens the exception of the next row", async () => {
  $("#case-2 a").click();
  panels[0].answer('<button data-panel="next">next</button>');
  await settled();
  $("[data-panel=next]").click();
  assert.equal(panels.at(-1).url, "https://tower.example/exceptions/3/");
  assert.equal($("#panel").openCase, "3");
});

test("Back and forward close and open", () => {
  $("#case-2 a").click();
  history.replaceState({}, "", "/exceptions/?type=late");
  window.dispatchEvent(new Event("popstate"));
  assert.equal($("#panel").openCase, null);
  history.replaceState({}, "", "/exceptions/?type=late&case=4");
  window.dispatchEvent(new Event("popstate"));
  assert.equal($("#panel").openCase, "4");
});

test("an action in the panel is about the open exception, also where the list does not show it", () => {
  $("#panel").open("77");
  assert.deepEqual(subjects(), { ids: ["77"], seen: [""] });
  press("r");
  assert.equal($(".do-what").textContent, "");
  assert.equal($("#do-resolve").open, true);
});

test("which columns are hidden is kept for the server", () => {
  const [due] = $$("ct-queue-columns input");
  due.checked = true;
  $$("ct-queue-columns input")[1].checked = false;
  due.dispatchEvent(new Event("change", { bubbles: true }));
  assert.match(document.cookie, /queue_hidden=age/);
  assert.equal($("ct-queue").dataset.hidden, "age");
  assert.equal($("ct-queue").classList.contains("default-columns"), false);
  $("[data-reset]").click();
  assert.doesNotMatch(document.cookie, /queue_hidden=age/);
  assert.equal($("ct-queue").classList.contains("default-columns"), true);
});

test("a queue that is taken off the page listens to nothing more", () => {
  const removed = $("ct-queue");
  draw([[5], [1], [2], [3], [4]]);
  const shown = mock.method(removed.panel, "open");
  const refetched = mock.method(removed.live, "refetch");
  $("main").remove();
  press("n");
  acted({ ids: [1] });
  history.replaceState({}, "", "/exceptions/?case=4");
  window.dispatchEvent(new Event("popstate"));
  assert.equal(removed.querySelector("tr[data-case='5']"), null);
  assert.equal(shown.mock.callCount() + refetched.mock.callCount(), 0);
});
