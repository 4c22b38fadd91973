// <ct-due> counts an SLA down, <ct-age> counts an age up: by the server's clock, by the minute, and by the second
// only below five minutes. Words and thresholds are those of apps/core/templatetags/show.py.

import { fill, gettext } from "./words.js";

const sent = document.querySelector('meta[name="server-now"]')?.content;
const offset = sent ? Date.parse(sent) - (performance.timeOrigin + performance.now()) : 0;
const AT_RISK_FROM = 0.8;
const RING = 37.7;

const now = () => Date.now() + offset;

function span(milliseconds, bySecond = false) {
  const total = Math.floor(Math.abs(milliseconds) / 1000);
  const minutes = Math.floor(total / 60);
  const hours = Math.floor(total / 3600);
  const days = Math.floor(total / 86400);
  const two = (number) => String(number).padStart(2, "0");
  if (total < 60) return fill(gettext("%(seconds)s s"), { seconds: total });
  if (minutes < 5 && bySecond) return fill(gettext("%(minutes)s min %(seconds)s s"), { minutes, seconds: two(total % 60) });
  if (minutes < 60) return fill(gettext("%(minutes)s min"), { minutes });
  if (hours < 24 && minutes % 60) return fill(gettext("%(hours)s h %(minutes)s"), { hours, minutes: two(minutes % 60) });
  if (hours < 24) return fill(gettext("%(hours)s h"), { hours });
  if (days < 14 && hours % 24) return fill(gettext("%(days)s d %(hours)s h"), { days, hours: hours % 24 });
  return fill(gettext("%(days)s d"), { days });
}

function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

class Due extends HTMLElement {
  tick() {
    const due = Date.parse(this.getAttribute("datetime"));
    const start = Date.parse(this.getAttribute("start"));
    const left = due - now();
    const used = Number.isNaN(start) || due <= start ? 0 : Math.min(Math.max((now() - start) / (due - start), 0), 1);
    const state = left <= 0 ? "late" : used >= AT_RISK_FROM ? "risk" : "calm";
    if (this.dataset.state !== state) this.dataset.state = state;
    this.querySelector(".due-run")?.setAttribute("stroke-dasharray", `${(RING * (1 - used)).toFixed(1)} ${RING}`);
    say(this.querySelector(":scope > span"), fill(left <= 0 ? gettext("%(span)s late") : gettext("%(span)s left"), { span: span(left, true) }));
    return Math.abs(left);
  }
}

class Age extends HTMLElement {
  tick() {
    const past = now() - Date.parse(this.getAttribute("datetime"));
    const suffix = this.getAttribute("suffix");
    // An age is not a countdown: by the second only in its first minute.
    let words = span(past);
    if (suffix) words = past < 45_000 ? gettext("just now") : fill(gettext("%(span)s ago"), { span: words });
    say(this.firstElementChild ?? this, words);
    return past + 240_000;
  }
}

// <ct-undo until> offers to take something back, and goes when it is too late. The server has the last word.
class Undo extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => this.tick(), 250);
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  tick() {
    const left = Math.ceil((Date.parse(this.getAttribute("until")) - now()) / 1000);
    if (left <= 0) {
      this.disconnectedCallback();
      // Who stands on it stands on what was decided then.
      if (this.contains(document.activeElement)) document.querySelector("#decided-h, #outcomes-h")?.focus({ preventScroll: true });
      this.remove();
      return;
    }
    say(this.querySelector(".undo-left"), ` (${left})`);
  }
}

customElements.define("ct-undo", Undo);
customElements.define("ct-due", Due);
customElements.define("ct-age", Age);

let minute = 0;
function tick() {
  const whole = Math.floor(now() / 15000) !== minute;
  minute = Math.floor(now() / 15000);
  for (const element of document.querySelectorAll("ct-due, ct-age")) {
    if (whole || element.near) element.near = element.tick() < 300_000;
  }
}
tick();
setInterval(tick, 1000);
// What the live update has just put in ticks at once.
document.addEventListener("ct:swapped", () => {
  minute = 0;
  tick();
});
