// Every list by key: j and k go from entry to entry, Enter (the entry's own link) or o opens, x selects. An entry is what says
// data-item, or a row of a table or list that has a link. Groups that fold keep how they were left.
//
// A page that does more when one goes to an entry (the queue draws its panel) listens to "ct:here".

import { command } from "./commands.js";
import { fill, gettext } from "./words.js";

const ITEMS = "[data-item], main table tbody tr:has(a.row-link), main .list-row:has(a), main a.list-row, main .hit";

export const items = () => [...document.querySelectorAll(ITEMS)].filter((one) => one.checkVisibility());
export const linkOf = (item) => (item?.matches("a") ? item : item?.querySelector("[data-open], a.row-link, a"));
export const here = () => document.activeElement?.closest?.(ITEMS) ?? document.querySelector(".is-here");

export function stand(item) {
  for (const other of document.querySelectorAll(".is-here")) if (other !== item) other.classList.remove("is-here");
  item?.classList.add("is-here");
}

export function go(step) {
  const list = items();
  if (!list.length) return;
  const at = list.indexOf(here());
  const item = list[Math.min(Math.max(at < 0 ? (step > 0 ? 0 : list.length - 1) : at + step, 0), list.length - 1)];
  stand(item);
  linkOf(item).focus();
  item.scrollIntoView({ block: "nearest" });
  item.dispatchEvent(new CustomEvent("ct:here", { bubbles: true }));
}

document.addEventListener("focusin", (event) => {
  const item = event.target.closest?.(ITEMS);
  if (item) stand(item);
});

const move = gettext("Lists");
const some = () => items().length > 0;
const within = () => Boolean(document.activeElement?.closest?.(ITEMS));
command({ keys: "j", words: gettext("Next entry"), group: move, run: () => go(1), when: some, isFallback: true });
command({ keys: "k", words: gettext("Previous entry"), group: move, run: () => go(-1), when: some, isFallback: true });
command({ keys: "ArrowDown", words: gettext("Next entry, from within the list"), group: move, run: () => go(1), when: within, isFallback: true });
command({ keys: "ArrowUp", words: gettext("Previous entry, from within the list"), group: move, run: () => go(-1), when: within, isFallback: true });
command({ keys: "o", words: gettext("Open (Enter)"), group: move, run: () => linkOf(here()).click(), when: () => Boolean(here()), isListed: some, isFallback: true });
command({
  keys: "x", words: gettext("Select"), group: move, isFallback: true, isListed: () => items().some((one) => one.querySelector("input[type=checkbox]")),
  run: () => here().querySelector("input[type=checkbox]").click(), when: () => Boolean(here()?.querySelector("input[type=checkbox]")),
});
for (const [keys, selector, words] of [[".", ".pages > a:last-child:not(:first-child)", gettext("Next page")], [",", ".pages > a:first-child", gettext("First page")]]) {
  const link = () => document.querySelector(selector);
  command({ keys, words, group: move, run: () => link().click(), when: () => Boolean(link()), isFallback: true });
}

// ---- Groups that fold -------------------------------------------------------------------------------------------

const FOLDED = "ct-folded";
function folded() {
  try {
    return new Set(JSON.parse(localStorage.getItem(FOLDED) ?? "[]"));
  } catch {
    return new Set();
  }
}
function keep(set) {
  try {
    localStorage.setItem(FOLDED, JSON.stringify([...set].slice(-200)));
  } catch {
    // Nothing is kept where the browser keeps nothing.
  }
}
// A group is a <details>, or a part of a table whose first row has the button.
const GROUPS = "details[data-fold], tbody[data-fold]";
const isOpen = (group) => (group.matches("details") ? group.open : !group.classList.contains("is-folded"));
function setOpen(group, open) {
  if (group.matches("details")) {
    group.open = open;
    return;
  }
  group.classList.toggle("is-folded", !open);
  group.querySelector(".fold-button").setAttribute("aria-expanded", String(open));
}
function fold() {
  const closed = folded();
  for (const one of document.querySelectorAll(GROUPS)) setOpen(one, !closed.has(one.dataset.fold));
}
function remember(group) {
  const closed = folded();
  if (isOpen(group)) closed.delete(group.dataset.fold);
  else closed.add(group.dataset.fold);
  keep(closed);
}
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-fold]")) remember(event.target);
}, true);
document.addEventListener("click", (event) => {
  const group = event.target.closest?.(".fold-button")?.closest(GROUPS);
  if (!group) return;
  setOpen(group, !isOpen(group));
  remember(group);
});
function foldAll(open) {
  for (const one of document.querySelectorAll(GROUPS)) {
    setOpen(one, open);
    remember(one);
  }
}
const groups = () => Boolean(document.querySelector(GROUPS));
command({ keys: "-", words: gettext("Collapse all groups"), group: move, run: () => foldAll(false), when: groups, isFallback: true });
command({ keys: "+", words: gettext("Expand all groups"), group: move, run: () => foldAll(true), when: groups, isFallback: true });
fold();
document.addEventListener("ct:swapped", fold);

// ---- <ct-tick-all>: selects all boxes of the page for a bulk action ------------------------------------------------

class TickAll extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("input")) return;
    const label = document.createElement("label");
    label.className = "check";
    const box = document.createElement("input");
    box.type = "checkbox";
    this.words = document.createElement("span");
    label.append(box, this.words);
    this.replaceChildren(label);
    const boxes = () => [...document.querySelectorAll("input[name=chosen]")];
    const count = () => {
      const all = boxes();
      const chosen = all.filter((one) => one.checked).length;
      box.checked = chosen > 0 && chosen === all.length;
      box.indeterminate = chosen > 0 && chosen < all.length;
      this.words.textContent = fill(gettext("%(n)s of %(total)s selected"), { n: chosen, total: all.length });
    };
    box.addEventListener("change", () => {
      for (const one of boxes()) one.checked = box.checked;
      count();
    });
    document.addEventListener("change", (event) => {
      if (event.target.matches("input[name=chosen]")) count();
    });
    document.addEventListener("ct:swapped", count);
    count();
  }
}
customElements.define("ct-tick-all", TickAll);
