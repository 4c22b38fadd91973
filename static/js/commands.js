// What can be done by key, in one place: the keys themselves, the sheet that lists them (?), and the palette (Ctrl or Cmd-K).
//
// command({ keys: "j", words: gettext("Next"), group: gettext("Move"), run }) adds one; keys may be a sequence, "g q". Single keys have an
// off switch in the sheet (WCAG 2.1.4); the palette stays.

import { gettext } from "./words.js";

const all = [];
const SEQUENCE_MS = 900;
let begun = null;

export function command(given) {
  all.push({ group: gettext("Here"), keys: "", when: () => true, ...given });
}

const areOn = () => {
  try {
    return localStorage.getItem("single-keys") !== "off";
  } catch {
    return true;
  }
};

function typing(target) {
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
  const found = all.find((one) => one.keys.split("|").includes(pressed) && one.when());
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (all.some((one) => one.keys.split("|").some((keys) => keys.startsWith(`${event.key} `)))) {
    begun = { key: event.key, at: Date.now() };
  }
});

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
  const dialog = sheet("keys-sheet", gettext("Keys"));
  dialog.append(element("h2", "", gettext("Keys")));
  const groups = new Map();
  for (const one of all) if (one.keys) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
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
  label.append(box, ` ${gettext("Single keys do something (Ctrl K always does)")}`);
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

export function palette() {
  const dialog = sheet("palette", gettext("Commands"));
  dialog.classList.add("palette");
  const input = element("input");
  input.type = "search";
  input.placeholder = gettext("What do you want to do?");
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
  const mark = () => {
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === here)));
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
    const known = [...all.filter((one) => one.when()), ...places()];
    shown = known.filter((one) => wanted.every((word) => `${one.group} ${one.words}`.toLowerCase().includes(word)));
    here = 0;
    list.replaceChildren(...shown.map((one, place) => {
      const item = element("li", "palette-item");
      item.id = `palette-${place}`;
      item.setAttribute("role", "option");
      item.append(element("span", "quiet small", one.group), element("span", "list-row-main", one.words));
      if (one.keys) item.append(element("kbd", "", shownKeys(one.keys)));
      item.addEventListener("click", () => run(one));
      return item;
    }));
    mark();
  };
  input.addEventListener("input", draw);
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

command({ keys: "?", words: gettext("Show the keys"), group: gettext("Everywhere"), run: help });
command({ words: gettext("Turn single keys on or off"), group: gettext("Everywhere"), run: help });
command({ keys: "/", words: gettext("Search"), group: gettext("Everywhere"), run: () => document.querySelector("input[type=search]")?.focus() });
for (const [key, href, words] of [["q", "/exceptions/", gettext("Go to Exceptions")], ["a", "/approvals/", gettext("Go to Approvals")], ["b", "/boards/", gettext("Go to Boards")], ["h", "/", gettext("Go to Home")]]) {
  command({ keys: `g ${key}`, words, group: gettext("Everywhere"), run: () => location.assign(href) });
}
document.addEventListener("click", (event) => {
  const asked = event.target.closest?.("[data-command]");
  if (asked?.dataset.command === "palette") palette();
  if (asked?.dataset.command === "help") help();
});
