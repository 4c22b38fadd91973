// <ct-queue-selection>: the bar below the queue that says how many exceptions are selected. The boxes are those of the table;
// with Shift all between two are set.

import { fill, gettext, language, ngettext } from "./words.js";

const COUNTED_TO = 1000;

class QueueSelection extends HTMLElement {
  // True if all of the view is meant, not only what the page shows of it.
  isAll = false;
  #last = null;
  #off = null;

  connectedCallback() {
    this.#off = new AbortController();
    const { signal } = this.#off;
    this.#queue.addEventListener("click", (event) => this.#extend(event), { signal });
    this.#queue.addEventListener("change", (event) => this.#change(event), { signal });
    this.addEventListener("click", (event) => {
      if (event.target.closest(".bulk-all")) this.#selectAll();
      if (event.target.closest(".bulk-none")) this.clear();
    }, { signal });
  }

  disconnectedCallback() {
    this.#off.abort();
  }

  get #queue() {
    return this.closest("ct-queue");
  }

  get #boxes() {
    return [...this.#queue.querySelectorAll(".pick")];
  }

  // The rows that are selected.
  get rows() {
    return this.#boxes.filter((box) => box.checked).map((box) => box.closest("tr"));
  }

  clear() {
    for (const box of this.#boxes) box.checked = false;
    this.isAll = false;
    this.update();
  }

  // Say what is selected: to be called when the rows have changed.
  update() {
    const boxes = this.#boxes;
    const chosen = boxes.filter((box) => box.checked).length;
    const table = this.#queue.querySelector("[data-total]");
    const total = Number(table?.dataset.total ?? 0);
    const many = total > COUNTED_TO ? `${COUNTED_TO.toLocaleString(language)}+` : total;
    if (!chosen) this.isAll = false;
    this.hidden = !chosen;
    this.querySelector(".bulk-count").textContent = this.isAll
      ? fill(gettext("All %(n)s of this view"), { n: many })
      : fill(ngettext("%(n)s selected", "%(n)s selected", chosen), { n: chosen });
    const more = this.querySelector(".bulk-all");
    more.hidden = this.isAll || !table || chosen < boxes.length || total <= chosen;
    more.textContent = fill(gettext("Select all %(n)s of this view"), { n: many });
    for (const box of this.#queue.querySelectorAll(".pick-all")) {
      box.checked = chosen > 0 && chosen === boxes.length;
      box.indeterminate = chosen > 0 && !box.checked;
    }
    for (const box of boxes) box.closest("tr").classList.toggle("is-picked", box.checked);
  }

  #selectAll() {
    this.isAll = true;
    this.update();
    this.querySelector("[data-do]").focus();
  }

  #extend(event) {
    const box = event.target.closest(".pick");
    if (!box) return;
    if (event.shiftKey && this.#last?.isConnected) {
      const boxes = this.#boxes;
      const [from, to] = [boxes.indexOf(this.#last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
    }
    this.#last = box;
  }

  #change(event) {
    if (!event.target.matches(".pick, .pick-all")) return;
    if (event.target.matches(".pick-all")) {
      for (const box of event.target.closest("table").querySelectorAll(".pick")) box.checked = event.target.checked;
    }
    this.isAll = false;
    this.update();
  }
}
customElements.define("ct-queue-selection", QueueSelection);
