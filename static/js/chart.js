// <ct-chart from="id of a json_script" data-plotly="address of the library">: a figure that apps/boards/analytics/plots.py built. The
// library comes after the page. Colours are names of the page's tokens, and the drawing follows the theme. The table beside
// it says the same to those who cannot see it. A bar that has a link leads to its records; data-png offers the picture.

import { gettext } from "./words.js";

let library = null;

function plotly(address) {
  library ??= new Promise((done, fail) => {
    const load = () => {
      const script = document.createElement("script");
      script.src = address;
      script.addEventListener("load", () => done(window.Plotly));
      script.addEventListener("error", fail);
      document.head.append(script);
    };
    if (document.readyState === "complete") load();
    else window.addEventListener("load", load, { once: true });
  });
  return library;
}

// The same, with each var(--token) replaced by what the page has for it now.
function resolved(value, token) {
  if (Array.isArray(value)) return value.map((inner) => resolved(inner, token));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner, token)]));
  const named = typeof value === "string" && /^var\((--[\w-]+)\)$/.exec(value);
  return named ? token(named[1]) : value;
}

// A moment, which the library would show as UTC, as a Date, which it shows in the reader's time zone; a day stays as it is.
function local(value) {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value;
}

class Chart extends HTMLElement {
  async connectedCallback() {
    if (this.plotly) return;
    this.figure = JSON.parse(document.getElementById(this.getAttribute("from")).textContent);
    try {
      this.plotly = await plotly(this.dataset.plotly);
    } catch {
      // The drawing could not be loaded: the table says the same.
      this.hidden = true;
      const twin = this.parentElement.querySelector("details");
      if (twin) twin.open = true;
      return;
    }
    this.area = document.createElement("div");
    this.append(this.area);
    this.draw = this.draw.bind(this);
    await this.draw();
    this.area.on("plotly_click", (event) => {
      const link = event.points[0].customdata;
      if (link) location.href = link;
    });
    if (this.dataset.png) this.offerPicture();
    document.addEventListener("ct:theme", this.draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.draw);
    this.dataset.drawn = "1";
  }

  offerPicture() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-bare chart-png";
    button.textContent = "PNG";
    button.setAttribute("aria-label", gettext("Save the chart as PNG"));
    button.addEventListener("click", () =>
      this.plotly.downloadImage(this.area, { format: "png", width: 1280, height: 560, scale: 2, filename: this.dataset.png }),
    );
    // Beside the drawing, which is one image to a screen reader.
    this.after(button);
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    const { data, layout } = resolved(this.figure, (name) => style.getPropertyValue(name).trim());
    for (const trace of data) trace.x = trace.x.map(local);
    return this.plotly.react(this.area, data, layout, { displayModeBar: false, responsive: true });
  }
}
customElements.define("ct-chart", Chart);
