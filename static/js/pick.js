// select[data-pick]: a long choice one can search, in groups. Beside the select, which stays what the form sends, stands a
// button that opens a list with a search field (ARIA combobox). Without script the select itself is there.

import { fill, gettext } from "./words.js";

let serial = 0;

function element(name, attributes = {}, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function enhance(select) {
  serial += 1;
  const id = `pick-${serial}`;
  const label = select.closest("label");
  const title = label.firstChild.textContent.trim();
  const button = element("button", { type: "button", class: "pick-button", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": id });
  const popup = element("div", { class: "pick-popup", id, hidden: "" });
  const input = element("input", {
    type: "search", role: "combobox", "aria-expanded": "true", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
    "aria-label": fill(gettext("Search: %(title)s"), { title }), placeholder: gettext("Search"), autocomplete: "off",
  });
  const list = element("div", { role: "listbox", id: `${id}-list`, class: "pick-list", "aria-label": title });
  popup.append(input, list);
  const host = element("span", { class: "pick-host" });
  label.after(host);
  host.append(label, button, popup);
  select.hidden = true;
  let shown = [];
  let here = 0;
  const words = () => {
    const chosen = select.selectedOptions[0]?.textContent ?? "";
    button.textContent = chosen;
    button.title = chosen;
    button.setAttribute("aria-label", `${title}: ${chosen}`);
  };
  const mark = () => {
    for (const [place, { item }] of shown.entries()) item.setAttribute("aria-selected", String(place === here));
    if (shown[here]) {
      input.setAttribute("aria-activedescendant", shown[here].item.id);
      shown[here].item.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    list.replaceChildren();
    let group = null;
    for (const option of select.options) {
      const heading = option.parentElement.label ?? "";
      if (!wanted.every((word) => `${heading} ${option.textContent}`.toLowerCase().includes(word))) continue;
      if (heading && group?.dataset.heading !== heading) {
        group = element("div", { role: "group", "aria-label": heading, "data-heading": heading });
        group.append(element("div", { class: "pick-group", "aria-hidden": "true" }, heading));
        list.append(group);
      }
      const item = element("div", { role: "option", id: `${id}-${shown.length}`, class: "pick-option" }, option.textContent);
      if (option.selected) item.classList.add("is-chosen");
      item.addEventListener("click", () => choose(option));
      (heading ? group : list).append(item);
      shown.push({ item, option });
    }
    if (!shown.length) list.append(element("p", { class: "quiet small pick-none" }, gettext("No match")));
    here = input.value ? 0 : Math.max(shown.findIndex((one) => one.option.selected), 0);
    mark();
  };
  const close = (focus) => {
    popup.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (focus) button.focus();
  };
  const choose = (option) => {
    select.value = option.value;
    words();
    close(true);
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  button.addEventListener("click", () => {
    if (!popup.hidden) {
      close(true);
      return;
    }
    popup.hidden = false;
    button.setAttribute("aria-expanded", "true");
    input.value = "";
    draw();
    // As wide as the page leaves room for, whichever side the button stands at.
    popup.classList.toggle("is-at-end", button.getBoundingClientRect().left + popup.offsetWidth > innerWidth);
    input.focus();
  });
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      here = (here + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown[here]) choose(shown[here].option);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(true);
    }
  });
  host.addEventListener("focusout", (event) => {
    if (!popup.hidden && !host.contains(event.relatedTarget)) close(false);
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  words();
}

for (const select of document.querySelectorAll("select[data-pick]")) enhance(select);
addEventListener("pageshow", () => {
  // The browser may have put back another choice than the button shows.
  for (const select of document.querySelectorAll("select[data-pick]")) {
    select.closest(".pick-host").querySelector(".pick-button").textContent = select.selectedOptions[0]?.textContent ?? "";
  }
});
