// <ct-wall seconds>: shows one board after the other, each as large as the screen shows it whole, and keeps the screen awake.
// Space pauses, the arrows turn.

import { fill, gettext } from "./words.js";

// Nobody scrolls a wall: the writing shrinks by steps until the board fits, but not below what can be read.
const STEP = 0.96;
const SMALLEST_PX = 11;

class Wall extends HTMLElement {
  connectedCallback() {
    this.slides = [...this.querySelectorAll(".slide")];
    this.here = 0;
    this.pause = this.querySelector(".wall-pause");
    this.pause.addEventListener("click", () => this.rest(this.pause.getAttribute("aria-pressed") !== "true"));
    document.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") this.turn(1);
      else if (event.key === "ArrowLeft") this.turn(-1);
      else if (event.key === " " && !event.target.closest("button, a")) {
        event.preventDefault();
        this.pause.click();
      } else if (event.key === "Escape") location.href = this.querySelector(".wall-foot a").href;
    });
    document.addEventListener("visibilitychange", () => this.stayAwake());
    this.stayAwake();
    this.say();
    this.start();
    this.fit();
    addEventListener("resize", () => this.fit());
    document.fonts?.ready.then(() => this.fit());
    new MutationObserver(() => this.fit()).observe(this, { subtree: true, childList: true, characterData: true });
  }

  fit() {
    const root = document.documentElement;
    root.style.fontSize = "";
    if (innerWidth < 768) return;
    let size = parseFloat(getComputedStyle(root).fontSize);
    while (size > SMALLEST_PX && (root.scrollHeight > innerHeight + 1 || root.scrollWidth > innerWidth + 1)) {
      size *= STEP;
      root.style.fontSize = `${size}px`;
    }
  }

  start() {
    clearInterval(this.timer);
    if (this.slides.length > 1) this.timer = setInterval(() => this.turn(1), Number(this.getAttribute("seconds")) * 1000);
  }

  turn(by) {
    this.slides[this.here].hidden = true;
    this.here = (this.here + by + this.slides.length) % this.slides.length;
    this.slides[this.here].hidden = false;
    this.say();
    this.fit();
    if (this.pause.getAttribute("aria-pressed") !== "true") this.start();
  }

  rest(isPaused) {
    this.pause.setAttribute("aria-pressed", String(isPaused));
    if (isPaused) clearInterval(this.timer);
    else this.start();
  }

  say() {
    this.querySelector(".wall-place").textContent = fill(gettext("%(n)s of %(total)s"), { n: this.here + 1, total: this.slides.length });
  }

  async stayAwake() {
    try {
      if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
    } catch {
      // Not every screen may be kept awake by a page.
    }
  }
}
customElements.define("ct-wall", Wall);
