// A line of time: one value against another over the seconds of the run, on a canvas, with axes, units and a reading
// at the pointer. Several charts share one cursor, so that a moment can be read in all of them.

import { clock } from "./format.js";

const PAD = { left: 54, right: 10, top: 8, bottom: 20 };
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

// The smallest round number that is at least `value`: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten.
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * STEPS.find((step) => step * power >= value * 0.9999);
}

// Seconds between two labels of the time axis, so that some six fit.
export function timeStep(seconds) {
  return [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((step) => seconds / step <= 7) ?? 7200;
}

// `lines`: [{field, colour, dashed, filled, bars}]; `read(sample)`: the caption's words for one sample.
export class Chart {
  constructor(figure, { title, unit, lines, read, minimum = 1, named = false }) {
    Object.assign(this, { figure, title, unit, lines, read, minimum, named, samples: [], marks: [], cursor: null, top: minimum });
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    const caption = document.createElement("figcaption");
    this.name = document.createElement("b");
    this.name.textContent = title;
    this.reading = document.createElement("span");
    caption.append(this.name, this.reading);
    figure.append(this.canvas, caption);
    new ResizeObserver(() => this.draw()).observe(figure);
  }

  set(samples, marks) {
    this.samples = samples;
    this.marks = marks;
    const highest = Math.max(this.minimum, ...samples.flatMap((sample) => this.lines.map((line) => sample[line.field])));
    this.top = roundUp(highest * 1.04);
    this.start = samples.length ? samples[0].at : 0;
    this.end = Math.max(this.start + 30, samples.at(-1)?.at ?? 0);
  }

  x(at) { return PAD.left + ((at - this.start) / (this.end - this.start)) * (this.width - PAD.left - PAD.right); }
  y(value) { return this.height - PAD.bottom - (Math.min(value, this.top) / this.top) * (this.height - PAD.top - PAD.bottom); }

  // The sample nearest to a place on the canvas.
  nearest(x) {
    const at = this.start + ((x - PAD.left) / (this.width - PAD.left - PAD.right)) * (this.end - this.start);
    let best = null;
    for (const [index, sample] of this.samples.entries()) {
      if (best === null || Math.abs(sample.at - at) < Math.abs(this.samples[best].at - at)) best = index;
    }
    return best;
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    if (!this.width || this.start === undefined) return;
    const [wide, high] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const pen = this.canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    this.drawAxes(pen);
    this.drawMarks(pen);
    for (const line of this.lines) line.bars ? this.drawBars(pen, line) : this.drawLine(pen, line);
    this.drawCursor(pen);
    this.drawReading();
  }

  drawAxes(pen) {
    pen.lineWidth = 1;
    pen.strokeStyle = this.colour("line");
    pen.fillStyle = this.colour("quiet");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const lines = this.height < 105 ? 1 : 2;
    for (let part = 0; part <= lines; part += 1) {
      const value = (this.top * part) / lines;
      const y = Math.round(this.y(value)) + 0.5;
      stroke(pen, [[PAD.left, y], [this.width - PAD.right, y]]);
      pen.fillText(value.toLocaleString("en", { maximumFractionDigits: 1 }), PAD.left - 8, y);
    }
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    const step = timeStep(this.end - this.start);
    for (let at = Math.ceil(this.start / step) * step; at <= this.end; at += step) {
      const x = this.x(at);
      if (x < this.width - 22 && x > PAD.left - 2) pen.fillText(clock(at), x, this.height - 5);
    }
  }

  // Steps as thin ticks at the foot; a fault as a shaded span from its injection to its end.
  drawMarks(pen) {
    const foot = this.height - PAD.bottom;
    for (const mark of this.marks) {
      const x = Math.round(this.x(mark.at)) + 0.5;
      if (x < PAD.left) continue;
      if (mark.kind === "inject") {
        const over = this.marks.find((other) => other.subject === mark.subject && other.at > mark.at && other.kind === "revert");
        pen.fillStyle = this.colour("bad-soft");
        pen.fillRect(x, PAD.top, this.x(over?.at ?? this.end) - x, foot - PAD.top);
      } else if (mark.kind === "step") {
        pen.strokeStyle = this.colour("line");
        stroke(pen, [[x, PAD.top], [x, foot]]);
        if (this.named) this.drawName(pen, mark, x);
      }
    }
  }

  // The step's name, where there is room for it before the next one.
  drawName(pen, mark, x) {
    const after = this.marks.find((other) => other.at > mark.at)?.at ?? this.end;
    if (this.x(after) - x < pen.measureText(mark.subject).width + 6) return;
    pen.fillStyle = this.colour("quiet");
    pen.textAlign = "left";
    pen.fillText(mark.subject, x + 4, PAD.top + 11);
  }

  drawLine(pen, { field, colour, dashed, filled }) {
    if (!this.samples.length) return;
    const points = this.samples.map((sample) => [this.x(sample.at), this.y(sample[field])]);
    if (filled) {
      pen.fillStyle = this.colour("accent-soft");
      pen.globalAlpha = 0.55;
      pen.beginPath();
      pen.moveTo(points[0][0], this.y(0));
      for (const [x, y] of points) pen.lineTo(x, y);
      pen.lineTo(points.at(-1)[0], this.y(0));
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = this.colour(colour);
    pen.lineWidth = dashed ? 1.25 : 1.75;
    pen.lineJoin = "round";
    pen.setLineDash(dashed ? [5, 4] : []);
    stroke(pen, points);
    pen.setLineDash([]);
  }

  drawBars(pen, { field, colour }) {
    pen.fillStyle = this.colour(colour);
    const foot = this.y(0);
    for (const sample of this.samples) {
      if (sample[field]) pen.fillRect(this.x(sample.at) - 1.5, this.y(sample[field]), 3, foot - this.y(sample[field]));
    }
  }

  drawCursor(pen) {
    const sample = this.samples[this.cursor];
    if (!sample) return;
    const x = Math.round(this.x(sample.at)) + 0.5;
    pen.strokeStyle = this.colour("quiet");
    pen.lineWidth = 1;
    stroke(pen, [[x, PAD.top - 2], [x, this.height - PAD.bottom]]);
    for (const line of this.lines) {
      pen.fillStyle = this.colour(line.colour);
      pen.beginPath();
      pen.arc(x, this.y(sample[line.field]), 3.5, 0, 7);
      pen.fill();
    }
  }

  drawReading() {
    const sample = this.samples[this.cursor] ?? this.samples.at(-1);
    const when = this.samples[this.cursor] ? `at ${clock(sample.at)}: ` : "";
    const words = sample ? when + this.read(sample) : "no load yet";
    if (this.reading.textContent !== words) this.reading.textContent = words;
    const label = `${this.title}, ${words}`;
    if (document.activeElement === this.canvas || !this.canvas.ariaLabel) this.canvas.setAttribute("aria-label", label);
  }
}

function stroke(pen, points) {
  pen.beginPath();
  points.forEach(([x, y], index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

// One cursor for all charts: by pointer, or by arrow keys when a chart has the focus.
export function share(charts) {
  const point = (cursor) => charts.forEach((chart) => { chart.cursor = cursor; chart.draw(); });
  for (const chart of charts) {
    const { canvas } = chart;
    canvas.addEventListener("pointermove", (event) => point(chart.nearest(event.offsetX)));
    canvas.addEventListener("pointerleave", () => point(null));
    canvas.addEventListener("blur", () => point(null));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
      if (event.key === "Escape") point(null);
      if (!by || !chart.samples.length) return;
      event.preventDefault();
      const from = chart.cursor ?? chart.samples.length - 1;
      point(Math.min(chart.samples.length - 1, Math.max(0, from + by)));
    });
  }
}
