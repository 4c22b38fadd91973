// <ct-chart from="id of a json_script">: arrivals against departures. Colours come from the page's tokens, and the
// drawing follows the theme. The table beside it says the same to those who cannot see it.

class Chart extends HTMLElement {
  connectedCallback() {
    if (!window.Plotly) {
      // The drawing could not be loaded: the table says the same.
      this.hidden = true;
      const twin = this.parentElement.querySelector("details");
      if (twin) twin.open = true;
      return;
    }
    this.draw = this.draw.bind(this);
    this.draw();
    document.addEventListener("ct:theme", this.draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.draw);
  }

  draw() {
    const data = JSON.parse(document.getElementById(this.getAttribute("from")).textContent);
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    const bars = (name, y, color) => ({
      type: "bar",
      name,
      x: data.hour.map((hour) => new Date(hour)),
      y,
      marker: { color },
      hovertemplate: `%{y} ${name.toLowerCase()}<extra></extra>`,
    });
    window.Plotly.react(
      this,
      [bars("Arrived", data.arrived, token("--calm")), bars("Departed", data.departed, token("--risk"))],
      {
        barmode: "group",
        bargap: 0.3,
        height: 272,
        margin: { l: 36, r: 8, t: 8, b: 32 },
        paper_bgcolor: "transparent",
        plot_bgcolor: "transparent",
        font: { family: token("--sans"), size: 12, color: token("--ink-2") },
        legend: { orientation: "h", y: 1.12, x: 0 },
        xaxis: { type: "date", tickformat: "%H:%M", gridcolor: token("--line"), fixedrange: true },
        yaxis: { rangemode: "tozero", gridcolor: token("--line"), zerolinecolor: token("--line-2"), fixedrange: true },
        hovermode: "x unified",
        hoverlabel: { bgcolor: token("--sheet"), bordercolor: token("--line-2"), font: { color: token("--ink") } },
      },
      { displayModeBar: false, responsive: true },
    );
  }
}
customElements.define("ct-chart", Chart);
