// <ct-queue>: the exception queue by key and by hand. Rows do not move while somebody looks at them: what is new waits
// behind a bar, what changed is marked where it stands. An exception opens beside the list, in the address too.

import "./acts.js";
import { command } from "./commands.js";
import { here as current, linkOf, stand } from "./lists.js";
import { undoLast } from "./toasts.js";
import { fill, gettext, language, ngettext } from "./words.js";

const WIDE = matchMedia("(min-width: 64rem)");
const queue = document.querySelector("ct-queue");
const live = queue.querySelector(".queue-live");
const panel = document.getElementById("panel");
const bulk = document.getElementById("bulk");
const said = document.getElementById("said");
const mayWork = queue.dataset.mayWork === "1";
let waiting = null;
let openCase = queue.dataset.open || null;
let all = false;
let lastPicked = null;
const acted = new Set();

customElements.define("ct-queue", class extends HTMLElement {});

const rows = () => [...live.querySelectorAll("tr[data-case]")];
const rowOf = (id) => live.querySelector(`tr[data-case="${CSS.escape(String(id))}"]`);
const shownRows = () => rows().filter((row) => row.checkVisibility());
// Where one stands: within the list, else at the exception that is open.
const here = () => {
  const row = current();
  return row?.matches("tr[data-case]") ? row : rowOf(openCase);
};

// ---- Moving -------------------------------------------------------------------------------------------------------

live.addEventListener("ct:here", (event) => {
  const id = event.target.dataset.case;
  if (id && openCase && WIDE.matches) open(id, { replace: true, keepFocus: true });
});

// ---- The side panel -----------------------------------------------------------------------------------------------

function address(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("case", id);
  else url.searchParams.delete("case");
  return url;
}

async function draw(id) {
  const href = linkOf(rowOf(id))?.href ?? `/exceptions/${id}/`;
  panel.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(href, { headers: { "X-Fragment": "panel" }, credentials: "same-origin" });
  } catch {
    answer = null;
  }
  if (openCase !== String(id)) return;
  panel.removeAttribute("aria-busy");
  if (!answer?.ok || answer.redirected) {
    location.assign(href);
    return;
  }
  panel.innerHTML = await answer.text();
  panel.scrollTop = 0;
  document.dispatchEvent(new CustomEvent("ct:swapped"));
}

function open(id, { replace = false, keepFocus = false, fromHistory = false } = {}) {
  if (!WIDE.matches) {
    location.assign(linkOf(rowOf(id))?.href ?? `/exceptions/${id}/`);
    return;
  }
  if (!fromHistory) history[replace || openCase ? "replaceState" : "pushState"]({ case: String(id) }, "", address(id));
  openCase = String(id);
  panel.hidden = false;
  queue.classList.add("is-open");
  stand(rowOf(id));
  draw(id).then(() => {
    if (!keepFocus) panel.querySelector(".panel-head button, .panel-head a")?.focus({ preventScroll: true });
  });
}

function close({ fromHistory = false } = {}) {
  if (!openCase) return;
  const row = rowOf(openCase);
  if (!fromHistory) {
    if (history.state?.case) history.back();
    else history.replaceState({}, "", address(null));
  }
  openCase = null;
  panel.hidden = true;
  panel.replaceChildren();
  queue.classList.remove("is-open");
  linkOf(row)?.focus();
}

addEventListener("popstate", () => {
  const wanted = new URL(location.href).searchParams.get("case");
  if (wanted) open(wanted, { fromHistory: true });
  else close({ fromHistory: true });
});

if (openCase) {
  if (WIDE.matches) queue.classList.add("is-open");
  else location.replace(`/exceptions/${openCase}/`);
}

live.addEventListener("click", (event) => {
  const link = event.target.closest("a.row-link");
  if (link && WIDE.matches && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    open(link.closest("tr").dataset.case);
  }
});
panel.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-panel]");
  if (!asked) return;
  event.preventDefault();
  if (asked.dataset.panel === "close") close();
  else {
    const list = shownRows();
    const next = list[list.indexOf(rowOf(openCase)) + (asked.dataset.panel === "next" ? 1 : -1)];
    if (next) open(next.dataset.case, { replace: true });
  }
});

// ---- Choosing -----------------------------------------------------------------------------------------------------

const picked = () => [...live.querySelectorAll(".pick:checked")];

function count() {
  if (!bulk) return;
  const chosen = picked();
  const table = live.querySelector("[data-total]");
  const total = Number(table?.dataset.total ?? 0);
  const many = total > 1000 ? `${(1000).toLocaleString(language)}+` : total;
  bulk.hidden = !chosen.length;
  if (!chosen.length) all = false;
  const words = all ? fill(gettext("All %(n)s of this view"), { n: many }) : fill(ngettext("%(n)s selected", "%(n)s selected", chosen.length), { n: chosen.length });
  bulk.querySelector(".bulk-count").textContent = words;
  const more = bulk.querySelector(".bulk-all");
  more.hidden = all || !table || chosen.length < rows().length || total <= chosen.length;
  more.textContent = fill(gettext("Select all %(n)s of this view"), { n: many });
  for (const box of live.querySelectorAll(".pick-all")) {
    box.checked = chosen.length > 0 && chosen.length === rows().length;
    box.indeterminate = chosen.length > 0 && !box.checked;
  }
  for (const row of rows()) row.classList.toggle("is-picked", Boolean(row.querySelector(".pick:checked")));
}

