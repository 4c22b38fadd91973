// <ct-queue>: the exception queue by key and by hand. Rows do not move while somebody looks at them: what is new waits
// behind a bar, what changed is marked where it stands. Its parts are elements of their own: <ct-queue-panel> beside the list,
// <ct-queue-selection> below it, <ct-queue-columns> above it.

import "./acts.js";
import "./queue-columns.js";
import "./queue-panel.js";
import "./queue-selection.js";
import { command } from "./commands.js";
import { here, linkOf, stand } from "./lists.js";
import { undoLast } from "./toasts.js";
import { fill, gettext } from "./words.js";

// To screen readers news is told at most so often.
const SAY_EVERY = 10_000;

class Queue extends HTMLElement {
  // What the server has sent and the page does not show yet: {content, morphChildren}.
  #waiting = null;
  // What one has just done oneself, by id.
  #acted = new Set();
  #saidAt = 0;
  #toSay = null;
  #off = null;
  #commands = [];

  connectedCallback() {
    this.#off = new AbortController();
    const { signal } = this.#off;
    this.addEventListener("ct:here", (event) => this.#goTo(event.target.dataset.case), { signal });
    this.addEventListener("ct:fresh", (event) => this.#take(event), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    this.addEventListener("formdata", (event) => this.#addSubjects(event), { signal });
    // Where its form is gone by then, an undo is told by the document.
    document.addEventListener("ct:acted", (event) => this.#remember(event), { signal });
    this.#commands = this.#addCommands();
  }

  disconnectedCallback() {
    this.#off.abort();
    clearTimeout(this.#toSay);
    for (const remove of this.#commands) remove();
  }

  get live() {
    return this.querySelector(".queue-live");
  }

  get panel() {
    return this.querySelector("ct-queue-panel");
  }

  // Null for those who may only look.
  get selection() {
    return this.querySelector("ct-queue-selection");
  }

  get rows() {
    return [...this.live.querySelectorAll("tr[data-case]")];
  }

  get shownRows() {
    return this.rows.filter((row) => row.checkVisibility());
  }

  rowOf(id) {
    return this.live.querySelector(`tr[data-case="${CSS.escape(String(id))}"]`);
  }

  // The row where one stands: within the list, else the exception that is open.
  get #here() {
    const row = here();
    return row?.matches("tr[data-case]") ? row : this.rowOf(this.panel.openCase);
  }

  #goTo(id) {
    if (id && this.panel.openCase && this.panel.isWide) this.panel.open(id, { replace: true, keepFocus: true });
  }

  #click(event) {
    const link = event.target.closest("a.row-link");
    if (link && this.live.contains(link)) {
      const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
      if (isPlain && this.panel.isWide) {
        event.preventDefault();
        this.panel.open(link.closest("tr").dataset.case);
      }
    }
    if (event.target.closest("#news")) {
      this.#show();
      (linkOf(this.live.querySelector("tr.is-new")) ?? linkOf(this.rows[0]))?.focus();
    }
    const asked = event.target.closest("ct-queue-selection [data-do]");
    if (asked) this.#act(asked.dataset.do);
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  }

  // ---- Doing ------------------------------------------------------------------------------------------------------

  // What a key or a button is about: what is selected, else the row where one stands. As {case, seen}.
  get #subjects() {
    const chosen = this.selection?.rows ?? [];
    if (chosen.length) return chosen.map((row) => row.dataset);
    const row = this.#here;
    if (row) return [row.dataset];
    return this.panel.openCase ? [{ case: this.panel.openCase, seen: "" }] : [];
  }

  #act(name) {
    const subjects = this.#subjects;
    if (!this.selection || !subjects.length) return;
    const form = this.querySelector(`#do-${name}`);
    if (!form.matches("dialog")) {
      form.requestSubmit();
      return;
    }
    const one = subjects.length === 1 && !this.selection.isAll;
    form.querySelector(".do-what").textContent = this.selection.isAll
      ? gettext("all of this view")
      : one ? linkOf(this.rowOf(subjects[0].case))?.textContent ?? "" : fill(gettext("%(n)s exceptions"), { n: subjects.length });
    form.showModal();
    form.querySelector("select, input:not([type=hidden]), button")?.focus();
  }

