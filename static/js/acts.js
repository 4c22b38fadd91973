// Forms that act at once: form[data-act] is sent without leaving the page, and what came of it is told, with a way back.
//
// The answer is JSON: {said, undo, job, runs, ids}, or {detail, code} where it was refused, which post() gives as {problem}.
// After it "ct:acted" is sent from the form, with the answer.

import { follow, toast } from "./toasts.js";
import { fill, gettext } from "./words.js";

const headers = { "X-Act": "1", "X-Requested-With": "fetch" };

export async function post(url, body) {
  try {
    const answer = await fetch(url, { method: "POST", headers, body, credentials: "same-origin" });
    if (answer.redirected || answer.status === 403 && !answer.headers.get("content-type")?.includes("json")) {
      location.reload();
      return { problem: gettext("Sign in again.") };
    }
    const said = await answer.json();
    return answer.ok ? said : { problem: said.detail };
  } catch {
    return { problem: gettext("The tower cannot be reached. Nothing was changed; try again.") };
  }
}

function token() {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
  return body;
}

export function tell(answer, from = document) {
  if (answer.problem) {
    toast({ words: answer.problem, tone: "late", seconds: 20 });
    return;
  }
  const link = answer.runs ? { href: answer.job, words: gettext("Results") } : null;
  const shown = toast({ words: answer.said, link, undo: answer.undo && !answer.runs ? () => takeBack(answer, from) : null });
  if (answer.runs) {
    follow(shown, answer.job, (found) => {
      shown.remove();
      const parts = found.state === "done"
        ? [fill(gettext("%(n)s done"), { n: found.done }), found.refused && fill(gettext("%(n)s refused"), { n: found.refused })]
        : [fill(gettext("%(n)s undone"), { n: found.undone }),
          found.kept && fill(gettext("%(n)s kept: they have changed since"), { n: found.kept })];
      const words = `${parts.filter(Boolean).join(", ")}.`;
      const undo = found.state === "done" && found.done ? () => takeBack(found, from) : null;
      toast({ words, undo, link: { href: answer.job, words: gettext("Results") }, seconds: 20 });
      changed(answer, from);
    });
  }
}

async function takeBack(answer, from) {
  const back = await post(answer.undo, token());
  tell(back, from);
  if (!back.problem) changed({ ...answer, said: back.said }, from);
}

function changed(answer, from) {
  (from.isConnected ? from : document).dispatchEvent(new CustomEvent("ct:acted", { bubbles: true, detail: answer }));
  // The exception that is open shows what was done to it.
  for (const live of document.querySelectorAll("ct-live[topic^='record:']:not([data-island])")) live.refetch();
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-act]");
  if (!form) return;
  event.preventDefault();
  // forms.js marks every form that is sent: this one may be sent again.
  event.stopPropagation();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const body = new FormData(form, event.submitter);
  const dialog = form.closest("dialog");
  const answer = await post(form.getAttribute("action"), body);
  delete form.dataset.busy;
  if (!answer.problem) {
    for (const field of form.querySelectorAll("textarea, input:not([type=hidden])")) field.value = "";
    dialog?.close();
  }
  tell(answer, form);
  if (!answer.problem) changed(answer, form);
}, true);