live.addEventListener("click", (event) => {
  const box = event.target.closest(".pick");
  if (!box) return;
  const boxes = [...live.querySelectorAll(".pick")];
  if (event.shiftKey && lastPicked?.isConnected) {
    const [from, to] = [boxes.indexOf(lastPicked), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
  }
  lastPicked = box;
});
live.addEventListener("change", (event) => {
  if (event.target.matches(".pick-all")) {
    for (const box of event.target.closest("table").querySelectorAll(".pick")) box.checked = event.target.checked;
  }
  all = false;
  count();
});
function clear() {
  for (const box of picked()) box.checked = false;
  all = false;
  count();
}
bulk?.addEventListener("click", (event) => {
  if (event.target.closest(".bulk-all")) {
    all = true;
    count();
    bulk.querySelector("[data-do]").focus();
  }
  if (event.target.closest(".bulk-none")) clear();
  const asked = event.target.closest("[data-do]");
  if (asked) act(asked.dataset.do);
});

// ---- Doing --------------------------------------------------------------------------------------------------------

// What a key or a button is about: what is chosen, else the row where one stands.
function about() {
  const chosen = picked().map((box) => box.closest("tr"));
  const row = here();
  return chosen.length ? chosen : row ? [row] : openCase ? [{ dataset: { case: openCase, seen: "" } }] : [];
}

function act(name) {
  const subjects = about();
  if (!mayWork || !subjects.length) return;
  const form = document.getElementById(`do-${name}`);
  const dialog = form.matches("dialog") ? form : null;
  if (!dialog) {
    form.requestSubmit();
    return;
  }
  const what = all ? gettext("all of this view") : subjects.length === 1 ? linkOf(subjects[0])?.textContent ?? "" : fill(gettext("%(n)s exceptions"), { n: subjects.length });
  dialog.querySelector(".do-what").textContent = what;
  dialog.showModal();
  dialog.querySelector("select, input:not([type=hidden]), button")?.focus();
}

document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form[data-bulk]")) return;
  const subjects = about();
  if (all) {
    event.formData.set("all", "1");
    event.formData.set("query", live.querySelector("[data-query]").dataset.query);
    return;
  }
  for (const row of subjects) event.formData.append("ids", row.dataset.case);
  if (subjects.length === 1) event.formData.set("seen", subjects[0].dataset.seen ?? "");
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-close]")) event.target.closest("dialog").close();
});

document.addEventListener("ct:acted", (event) => {
  for (const id of event.detail.ids ?? []) acted.add(String(id));
  if (event.detail.runs) clear();
  else if (event.target.matches?.("[data-bulk]")) clear();
  live.refetch();
});

// ---- Live ---------------------------------------------------------------------------------------------------------

function news() {
  return document.getElementById("news");
}

live.addEventListener("ct:fresh", (event) => {
  if (event.target !== live) return;
  const { content, morph } = event.detail;
  const fresh = new Map([...content.querySelectorAll("tr[data-case]")].map((row) => [row.dataset.case, row]));
  const shown = rows();
  if (!shown.length) {
    waiting = null;
    return;
  }
  event.preventDefault();
  const views = content.querySelector("#views");
  if (views) morph(document.getElementById("views"), views);
  whyFirst(content, morph);
  let gone = 0;
  let moved = null;
  for (const row of shown) {
    const now = fresh.get(row.dataset.case);
    if (now && now.dataset.v === row.dataset.v) {
      row.classList.remove("is-gone");
      continue;
    }
    if (now) {
      morph(row, now);
      row.classList.add("is-changed");
    } else if (acted.has(row.dataset.case)) {
      // What one has just done oneself is no surprise: it goes, and the next one is at hand.
      if (row.contains(document.activeElement) || row.classList.contains("is-here")) moved = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      acted.delete(row.dataset.case);
    } else {
      row.classList.add("is-gone");
      gone += 1;
    }
  }
  if (!rows().length) {
    // Nothing is left under the hand.
    waiting = event.detail;
    show();
    return;
  }
  if (moved) {
    stand(moved);
    if (!openCase) linkOf(moved)?.focus();
  }
  const known = new Set(shown.map((row) => row.dataset.case));
  const count_ = [...fresh.keys()].filter((id) => !known.has(id)).length;
  waiting = count_ || gone ? event.detail : null;
  if (waiting) waiting.shown = [...fresh.keys()].join();
  const bar = news();
  const words = [count_ && fill(gettext("%(n)s new"), { n: count_ }), gone && fill(gettext("%(n)s left this view"), { n: gone })].filter(Boolean).join(", ");
  bar.hidden = !words;
  if (bar.textContent !== words) {
    bar.textContent = words;
    if (words) say(words);
  }
  count();
  live.dispatchEvent(new CustomEvent("ct:swapped", { bubbles: true }));
});

