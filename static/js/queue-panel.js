// <ct-queue-panel>: an exception beside the list, and in the address, so that Back closes it. Where there is no room for both,
// opening one goes to its page. <ct-queue> names the first in data-open.

import { linkOf, stand } from "./lists.js";

const WIDE = "(min-width: 64rem)";

// A cause of several has a number of its own, behind a "g".
const pageOf = (id) => (String(id).startsWith("g") ? `/exceptions/causes/${String(id).slice(1)}/` : `/exceptions/${id}/`);

class QueuePanel extends HTMLElement {
  #open = null;
  #off = null;

  connectedCallback() {
    this.#off = new AbortController();
    const { signal } = this.#off;
    this.#open ??= this.#queue.dataset.open || null;
    if (this.#open) {
      if (this.isWide) {
        this.#queue.classList.add("is-open");
        // What the page has not drawn itself is fetched, once the list around it is there.
        if (!this.children.length) {
          customElements.whenDefined("ct-queue").then(() => this.open(this.#open, { replace: true, keepFocus: true }));
        }
      }
      else location.replace(pageOf(this.#open));
    }
    this.addEventListener("click", (event) => this.#press(event), { signal });
    window.addEventListener("popstate", () => this.#follow(), { signal });
  }

  disconnectedCallback() {
    this.#off.abort();
  }

  get #queue() {
    return this.closest("ct-queue");
  }

  // The id of the exception that is open, as text; null where none is.
  get openCase() {
    return this.#open;
  }

  get isWide() {
    return matchMedia(WIDE).matches;
  }

  open(id, { replace = false, keepFocus = false, fromHistory = false } = {}) {
    const row = this.#queue.rowOf(id);
    if (!this.isWide) {
      location.assign(linkOf(row)?.href ?? pageOf(id));
      return;
    }
    if (!fromHistory) history[replace || this.#open ? "replaceState" : "pushState"]({ case: String(id) }, "", addressOf(id));
    this.#open = String(id);
    this.hidden = false;
    this.#queue.classList.add("is-open");
    stand(row);
    this.#draw(this.#open).then(() => {
      if (!keepFocus) this.querySelector(".panel-head button, .panel-head a")?.focus({ preventScroll: true });
    });
  }

  close({ fromHistory = false } = {}) {
    if (!this.#open) return;
    const row = this.#queue.rowOf(this.#open);
    if (!fromHistory) {
      if (history.state?.case) history.back();
      else history.replaceState({}, "", addressOf(null));
    }
    this.#open = null;
    this.hidden = true;
    this.replaceChildren();
    this.#queue.classList.remove("is-open");
    linkOf(row)?.focus();
  }

  // Open the exception `id` if it is not, and go to its comment.
  comment(id) {
    const write = () => this.querySelector("textarea[name=text]")?.focus();
    if (this.#open === id) {
      write();
      return;
    }
    this.open(id, { keepFocus: true });
    const look = new MutationObserver(() => {
      if (!this.querySelector("textarea[name=text]")) return;
      look.disconnect();
      write();
    });
    look.observe(this, { childList: true });
  }

  async #draw(id) {
    const href = linkOf(this.#queue.rowOf(id))?.href ?? pageOf(id);
    this.setAttribute("aria-busy", "true");
    let answer;
    try {
      answer = await fetch(href, { headers: { "X-Fragment": "panel" }, credentials: "same-origin" });
    } catch {
      answer = null;
    }
    // Another was opened meanwhile.
    if (this.#open !== id) return;
    this.removeAttribute("aria-busy");
    if (!answer?.ok || answer.redirected) {
      location.assign(href);
      return;
    }
    this.innerHTML = await answer.text();
    this.scrollTop = 0;
    document.dispatchEvent(new CustomEvent("ct:swapped"));
  }

  #press(event) {
    const asked = event.target.closest("[data-panel]");
    if (!asked) return;
    event.preventDefault();
    if (asked.dataset.panel === "close") {
      this.close();
      return;
    }
    const list = this.#queue.shownRows;
    const next = list[list.indexOf(this.#queue.rowOf(this.#open)) + (asked.dataset.panel === "next" ? 1 : -1)];
    if (next) this.open(next.dataset.case, { replace: true });
  }

  #follow() {
    const wanted = new URL(location.href).searchParams.get("case");
    if (wanted) this.open(wanted, { fromHistory: true });
    else this.close({ fromHistory: true });
  }
}

function addressOf(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("case", id);
  else url.searchParams.delete("case");
  return url;
}

customElements.define("ct-queue-panel", QueuePanel);
