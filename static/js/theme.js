// <ct-theme> around a select: light, dark or as the system. Kept in a cookie, so that the server draws it at once.

class Theme extends HTMLElement {
  connectedCallback() {
    const select = this.querySelector("select");
    select.value = document.documentElement.dataset.theme || "auto";
    select.addEventListener("change", () => {
      document.documentElement.dataset.theme = select.value;
      document.cookie = `theme=${select.value}; path=/; max-age=31536000; samesite=lax`;
      document.dispatchEvent(new CustomEvent("ct:theme"));
    });
  }
}
customElements.define("ct-theme", Theme);

// A menu closes when one presses Escape or goes elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