// Why the first stands first is said of what is first now, where that is in sight; of nothing else.
function whyFirst(content, morph) {
  const old = document.getElementById("why-first");
  const now = content.querySelector("#why-first");
  const first = content.querySelector("tr[data-case]")?.dataset.case;
  if (!old) return;
  old.hidden = !now || !rowOf(first);
  if (!old.hidden) morph(old, now);
}

// To screen readers at most every ten seconds.
let saidAt = 0;
let toSay = null;
function say(words) {
  clearTimeout(toSay);
  toSay = setTimeout(() => {
    saidAt = Date.now();
    said.textContent = words;
  }, Math.max(0, saidAt + 10_000 - Date.now()));
}

function show() {
  if (!waiting) return;
  const before = new Set(rows().map((row) => row.dataset.case));
  const { content, morphChildren } = waiting;
  waiting = null;
  for (const row of rows()) row.classList.remove("is-changed", "is-gone", "is-new");
  morphChildren(live, content);
  for (const row of rows()) if (!before.has(row.dataset.case)) row.classList.add("is-new");
  live.dispatchEvent(new CustomEvent("ct:swapped", { bubbles: true }));
  stand(rowOf(openCase));
  count();
}
live.addEventListener("click", (event) => {
  if (event.target.closest("#news")) {
    show();
    (linkOf(live.querySelector("tr.is-new")) ?? linkOf(rows()[0]))?.focus();
  }
});

// ---- Keys ---------------------------------------------------------------------------------------------------------

command({ keys: "o", words: gettext("Open beside the list (Enter)"), group: gettext("Move"), run: () => open(here().dataset.case), when: () => Boolean(here()) });
command({ keys: "Escape", words: gettext("Close the panel, or clear the selection"), group: gettext("Move"), run: () => (openCase ? close() : clear()) });
command({ keys: "n", words: gettext("Show what is new"), group: gettext("Move"), run: show, when: () => Boolean(waiting) });
if (mayWork) {
  const some = () => about().length > 0;
  command({ keys: "a", words: gettext("Assign or reassign"), group: gettext("Do"), run: () => act("assign"), when: some });
  command({ keys: "i|m", words: gettext("Assign to me"), group: gettext("Do"), run: () => act("take"), when: some });
  command({ keys: "e", words: gettext("Acknowledge"), group: gettext("Do"), run: () => act("acknowledge"), when: some });
  command({ keys: "s", words: gettext("Snooze until"), group: gettext("Do"), run: () => act("snooze"), when: some });
  command({ keys: "r", words: gettext("Resolve"), group: gettext("Do"), run: () => act("resolve"), when: some });
  command({ keys: "c", words: gettext("Comment"), group: gettext("Do"), run: comment, when: some });
  command({ keys: "z", words: gettext("Undo the last action"), group: gettext("Do"), run: undoLast });
}

function comment() {
  const row = here();
  const id = row?.dataset.case ?? openCase;
  if (!id) return;
  const write = () => panel.querySelector("textarea[name=text]")?.focus();
  if (openCase === id) write();
  else {
    open(id, { keepFocus: true });
    const look = new MutationObserver(() => {
      if (panel.querySelector("textarea[name=text]")) {
        look.disconnect();
        write();
      }
    });
    look.observe(panel, { childList: true });
  }
}

// ---- Columns and export -------------------------------------------------------------------------------------------

// Which columns are hidden is kept in a cookie, so that the server draws them so; see apps/exceptions/columns.py.
const COLUMNS = "queue_hidden";
const chooser = document.querySelector(".choose-columns");
const boxes = () => [...chooser.querySelectorAll("input[type=checkbox]")];
function showColumns() {
  for (const box of boxes()) {
    const head = live.querySelector(`.queue-table thead .col-${box.value}`);
    box.checked = head ? getComputedStyle(head).display !== "none" : !queue.dataset.hidden.split(" ").includes(box.value);
  }
}
function keepColumns(hidden) {
  document.cookie = `${COLUMNS}=${hidden ? hidden.join(".") || "-" : ""}; path=/exceptions/; samesite=lax; max-age=${hidden ? 31_536_000 : 0}`;
  queue.dataset.hidden = (hidden ?? []).join(" ");
  queue.classList.toggle("default-columns", !hidden);
}
chooser.addEventListener("toggle", showColumns);
chooser.addEventListener("change", () => keepColumns(boxes().filter((box) => !box.checked).map((box) => box.value)));
chooser.querySelector("[data-reset]").addEventListener("click", () => {
  keepColumns(null);
  showColumns();
});
