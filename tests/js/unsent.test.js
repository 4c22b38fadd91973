// static/js/unsent.js: a decision is sent once, kept while nobody answers, and what became of it is told.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, beforeEach, mock, test } from "node:test";
import { openPage, until } from "./page.js";

// The server answers what a test puts here; null breaks the connection.
let answer = null;
let asked = [];
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  asked.push({ path: request.url, headers: request.headers, fields: [...new URLSearchParams(Buffer.concat(chunks).toString())] });
  if (!answer) {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, { "Content-Type": answer.type ?? "application/json" });
  response.end(JSON.stringify({ detail: answer.detail }));
});
await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
after(() => {
  server.closeAllConnections();
  server.close();
});

const ORIGIN = `http://127.0.0.1:${server.address().port}`;
const HERE = "/approvals/7/";
const FORM = `
  <ct-unsent></ct-unsent>
  <ct-live><div class="split-decide"><section class="sheet"><form id="decide-form" method="post" action="${HERE}decide/" data-what="S00042">
    <input type="hidden" name="csrfmiddlewaretoken" value="old"><input type="hidden" name="token" value="key-1">
    <textarea name="reason">Paid today</textarea><button type="submit" name="verdict" value="approve">Approve</button>
  </form></section></div></ct-live>`;

openPage({ url: `${ORIGIN}${HERE}`, body: FORM });
document.cookie = "csrftoken=fresh";
await import("../../static/js/unsent.js");

const kept = () => JSON.parse(localStorage.getItem("ct-unsent") ?? "[]");
const notes = () => [...document.querySelectorAll(".unsent-row")].map((row) => row.firstChild.textContent);
const form = () => document.getElementById("decide-form");
const decide = () => form().dispatchEvent(Object.assign(new Event("submit", { cancelable: true, bubbles: true }), { submitter: form().querySelector("button") }));
const online = () => window.dispatchEvent(new Event("online"));
const entry = (key, more = {}) => ({ key, url: `${ORIGIN}/decide/${key}/`, page: `/approvals/${key}/`, fields: [["verdict", "reject"]], person: "olga", what: key, verb: "Reject", at: 1, ...more });
const keep = (...entries) => {
  localStorage.setItem("ct-unsent", JSON.stringify(entries));
  window.dispatchEvent(new Event("storage"));
};

let refreshed;
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  document.body.innerHTML = `${FORM}<p id="said"></p>`;
  refreshed = mock.fn(async () => true);
  document.querySelector("ct-live").refresh = refreshed;
  answer = { status: 200 };
  asked = [];
});

test("a decision is sent with its key, and with the token as the cookie has it", async () => {
  sessionStorage.setItem(`reason:${HERE}`, "Paid today");
  decide();
  await until(() => refreshed.mock.callCount());
  assert.equal(asked.length, 1);
  assert.equal(asked[0].path, `${HERE}decide/`);
  assert.equal(asked[0].headers["idempotency-key"], "key-1");
  assert.equal(asked[0].headers["x-csrftoken"], "fresh");
  assert.deepEqual(asked[0].fields.filter(([name]) => name !== "verdict"), [["token", "key-1"], ["reason", "Paid today"]]);
  assert.deepEqual(kept(), []);
  assert.deepEqual(notes(), []);
  assert.equal(sessionStorage.getItem(`reason:${HERE}`), null);
});

test("a second press sends nothing", async () => {
  decide();
  decide();
  await until(() => refreshed.mock.callCount());
  assert.equal(asked.length, 1);
});

for (const [what, given] of [
  ["the connection breaks", null], ["the server fails", { status: 503 }], ["there are too many requests", { status: 429 }],
  ["a proxy answers in its place", { status: 200, type: "text/html" }],
]) {
  test(`a decision is kept where ${what}, and sent with the same key later`, async () => {
    answer = given;
    decide();
    await until(() => notes().length);
    assert.deepEqual(notes(), ["Approve S00042: not yet sent. It is sent when there is a connection."]);
    assert.equal(form().querySelector("button").disabled, true);
    assert.deepEqual(kept().map((one) => one.key), ["key-1"]);
    answer = { status: 200 };
    online();
    await until(() => notes().length && notes()[0].endsWith("sent.") && !kept().length);
    assert.deepEqual(asked.map((one) => one.headers["idempotency-key"]), ["key-1", "key-1"]);
    assert.deepEqual(notes(), ["Approve S00042: sent."]);
    assert.equal(form().querySelector("button").disabled, false);
  });
}

test("what the server refuses is told with its reason, and not sent again", async () => {
  answer = { status: 409, detail: "The amount is 900 now." };
  decide();
  await until(() => refreshed.mock.callCount());
  await until(() => document.getElementById("said").textContent);
  assert.deepEqual(kept(), []);
  assert.deepEqual(notes(), ["Approve S00042: not accepted. The amount is 900 now."]);
  assert.equal(document.getElementById("said").textContent, "The amount is 900 now.");
  document.querySelector(".unsent-row button").click();
  assert.deepEqual(notes(), []);
});

test("what waits is sent in its order, and stops at the first that is not answered", async () => {
  keep(entry("1"), entry("2"), entry("3"));
  answer = null;
  online();
  await until(() => asked.length === 1);
  answer = { status: 200 };
  await until(() => {
    online();
    return !kept().length;
  });
  assert.deepEqual(asked.map((one) => one.path), ["/decide/1/", "/decide/1/", "/decide/2/", "/decide/3/"]);
});

test("what somebody else decided in this browser is neither sent nor shown", async () => {
  keep(entry("1", { person: "anna" }), entry("2"));
  online();
  await until(() => kept().length === 1);
  assert.deepEqual(asked.map((one) => one.path), ["/decide/2/"]);
  assert.deepEqual(kept().map((one) => one.person), ["anna"]);
  assert.deepEqual(notes(), ["Reject 2: sent."]);
});

test("what was not sent yet can be undone", () => {
  keep(entry("1"), entry("2"));
  document.querySelector(".unsent-row button").click();
  assert.deepEqual(kept().map((one) => one.key), ["2"]);
  assert.deepEqual(notes(), ["Reject 2: not yet sent. It is sent when there is a connection."]);
  assert.deepEqual(asked, []);
});