  #addSubjects(event) {
    if (!event.target.matches("form[data-bulk]")) return;
    if (this.selection?.isAll) {
      event.formData.set("all", "1");
      event.formData.set("query", this.live.querySelector("[data-query]").dataset.query);
      return;
    }
    const subjects = this.#subjects;
    for (const one of subjects) event.formData.append("ids", one.case);
    if (subjects.length === 1) event.formData.set("seen", subjects[0].seen ?? "");
  }

  #remember(event) {
    for (const id of event.detail.ids ?? []) this.#acted.add(String(id));
    if (event.detail.runs || event.target.matches?.("[data-bulk]")) this.selection?.clear();
    this.live.refetch();
  }

  // ---- Live -------------------------------------------------------------------------------------------------------

  // Take what the server has sent in the place of <ct-live>: rows that one looks at stay where they are.
  #take(event) {
    if (event.target !== this.live) return;
    const { content, morph } = event.detail;
    const fresh = new Map([...content.querySelectorAll("tr[data-case]")].map((row) => [row.dataset.case, row]));
    const shown = this.rows;
    if (!shown.length) {
      this.#waiting = null;
      return;
    }
    event.preventDefault();
    const views = content.querySelector("#views");
    if (views) morph(this.live.querySelector("#views"), views);
    this.#whyFirst(content, morph);
    const { gone, moved } = this.#mark(shown, fresh, morph);
    if (!this.rows.length) {
      // Nothing is left under the hand.
      this.#waiting = event.detail;
      this.#show();
      return;
    }
    if (moved) {
      stand(moved);
      if (!this.panel.openCase) linkOf(moved)?.focus();
    }
    const known = new Set(shown.map((row) => row.dataset.case));
    const come = [...fresh.keys()].filter((id) => !known.has(id)).length;
    this.#waiting = come || gone ? event.detail : null;
    this.#announce(come, gone);
    this.selection?.update();
    this.live.dispatchEvent(new CustomEvent("ct:swapped", { bubbles: true }));
  }

  // Mark what changed and what has left, and remove what one has done oneself. Returns how many have left, and the row that is
  // at hand in the place of a removed one.
  #mark(shown, fresh, morph) {
    let gone = 0;
    let moved = null;
    for (const row of shown) {
      const now = fresh.get(row.dataset.case);
      if (now && now.dataset.v === row.dataset.v) row.classList.remove("is-gone");
      else if (now) {
        morph(row, now);
        row.classList.add("is-changed");
      } else if (this.#acted.delete(row.dataset.case)) {
        if (row.contains(document.activeElement) || row.classList.contains("is-here")) moved = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
      } else {
        row.classList.add("is-gone");
        gone += 1;
      }
    }
    return { gone, moved };
  }

  // Why the first stands first is said of what is first now, where that is in sight; of nothing else.
  #whyFirst(content, morph) {
    const old = this.live.querySelector("#why-first");
    if (!old) return;
    const now = content.querySelector("#why-first");
    const first = content.querySelector("tr[data-case]")?.dataset.case;
    old.hidden = !now || !this.rowOf(first);
    if (!old.hidden) morph(old, now);
  }

  #announce(come, gone) {
    const bar = this.live.querySelector("#news");
    const parts = [come && fill(gettext("%(n)s new"), { n: come }), gone && fill(gettext("%(n)s left this view"), { n: gone })];
    const words = parts.filter(Boolean).join(", ");
    bar.hidden = !words;
    if (bar.textContent === words) return;
    bar.textContent = words;
    if (words) this.#say(words);
  }

  #say(words) {
    clearTimeout(this.#toSay);
    this.#toSay = setTimeout(() => {
      this.#saidAt = Date.now();
      document.getElementById("said").textContent = words;
    }, Math.max(0, this.#saidAt + SAY_EVERY - Date.now()));
  }

  #show() {
    if (!this.#waiting) return;
    const before = new Set(this.rows.map((row) => row.dataset.case));
    const { content, morphChildren } = this.#waiting;
    this.#waiting = null;
    for (const row of this.rows) row.classList.remove("is-changed", "is-gone", "is-new");
    morphChildren(this.live, content);
    for (const row of this.rows) if (!before.has(row.dataset.case)) row.classList.add("is-new");
    this.live.dispatchEvent(new CustomEvent("ct:swapped", { bubbles: true }));
    stand(this.rowOf(this.panel.openCase));
    this.selection?.update();
  }

  // ---- Keys -------------------------------------------------------------------------------------------------------

  #addCommands() {
    const move = gettext("Move");
    const act = gettext("Actions");
    const known = [
      { keys: "o", words: gettext("Open beside the list (Enter)"), group: move, run: () => this.panel.open(this.#here.dataset.case), when: () => Boolean(this.#here) },
      { keys: "Escape", words: gettext("Close the panel, or clear the selection"), group: move, run: () => (this.panel.openCase ? this.panel.close() : this.selection?.clear()) },
      { keys: "n", words: gettext("Show new entries"), group: move, run: () => this.#show(), when: () => Boolean(this.#waiting) },
    ];
    if (this.dataset.mayWork === "1") {
      const when = () => this.#subjects.length > 0;
      known.push(
        { keys: "a", words: gettext("Assign or reassign"), group: act, run: () => this.#act("assign"), when },
        { keys: "i|m", words: gettext("Assign to me"), group: act, run: () => this.#act("take"), when },
        { keys: "e", words: gettext("Acknowledge"), group: act, run: () => this.#act("acknowledge"), when },
        { keys: "s", words: gettext("Snooze until"), group: act, run: () => this.#act("snooze"), when },
        { keys: "r", words: gettext("Resolve"), group: act, run: () => this.#act("resolve"), when },
        { keys: "c", words: gettext("Comment"), group: act, run: () => this.#comment(), when },
        { keys: "z", words: gettext("Undo the last action"), group: act, run: undoLast },
      );
    }
    return known.map(command);
  }

  #comment() {
    const id = this.#here?.dataset.case ?? this.panel.openCase;
    if (id) this.panel.comment(id);
  }
}
customElements.define("ct-queue", Queue);
