// Decisions on a bad line. What is decided is kept in this browser, with the key of its form, until the server has
// answered; the server takes a key once, so sending again is safe. What came too late is said, not swallowed.
//
// Kept in localStorage: what waits (kept) and what became of it and was not read yet (news). Only the person who decided
// may send it: the entry names them, and the server refuses it from anybody else.

import { fill, gettext } from "./words.js";

const KEPT = "ct-unsent";
const NEWS = "ct-unsent-news";
const ANSWER_WITHIN = 15_000;
const TRY_EVERY = 10_000;
// What stands above this is under the head of the page.
const HEADER = 56;
const person = document.querySelector('meta[name="person"]')?.content ?? "";

const read = (name) => JSON.parse(localStorage.getItem(name) ?? "[]");
const write = (name, rows) => localStorage.setItem(name, JSON.stringify(rows));
const keep = (entry) => write(KEPT, [...read(KEPT).filter((row) => row.key !== entry.key), entry]);
const drop = (key) => write(KEPT, read(KEPT).filter((row) => row.key !== key));
const tell = (row) => write(NEWS, [...read(NEWS), row]);
const mine = (row) => row.person === person;
const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.split("=")[1] ?? "";

// What the server made of it; null where it was not reached, or could not answer.
async function send(entry) {
  try {
    const answer = await fetch(entry.url, {
      method: "POST",
      body: new URLSearchParams(entry.fields),
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "Idempotency-Key": entry.key,
        "X-CSRFToken": cookie("csrftoken"),
        "X-Requested-With": "fetch",
      },
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    if (answer.redirected || answer.status >= 500 || answer.status === 429) return null;
    if (!(answer.headers.get("Content-Type") ?? "").startsWith("application/json")) return null;
    return { ok: answer.ok, detail: (await answer.json()).detail };
  } catch {
    return null;
  }
}

let sending = false;
async function sendAll() {
  if (sending || !person) return;
  sending = true;
  for (const entry of read(KEPT).filter(mine)) {
    const result = await send(entry);
    if (!result) break;
    drop(entry.key);
    tell({ ...result, what: entry.what, page: entry.page, verb: entry.verb, person });
    document.dispatchEvent(new CustomEvent("ct:sent", { detail: { ...entry, result } }));
  }
  sending = false;
  draw();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id !== "decide-form" || !event.submitter) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  event.submitter.setAttribute("aria-busy", "true");
  // The token against forged requests is sent as the cookie has it by then.
  const fields = [...new FormData(form, event.submitter)]
    .filter(([name]) => name !== "csrfmiddlewaretoken")
    .map(([name, value]) => [name, String(value)]);
  const entry = {
    key: form.elements.token.value, url: new URL(form.getAttribute("action"), location.href).href,
    page: location.pathname, fields, person,
    what: form.dataset.what, verb: event.submitter.textContent.trim(), at: Date.now(),
  };
  keep(entry);
  const result = await send(entry);
  event.submitter.removeAttribute("aria-busy");
  if (!result) {
    draw();
    return;
  }
  drop(entry.key);
  delete form.dataset.sent;
  if (result.ok) sessionStorage.removeItem(`reason:${location.pathname}`);
  else tell({ ...result, what: entry.what, page: entry.page, verb: entry.verb, person });
  await showOutcome(result);
});

// Show what became of the decision in the place of the form: nothing moves under the hand, the focus goes to the Undo, and
// screen readers are told.
async function showOutcome(result) {
  const place = () => document.getElementById("decide-form")?.closest(".sheet") ?? document.getElementById("decided-h")?.closest(".sheet");
  const before = place()?.getBoundingClientRect().top;
  const live = document.querySelector("ct-live:has(> .split-decide)");
  if (!live || !(await live.refresh())) {
    location.reload();
    return;
  }
  draw();
  document.body.classList.toggle("deciding", Boolean(document.getElementById("decide-form")));
  const after = place()?.getBoundingClientRect().top;
  if (before !== undefined && after !== undefined) scrollBy({ top: after - before, behavior: "instant" });
  const undo = document.getElementById("undo");
  const decided = document.getElementById("decided-h");
  const top = decided?.getBoundingClientRect().top ?? 0;
  if (decided && (top < HEADER || top > innerHeight * 0.7)) decided.scrollIntoView({ block: "start", behavior: "instant" });
  const said = document.getElementById("said");
  if (result.ok) {
    said.textContent = [decided?.textContent.trim(), undo?.querySelector(".undo-words").textContent.trim()].filter(Boolean).join(". ");
    (undo ?? decided)?.focus({ preventScroll: Boolean(undo) });
    return;
  }
  said.textContent = result.detail;
  const row = document.querySelector("ct-unsent .unsent-row");
  row?.setAttribute("tabindex", "-1");
  row?.focus();
}

// ---- What is shown of it ----------------------------------------------------------------------------------------

function line(tone, text, buttons) {
  const row = document.createElement("div");
  row.className = `note tone-${tone} unsent-row`;
  row.append(Object.assign(document.createElement("span"), { textContent: text }), ...buttons);
  return row;
}

function button(text, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: text });
  made.addEventListener("click", act);
  return made;
}

function link(text, href) {
  return Object.assign(document.createElement("a"), { className: "btn", textContent: text, href });
}

function draw() {
  const rows = [];
  const waiting = read(KEPT).length;
  // Without a connection nobody is known: what waits is counted, not shown.
  if (!person && waiting) {
    rows.push(line("risk", fill(gettext("Not yet sent: %(n)s. Sent when there is a connection."), { n: waiting }), []));
  }
  for (const entry of read(KEPT).filter(mine)) {
    const undo = button(gettext("Undo"), () => {
      drop(entry.key);
      if (entry.page === location.pathname) location.reload();
      else draw();
    });
    rows.push(line("risk", fill(gettext("%(verb)s %(what)s: not yet sent. It is sent when there is a connection."), entry), [undo]));
  }
  for (const [index, row] of read(NEWS).entries()) {
    if (!person || !mine(row)) continue;
    const seen = button(gettext("Dismiss"), () => {
      write(NEWS, read(NEWS).filter((_, other) => other !== index));
      draw();
    });
    const text = fill(row.ok ? gettext("%(verb)s %(what)s: sent.") : gettext("%(verb)s %(what)s: not accepted. %(detail)s"), row);
    const there = row.page === location.pathname ? [] : [link(gettext("View"), row.page)];
    rows.push(line(row.ok ? "done" : "late", text, [...there, seen]));
  }
  for (const place of document.querySelectorAll("ct-unsent")) place.replaceChildren(...rows);
  const waits = new Set(read(KEPT).filter(mine).map((entry) => entry.page));
  const form = document.getElementById("decide-form");
  if (form) {
    for (const pressed of form.querySelectorAll("button[type=submit]")) pressed.disabled = waits.has(location.pathname);
  }
}

class Unsent extends HTMLElement {
  connectedCallback() {
    draw();
  }
}
customElements.define("ct-unsent", Unsent);

draw();
if (read(KEPT).some(mine)) sendAll();
addEventListener("online", sendAll);
addEventListener("storage", draw);
document.addEventListener("ct:swapped", draw);
document.addEventListener("ct:sent", (event) => {
  if (event.detail.page === location.pathname) showOutcome(event.detail.result);
});
setInterval(() => {
  if (read(KEPT).some(mine)) sendAll();
}, TRY_EVERY);
