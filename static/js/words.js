// What the scripts say, in the page's language: Django's catalogue, loaded before them. Without it they speak English.
//
// gettext("Undo"), ngettext("%(n)s new", "%(n)s new", n); fill(text, { n }) puts values where %(n)s stands.

export const gettext = globalThis.gettext ?? ((text) => text);
export const ngettext = globalThis.ngettext ?? ((one, many, count) => (count === 1 ? one : many));
export const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
// Numbers and times as the page's language writes them.
export const language = document.documentElement.lang || "en";
