// A word about what was just done, with a way to take it back. It stays while it is pointed at or focused.
//
// toast({ words, tone, undo, link, seconds }) → the toast; undo is called when the person takes it back. follow(toast, url)
// shows how far a job is until it has ended.

import { fill, gettext } from "./words.js";

const SECONDS = 10;
const LOOK_EVERY = 700;

function place() {
  let found = document.getElementById("toasts");
  if (!found) {
    found = document.createElement("div");
    found.id = "toasts";
    found.className = "toasts";
    found.setAttribute("role", "status");
    document.body.append(found);
  }
  return found;
}

export function toast({ words, tone = "done", undo = null, link = null, seconds = SECONDS }) {
  const element = document.createElement("div");
  element.className = `toast tone-${tone}`;
  if (tone === "late") element.setAttribute("role", "alert");
  const text = document.createElement("span");
  text.className = "toast-words";
  text.textContent = words;
  element.append(text);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.words;
    element.append(anchor);
  }
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-bare toast-undo";
    button.textContent = gettext("Undo");
    button.addEventListener("click", () => {
      element.remove();
      undo();
    });
    element.append(button);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-bare";
  close.textContent = "×";
  close.setAttribute("aria-label", gettext("Dismiss"));
  close.addEventListener("click", () => element.remove());
  element.append(close);
  let left = seconds;
  const clock = setInterval(() => {
    if (element.matches(":hover, :focus-within") || element.dataset.runs) return;
    left -= 1;
    if (left <= 0 || !element.isConnected) {
      clearInterval(clock);
      element.remove();
    }
  }, 1000);
  place().append(element);
  return element;
}

// Undoes the newest thing that still can be: what the key z does.
export function undoLast() {
  const all = document.querySelectorAll(".toast-undo");
  if (all.length) all[all.length - 1].click();
}

export async function follow(element, url, ended) {
  element.dataset.runs = "1";
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", gettext("Progress"));
  element.querySelector(".toast-words").after(bar);
  for (;;) {
    await new Promise((done) => setTimeout(done, LOOK_EVERY));
    if (!element.isConnected) return;
    let found;
    try {
      const answer = await fetch(url, { headers: { "X-Act": "1" }, credentials: "same-origin" });
      if (!answer.ok) break;
      found = await answer.json();
    } catch {
      continue;
    }
    const settled = found.done + found.refused + found.undone + found.kept;
    const isBack = found.state.startsWith("und");
    bar.max = found.total;
    bar.value = isBack ? found.undone + found.kept + found.refused : settled;
    const parts = isBack
      ? [fill(gettext("%(n)s undone"), { n: found.undone }), found.kept && fill(gettext("%(n)s kept"), { n: found.kept })]
      : [fill(gettext("%(n)s of %(total)s done"), { n: found.done, total: found.total }),
        found.refused && fill(gettext("%(n)s refused"), { n: found.refused })];
    element.querySelector(".toast-words").textContent = parts.filter(Boolean).join(", ");
    if (!found.runs) {
      ended(found);
      break;
    }
  }
  bar.remove();
  delete element.dataset.runs;
}
