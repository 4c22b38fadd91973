// Keyboard shortcuts, in one place on every page: the keys, the sheet that lists them (?), and the palette (Ctrl or Cmd-K),
// which finds records too.
//
// command({ keys: "j", words: gettext("Next"), group: gettext("Move"), run }) adds one, and returns what removes it again; keys may be
// a sequence, "g q". In a template data-hotkey="e" on a button, link, summary or field gives it a key: it is pressed, or focused
// where it is a field or says data-hotkey-does="focus". Single keys have an off switch in the sheet (WCAG 2.1.4); the palette
// stays.

import { fill, gettext } from "./words.js";

document.documentElement.classList.add("has-js");

const all = [];
const SEQUENCE_MS = 900;
const FIND_AFTER_MS = 120;
let begun = null;

export function command(given) {
  const one = { group: gettext("On this page"), keys: "", when: () => true, ...given };
  all.push(one);
  return () => all.splice(all.indexOf(one), 1);
}

const areOn = () => {
  try {
    return localStorage.getItem("single-keys") !== "off";
  } catch {
    return true;
  }
};

export function typing(target) {
  return target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    palette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const pressed = begun && Date.now() - begun.at < SEQUENCE_MS ? `${begun.key} ${event.key}` : event.key;
  begun = null;
  // What a page says comes before what every page says.
  const found = [...all, ...onPage()].findLast((one) => !one.isFallback && one.keys.split("|").includes(pressed) && one.when())
    ?? all.find((one) => one.isFallback && one.keys.split("|").includes(pressed) && one.when());
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (all.some((one) => one.keys.split("|").some((keys) => keys.startsWith(`${event.key} `)))) {
    begun = { key: event.key, at: Date.now() };
  }
});

// The elements of the page that have a key of their own, those of a panel before those beside it.
function onPage() {
  const found = new Map();
  for (const one of document.querySelectorAll("[data-hotkey]")) {
    if (!one.disabled && !found.has(one.dataset.hotkey) && (one.checkVisibility?.() ?? true)) found.set(one.dataset.hotkey, one);
  }
  return [...found].filter(([key]) => !all.some((one) => !one.isFallback && one.keys.split("|").includes(key))).map(([key, one]) => ({
    keys: key, group: gettext("On this page"), when: () => true, run: () => press(one), words: labelOf(one),
  }));
}

function labelOf(element) {
  const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.firstChild?.textContent ?? element.textContent;
  return label.trim().replace(/\s+/g, " ").replace(/ \(\d+\)$/, "");
}

