// <ct-what-if> around a form that changes nothing: what it asks for is shown below it, without leaving the page.

import { gettext } from "./words.js";

class WhatIf extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      const asked = new URLSearchParams(new FormData(form, event.submitter));
      this.show(`${form.getAttribute("action")}?${asked}`);
    });
  }

  async show(address) {
    const place = this.querySelector("output");
    this.abort?.abort();
    this.abort = new AbortController();
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, {
        headers: { "X-Fragment": "1", "X-Requested-With": "fetch" }, credentials: "same-origin", signal: this.abort.signal,
      });
      if (answer.redirected) location.reload();
      if (answer.ok) place.innerHTML = await answer.text();
      else place.textContent = gettext("This cannot be shown now. Load the page again.");
    } catch (problem) {
      if (problem.name === "AbortError") return;
      place.textContent = gettext("The tower cannot be reached. Nothing was changed; try again.");
    }
    place.removeAttribute("aria-busy");
  }
}
customElements.define("ct-what-if", WhatIf);
