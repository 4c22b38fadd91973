// <ct-queue-columns> around a <details>: which columns the queue shows. What is hidden is kept in a cookie, so that the server
// draws the table so; see apps/exceptions/queue/columns.py.

const COOKIE = "queue_hidden";
const YEAR = 31_536_000;

class QueueColumns extends HTMLElement {
  #details;

  connectedCallback() {
    if (this.#details) return;
    this.#details = this.querySelector("details");
    this.#details.addEventListener("toggle", () => this.#show());
    this.addEventListener("change", () => this.#keep(this.#boxes.filter((box) => !box.checked).map((box) => box.value)));
    this.querySelector("[data-reset]").addEventListener("click", () => {
      this.#keep(null);
      this.#show();
    });
  }

  get #queue() {
    return this.closest("ct-queue");
  }

  get #boxes() {
    return [...this.querySelectorAll("input[type=checkbox]")];
  }

  #show() {
    const hidden = this.#queue.dataset.hidden.split(" ");
    for (const box of this.#boxes) {
      const head = this.#queue.querySelector(`.queue-table thead .col-${box.value}`);
      box.checked = head ? getComputedStyle(head).display !== "none" : !hidden.includes(box.value);
    }
  }

  // null: the page chooses by its width.
  #keep(hidden) {
    document.cookie = `${COOKIE}=${hidden ? hidden.join(".") || "-" : ""}; path=/exceptions/; samesite=lax; max-age=${hidden ? YEAR : 0}`;
    this.#queue.dataset.hidden = (hidden ?? []).join(" ");
    this.#queue.classList.toggle("default-columns", !hidden);
  }
}
customElements.define("ct-queue-columns", QueueColumns);
