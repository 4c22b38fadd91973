// Small manners of forms: sent once, filters apply when chosen, a reason can be picked, an action opens its own form.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  const pressed = event.submitter;
  // After the browser has collected the fields: a disabled button would not be sent.
  setTimeout(() => {
    for (const button of document.querySelectorAll("button[type=submit]")) {
      if (button.form === form) button.disabled = true;
    }
    if (pressed) pressed.setAttribute("aria-busy", "true");
  });
});

// Coming back by the Back button finds the form usable again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.elements) if (button.type === "submit") button.disabled = false;
  }
});

// What is not chosen does not stand in the address.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

// What the page says as it opens is told to screen readers too, and what it is about has the focus.
const told = [...document.querySelectorAll("#main > .note[role=status]")].map((note) => note.textContent.trim()).join(" ");
if (told) setTimeout(() => { document.getElementById("said").textContent = told; }, 100);
document.querySelector("[data-focus]")?.focus();

document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
});

class Reasons extends HTMLElement {
  // Chips that fill the free text; pressing one again takes it back.
  connectedCallback() {
    const text = document.getElementById(this.getAttribute("for"));
    this.addEventListener("click", (event) => {
      const chip = event.target.closest(".template");
      if (!chip) return;
      const chosen = chip.getAttribute("aria-pressed") !== "true";
      for (const other of this.querySelectorAll(".template")) other.setAttribute("aria-pressed", "false");
      chip.setAttribute("aria-pressed", String(chosen));
      text.value = chosen ? chip.dataset.text : "";
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}
customElements.define("ct-reasons", Reasons);

class Decide extends HTMLElement {
  // Rejecting needs a reason: say so beside the field instead of losing a round trip. A draft survives a reload.
  connectedCallback() {
    const form = this.querySelector("form");
    if (!form) return;
    const text = form.elements.reason;
    const problem = this.querySelector(".field-error");
    const key = `reason:${location.pathname}`;
    if (!text.value) text.value = sessionStorage.getItem(key) ?? "";
    text.addEventListener("input", () => {
      sessionStorage.setItem(key, text.value);
      problem.hidden = true;
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter?.value === "reject" && !text.value.trim()) {
        event.preventDefault();
        event.stopPropagation();
        problem.hidden = false;
        text.focus();
        return;
      }
      sessionStorage.removeItem(key);
    });
  }
}
customElements.define("ct-decide", Decide);
