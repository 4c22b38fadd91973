// <ct-mention data-src> around a textarea: @ offers the people who may see the record; Ctrl or Cmd+Enter sends, Escape first
// closes the list, then leaves the box, with what is written in it.

import { fill, gettext, ngettext } from "./words.js";

const WAIT = 100;
const BEGUN = /(^|[^\w@])@([\w.+-]*)$/;
let serial = 0;

class Mention extends HTMLElement {
  connectedCallback() {
    if (this.box) return;
    this.box = this.querySelector("textarea");
    this.list = document.createElement("ul");
    serial += 1;
    this.list.id = `mention-${serial}`;
    this.list.className = "mention-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", gettext("People"));
    this.list.hidden = true;
    this.list.dataset.key = this.list.id;
    this.append(this.list);
    this.box.setAttribute("role", "combobox");
    this.box.setAttribute("aria-autocomplete", "list");
    this.box.setAttribute("aria-controls", this.list.id);
    this.box.setAttribute("aria-expanded", "false");
    this.people = [];
    this.here = 0;
    this.box.addEventListener("input", () => this.look());
    this.box.addEventListener("click", () => this.look());
    this.box.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("blur", () => this.close());
  }

  begun() {
    return BEGUN.exec(this.box.value.slice(0, this.box.selectionStart))?.[2];
  }

  look() {
    clearTimeout(this.timer);
    const begun = this.begun();
    if (begun === undefined) {
      this.close();
      return;
    }
    this.timer = setTimeout(async () => {
      try {
        const answer = await fetch(`${this.dataset.src}?${new URLSearchParams({ q: begun })}`, {
          headers: { "X-Requested-With": "fetch" }, credentials: "same-origin",
        });
        if (!answer.ok || answer.redirected || this.begun() !== begun) return;
        this.show((await answer.json()).people);
      } catch {
        this.close();
      }
    }, WAIT);
  }

  show(people) {
    this.people = people;
    this.here = 0;
    this.list.replaceChildren(...people.map((person, place) => {
      const item = document.createElement("li");
      item.id = `${this.list.id}-${place}`;
      item.className = "pick-option";
      item.setAttribute("role", "option");
      const detail = document.createElement("span");
      detail.className = "quiet small";
      detail.textContent = `@${person.username} · ${person.role}`;
      item.append(`${person.name} `, detail);
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.take(place);
      });
      return item;
    }));
    this.list.hidden = !people.length;
    this.box.setAttribute("aria-expanded", String(Boolean(people.length)));
    this.mark();
    document.getElementById("said").textContent = people.length
      ? fill(ngettext("%(n)s person", "%(n)s people", people.length), { n: people.length }) : gettext("No one with access matches");
  }

  mark() {
    for (const [place, item] of [...this.list.children].entries()) item.setAttribute("aria-selected", String(place === this.here));
    const item = this.list.children[this.here];
    if (item) this.box.setAttribute("aria-activedescendant", item.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  take(place) {
    const at = this.box.selectionStart;
    const start = at - this.begun().length;
    this.box.setRangeText(`${this.people[place].username} `, start, at, "end");
    this.box.dispatchEvent(new Event("change", { bubbles: true }));
    this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.people = [];
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  press(event) {
    if (event.isComposing) return;
    const offers = !this.list.hidden;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.close();
      if (this.box.value.trim()) this.box.form.requestSubmit();
    } else if (offers && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      this.take(this.here);
    } else if (offers && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.here = (this.here + (event.key === "ArrowDown" ? 1 : this.people.length - 1)) % this.people.length;
      this.mark();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (offers) {
        this.close();
        return;
      }
      this.box.blur();
    }
  }
}
customElements.define("ct-mention", Mention);