function press(element) {
  if (element.matches("input, textarea, select") || element.dataset.hotkeyDoes === "focus") {
    element.focus();
    element.scrollIntoView({ block: "nearest" });
  } else element.click();
  if (element.matches("summary") && element.parentElement.open) element.parentElement.querySelector("textarea, select, input:not([type=hidden])")?.focus();
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function sheet(id, label) {
  document.getElementById(id)?.remove();
  const dialog = element("dialog", "dialog");
  dialog.id = id;
  dialog.setAttribute("aria-label", label);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}

const shownKeys = (keys) => keys.split("|")[0].replace("Escape", "Esc");

export function help() {
  const dialog = sheet("keys-sheet", gettext("Keyboard shortcuts"));
  dialog.append(element("h2", "", gettext("Keyboard shortcuts")));
  const groups = new Map();
  for (const one of [...all.filter((known) => !known.isFallback || (known.isListed ?? known.when)()), ...onPage()]) if (one.keys) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  const columns = element("div", "keys-columns");
  for (const [group, commands] of groups) {
    const part = element("section");
    part.append(element("h3", "", group));
    const list = element("dl", "keys-list");
    for (const one of commands) {
      const row = element("div");
      const term = element("dt");
      term.append(element("kbd", "", shownKeys(one.keys)));
      row.append(term, element("dd", "", one.words));
      list.append(row);
    }
    part.append(list);
    columns.append(part);
  }
  const label = element("label", "check");
  const box = element("input");
  box.type = "checkbox";
  box.checked = areOn();
  box.addEventListener("change", () => localStorage.setItem("single-keys", box.checked ? "on" : "off"));
  label.append(box, ` ${gettext("Single-key shortcuts (Ctrl K always works)")}`);
  const close = element("button", "btn", gettext("Close"));
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  const end = element("div", "row dialog-end");
  end.append(label, close);
  dialog.append(columns, end);
  dialog.showModal();
}

function places() {
  const links = document.querySelectorAll(".rail-link, .tab[href]");
  return [...links].map((link) => ({
    group: link.matches(".tab") ? gettext("View") : gettext("Go to"), keys: "", run: () => location.assign(link.href),
    words: (link.querySelector(".rail-word") ?? link).textContent.trim().replace(/\s+/g, " "),
  }));
}

// What the search of the header finds, as entries of the palette.
function finder(show) {
  const source = document.querySelector("ct-search")?.dataset.src;
  let timer = null;
  let abort = null;
  return (text) => {
    clearTimeout(timer);
    abort?.abort();
    if (!source || text.length < 2) return;
    timer = setTimeout(async () => {
      abort = new AbortController();
      try {
        const answer = await fetch(`${source}?${new URLSearchParams({ q: text })}`, {
          headers: { "X-Fragment": "1", "X-Requested-With": "fetch" }, credentials: "same-origin", signal: abort.signal,
        });
        if (!answer.ok || answer.redirected) return;
        const template = document.createElement("template");
        template.innerHTML = await answer.text();
        show([...template.content.querySelectorAll(".hit")].map((hit) => ({
          group: hit.closest(".hits").getAttribute("aria-label"), keys: "", run: () => location.assign(hit.href),
          words: hit.querySelector(".strong").textContent, detail: hit.querySelector(".hit-detail")?.textContent ?? "",
        })));
      } catch (problem) {
        if (problem.name !== "AbortError") show([]);
      }
    }, FIND_AFTER_MS);
  };
}

export function palette() {
  const dialog = sheet("palette", gettext("Commands"));
  dialog.classList.add("palette");
  const input = element("input");
  input.type = "search";
  input.placeholder = gettext("Run a command or find a record");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", gettext("Command"));
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", "palette-list");
  input.setAttribute("aria-autocomplete", "list");
  const list = element("ul", "palette-list");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", gettext("Commands"));
  dialog.append(input, list);
  let shown = [];
  let here = 0;
  let records = [];
  const mark = () => {
    for (const [place, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(place === here));
    const item = list.children[here];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const run = (one) => {
    dialog.close();
    one.run();
  };
  const draw = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const known = [...onPage(), ...all.filter((one) => one.when()), ...places()];
    const found = known.filter((one) => wanted.every((word) => `${one.group} ${one.words}`.toLowerCase().includes(word)));
    // What has a word that begins so comes before what only holds it: "board" is a board before it is a keyboard.
    const begins = (one) => wanted.every((word) => one.words.toLowerCase().split(/\s+/).some((part) => part.startsWith(word)));
    shown = [...found.filter(begins), ...found.filter((one) => !begins(one)), ...records];
    here = Math.min(here, Math.max(shown.length - 1, 0));
    list.replaceChildren(...shown.map((one, place) => {
      const item = element("li", "palette-item");
      item.id = `palette-${place}`;
      item.setAttribute("role", "option");
      item.append(element("span", "quiet small", one.group), element("span", "list-row-main", one.words));
      if (one.detail) item.append(element("span", "quiet small clip", one.detail));
      if (one.keys) item.append(element("kbd", "", shownKeys(one.keys)));
      item.addEventListener("click", () => run(one));
      return item;
    }));
    mark();
  };
  const find = finder((found) => {
    records = found;
    draw();
    document.getElementById("said").textContent = fill(gettext("%(n)s found"), { n: shown.length });
  });
  input.addEventListener("input", () => {
    here = 0;
    records = [];
    draw();
    find(input.value.trim());
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      here = (here + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter" && shown[here]) {
      event.preventDefault();
      run(shown[here]);
    } else if (event.key === "Escape") {
      // A search field would only be emptied by it.
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.showModal();
  draw();
  input.focus();
}

function search() {
  const box = document.getElementById("search-box");
  if (box?.checkVisibility()) {
    box.focus();
    box.select();
  } else document.querySelector(".search-phone")?.click();
}

const everywhere = gettext("On every page");
command({ keys: "?", words: gettext("Show keyboard shortcuts"), group: everywhere, run: help });
command({ words: gettext("Turn single-key shortcuts on or off"), group: everywhere, run: help });
command({ keys: "/", words: gettext("Search"), group: everywhere, run: search });
const GO = {
  h: ["boards:home", gettext("Go to Home")], a: ["approvals:inbox", gettext("Go to Approvals")],
  "e|g q": ["exceptions:queue", gettext("Go to Exceptions")], b: ["boards:overview", gettext("Go to Boards")],
  c: ["connections:list", gettext("Go to Connections")], l: ["health:overview", gettext("Go to Health")],
};
for (const [key, [name, words]] of Object.entries(GO)) {
  const link = () => document.querySelector(`.rail-link[data-name="${name}"]`);
  command({ keys: `g ${key}`, words, group: gettext("Go to"), run: () => location.assign(link().href), when: () => Boolean(link()) });
}
command({ keys: "g n", words: gettext("Go to Notifications"), group: gettext("Go to"), run: () => document.getElementById("bell").click() });
document.addEventListener("click", (event) => {
  const asked = event.target.closest?.("[data-command]");
  if (!asked) return;
  asked.closest("details.menu")?.removeAttribute("open");
  if (asked.dataset.command === "palette") palette();
  if (asked.dataset.command === "help") help();
});
