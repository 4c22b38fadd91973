// <ct-picture name="…">: around a drawing of the server's own, an <svg> or a table whose cells are coloured; offers it as a PNG
// picture, as it looks now, in the page's theme.

import { gettext } from "./words.js";

const SCALE = 2;
const EDGE = 16;
const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin",
  "paint-order", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];
const paper = () => getComputedStyle(document.documentElement).getPropertyValue("--sheet").trim() || "#fff";

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil((width + 2 * EDGE) * SCALE);
  canvas.height = Math.ceil((height + 2 * EDGE) * SCALE);
  const pen = canvas.getContext("2d");
  pen.scale(SCALE, SCALE);
  pen.fillStyle = paper();
  pen.fillRect(0, 0, width + 2 * EDGE, height + 2 * EDGE);
  pen.translate(EDGE, EDGE);
  return [canvas, pen];
}

// A drawing knows its colours from the page's style sheets; alone it has to carry them with it.
async function ofDrawing(svg) {
  const copy = svg.cloneNode(true);
  const [originals, copies] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  originals.forEach((original, number) => {
    const style = getComputedStyle(original);
    for (const name of DRAWN) copies[number].setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const { width, height } = svg.viewBox.baseVal;
  const image = new Image(width, height);
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const [canvas, pen] = canvasOf(width, height);
  pen.drawImage(image, 0, 0, width, height);
  return canvas;
}

function ofTable(table) {
  const frame = table.getBoundingClientRect();
  const [canvas, pen] = canvasOf(frame.width, frame.height);
  pen.textBaseline = "middle";
  for (const cell of table.querySelectorAll("th, td")) {
    const box = cell.getBoundingClientRect();
    const [x, y] = [box.x - frame.x, box.y - frame.y];
    const inner = cell.firstElementChild || cell;
    const [back, text] = [getComputedStyle(cell), getComputedStyle(inner)];
    pen.fillStyle = back.backgroundColor;
    pen.fillRect(x + 1, y + 1, box.width - 2, box.height - 2);
    pen.fillStyle = text.color;
    pen.font = `${text.fontWeight} ${text.fontSize} ${text.fontFamily}`;
    const isWord = cell.matches("tbody th, th:first-child");
    pen.textAlign = isWord ? "left" : "center";
    pen.fillText(cell.textContent.trim(), x + (isWord ? parseFloat(back.paddingLeft) : box.width / 2), y + box.height / 2);
  }
  return canvas;
}

class Picture extends HTMLElement {
  connectedCallback() {
    if (this.querySelector(":scope > .chart-png")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-bare chart-png";
    button.textContent = "PNG";
    button.setAttribute("aria-label", gettext("Save the chart as PNG"));
    button.addEventListener("click", () => this.save());
    this.append(button);
  }

  async save() {
    const drawing = this.querySelector("svg.paths");
    const canvas = drawing ? await ofDrawing(drawing) : ofTable(this.querySelector("table"));
    const link = document.createElement("a");
    link.download = `${this.getAttribute("name")}.png`;
    link.href = canvas.toDataURL("image/png");
    link.click();
  }
}
customElements.define("ct-picture", Picture);
