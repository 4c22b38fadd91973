// <ct-chart from="id of a json_script" data-plotly="address of the library">: bars, a histogram or stacked areas. The
// library comes after the page. Colours come from the page's tokens, and the drawing follows the theme. The table beside
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

class Chart extends HTMLElement {
  async connectedCallback() {
    if (this.plotly) return;
    this.data = JSON.parse(document.getElementById(this.getAttribute("from")).textContent);
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
      const link = this.data.links?.[event.points[0].pointIndex];
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
    button.setAttribute("aria-label", gettext("Save the drawing as a PNG picture"));
    button.addEventListener("click", () =>
      this.plotly.downloadImage(this.area, { format: "png", width: 1280, height: 560, scale: 2, filename: this.dataset.png }),
    );
    // Beside the drawing, which is one image to a screen reader.
    this.after(button);
  }

  draw() {
    const { kind, x, series, format } = this.data;
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    const at = kind === "histogram" ? x : x.map((moment) => new Date(moment));
    const bars = kind !== "area";
    const traces = series.map(({ name, y, token: color }) => ({
      name,
      x: at,
      y,
      hovertemplate: `%{y} ${name}<extra></extra>`,
      ...(bars
        ? { type: "bar", marker: { color: token(color) } }
        : { type: "scatter", mode: "lines", stackgroup: "all", line: { width: 1, color: token(color) } }),
    }));
    return this.plotly.react(
      this.area,
      traces,
      {
        // Decimal point and thousands, as the language writes them.
        separators: gettext(".,"),
        barmode: "group",
        bargap: 0.3,
        height: kind === "area" ? 340 : 272,
        margin: { l: 40, r: 8, t: 8, b: 40 },
        paper_bgcolor: token("--sheet"),
        plot_bgcolor: token("--sheet"),
        font: { family: token("--sans"), size: 12, color: token("--ink-2") },
        showlegend: series.length > 1,
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
        xaxis: {
          type: kind === "histogram" ? "category" : "date",
          // The library knows English months only: other languages write their days in figures.
          tickformat: kind === "area" || format === "days" ? gettext("%-d %b") : "%H:%M",
          gridcolor: token("--line"),
          fixedrange: true,
          automargin: true,
        },
        yaxis: { rangemode: "tozero", gridcolor: token("--line"), zerolinecolor: token("--line-2"), fixedrange: true },
        hovermode: "x unified",
        hoverlabel: { bgcolor: token("--sheet"), bordercolor: token("--line-2"), font: { color: token("--ink") } },
      },
      { displayModeBar: false, responsive: true },
    );
  }
}
customElements.define("ct-chart", Chart);
