// Makes the tower an app of its own on a phone: registers the worker, and asks for push where the person wants it.

import { gettext } from "./words.js";

const worker = navigator.serviceWorker;
if (worker) worker.register("/service-worker.js").catch(() => {});

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.split("=")[1] ?? "";

// <ct-push key save drop>: whether push is on for this device, and the button that changes it.
class Push extends HTMLElement {
  async connectedCallback() {
    this.button = this.querySelector("button");
    this.words = this.querySelector("[role=status]");
    if (!worker || !("PushManager" in window)) {
      this.say(gettext("This browser does not support push. On an iPhone, add the tower to the home screen first."));
      return;
    }
    this.button.addEventListener("click", () => this.change());
    await this.show();
  }

  say(text) {
    this.words.textContent = text;
  }

  async show() {
    const here = await (await worker.ready).pushManager.getSubscription();
    this.button.hidden = false;
    this.button.dataset.on = here ? "1" : "";
    this.button.textContent = here ? gettext("Disable push") : gettext("Enable push");
    this.say(here ? gettext("Push is on for this device.") : gettext("Push is off for this device."));
  }

  async change() {
    this.button.disabled = true;
    try {
      const manager = (await worker.ready).pushManager;
      const here = await manager.getSubscription();
      if (here) {
        await this.post("drop", { endpoint: here.endpoint });
        await here.unsubscribe();
      } else {
        const made = await manager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(this.getAttribute("key")) });
        await this.post("save", made.toJSON());
      }
      location.reload();
    } catch (error) {
      this.say(error.name === "NotAllowedError" ? gettext("The browser blocks notifications. Allow them for this site first.") : error.message);
    }
    this.button.disabled = false;
  }

  async post(where, body) {
    const answer = await fetch(this.getAttribute(where), {
      method: "POST", body: JSON.stringify(body), credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
    });
    if (!answer.ok) throw new Error((await answer.json()).detail ?? gettext("The tower refused the subscription."));
  }
}
customElements.define("ct-push", Push);

// Signing out ends push on this device.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { pathname } = new URL(form.getAttribute("action") ?? "", location.href);
  if (!pathname.endsWith("/logout/") || form.dataset.dropped || !worker) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.dataset.dropped = "1";
  const forget = async () => {
    const here = await (await worker.getRegistration())?.pushManager?.getSubscription();
    if (!here) return;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") };
    const body = JSON.stringify({ endpoint: here.endpoint });
    await fetch("/notifications/devices/drop/", { method: "POST", body, headers, credentials: "same-origin" });
    await here.unsubscribe();
  };
  await Promise.race([forget().catch(() => {}), new Promise((done) => setTimeout(done, 2000))]);
  form.submit();
});
