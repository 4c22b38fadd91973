// <ct-search data-src>: finds while somebody types. "/" leads to the box (commands.js), the arrows to what was found, Escape away.

import { fill, gettext } from "./words.js";

const WAIT = 110;

class Search extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector("input");
    this.hits = this.querySelector(".search-hits");
    this.box.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(), WAIT);
    });
    this.box.addEventListener("focus", () => {
      if (this.shown && this.box.value.trim() === this.shown) this.hits.hidden = false;
    });
    this.addEventListener("keydown", (event) => this.move(event));
    this.addEventListener("focusout", (event) => {
      if (!this.contains(event.relatedTarget)) this.hits.hidden = true;
    });
  }

  async find() {
    const text = this.box.value.trim();
    this.abort?.abort();
    if (!text) {
      this.hits.hidden = true;
      this.shown = "";
      return;
    }
    this.abort = new AbortController();
    try {
      const answer = await fetch(`${this.dataset.src}?${new URLSearchParams({ q: text })}`, {
        headers: { "X-Fragment": "1", "X-Requested-With": "fetch" },
        credentials: "same-origin",
        signal: this.abort.signal,
      });
      if (answer.redirected) location.reload();
      if (!answer.ok || answer.redirected) return;
      this.hits.innerHTML = await answer.text();
      this.shown = text;
      this.hits.hidden = document.activeElement !== this.box;
      const found = this.hits.querySelectorAll(".hit").length;
      document.getElementById("said").textContent = found ? fill(gettext("%(n)s found"), { n: found }) : gettext("Nothing found");
    } catch (problem) {
      if (problem.name !== "AbortError") this.hits.hidden = true;
    }
  }

  move(event) {
    if (event.key === "Escape" && !this.hits.hidden) {
      // The browser would empty the box at once; that is what pressing it again does.
      event.preventDefault();
      this.hits.hidden = true;
      this.box.focus();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [this.box, ...this.hits.querySelectorAll(".hit")];
    if (this.hits.hidden || stops.length < 2) return;
    event.preventDefault();
    const here = stops.indexOf(document.activeElement);
    stops[(here + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
  }
}
customElements.define("ct-search", Search);
