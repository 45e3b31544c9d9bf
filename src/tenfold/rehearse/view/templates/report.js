"use strict";
// Draws the report's charts from the data in the page. Colours come from the style, so light, dark and print agree.

(() => {
  const { verdict, evidence } = JSON.parse(document.getElementById("data").textContent);
  const steps = verdict.steps;
  const factors = steps.map((step) => `${step.factor}×`);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  // Told apart by dash and marker as well as by colour.
  const LOOKS = [
    ["#0f9d6e", "circle", "solid"], ["#3b7ddd", "square", "solid"], ["#d9822b", "diamond", "solid"],
    ["#a05fc4", "triangle-up", "dot"], ["#d4456b", "x", "solid"], ["#7a8793", "cross", "dash"],
  ];

  const BY_STEP = { type: "category", tickangle: 0 };

  function layout(more) {
    const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
    const shared = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "x unified", dragmode: false,
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
      margin: { l: 56, r: 12, t: 30, b: 40 },
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: { color: colour("quiet") } },
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    };
    const axes = {};
    for (const [name, own] of Object.entries({ xaxis: {}, yaxis: {}, ...more })) {
      axes[name] = /^[xy]axis/.test(name) ? { ...axis, ...own } : own;
    }
    return { ...shared, ...axes };
  }

  const titled = (text) => ({ text, font: { size: 12, color: colour("quiet") } });

  function rate() {
    const traces = [
      { type: "bar", name: "sent", x: factors, y: steps.map((step) => step.sent_rps), marker: { color: colour("accent") }, hovertemplate: "%{y:,.1f}/s" },
      { type: "bar", name: "target", x: factors, y: steps.map((step) => step.target_rps), hovertemplate: "%{y:,.0f}/s",
        marker: { color: "rgba(0,0,0,0)", line: { width: 1.5, color: colour("ink") } } },
    ];
    return [traces, layout({ barmode: "overlay", bargap: 0.45, yaxis: { title: titled("requests/s"), rangemode: "tozero" }, xaxis: BY_STEP })];
  }

  function p99() {
    const names = [...new Set(steps.flatMap((step) => Object.keys(step.journeys)))];
    const traces = names.map((name, index) => {
      const [hue, symbol, dash] = LOOKS[index % LOOKS.length];
      return { type: "scatter", mode: "lines+markers", name, x: factors, y: steps.map((step) => step.journeys[name]?.p99_ms ?? null),
        line: { color: hue, width: 2, dash }, marker: { symbol, size: 7, color: hue }, hovertemplate: "%{y:,.1f} ms" };
    });
    const promises = [...new Set(Object.values(evidence.p99_max_ms))];
    const shapes = promises.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: colour("quiet"), width: 1, dash: "dot" } }));
    const annotations = promises.map((y) => ({ xref: "paper", x: 0, y, yanchor: "bottom", xanchor: "left", showarrow: false, text: `${y} ms`, font: { size: 11, color: colour("quiet") } }));
    return [traces, layout({ shapes, annotations, yaxis: { title: titled("p99, ms"), rangemode: "tozero" }, xaxis: BY_STEP })];
  }

  // Rate, p99 and errors under one time axis.
  function timeline(samples, from, tick) {
    const x = samples.map((sample) => sample.at - from);
    const words = samples.map((sample) => tick(sample.at - from));
    const line = (field, name, axis, hue, more) => ({ type: "scatter", mode: "lines", name, x, y: samples.map((sample) => sample[field]), yaxis: axis,
      line: { color: colour(hue), width: 1.75, ...more }, text: words, hovertemplate: `%{y:,.1f}` });
    return [
      line("rate_rps", "rate", "y", "accent"), line("target_rps", "target", "y", "quiet", { dash: "dot", width: 1.25 }),
      line("p99_ms", "p99 ms", "y2", "blue"), line("p50_ms", "p50 ms", "y2", "quiet", { dash: "dash", width: 1 }),
      { type: "bar", name: "errors", x, y: samples.map((sample) => sample.errors), yaxis: "y3", marker: { color: colour("bad") } },
    ];
  }

  function stacked(more) {
    return layout({
      yaxis: { domain: [0.62, 1], title: titled("requests/s"), rangemode: "tozero" },
      yaxis2: { domain: [0.24, 0.56], title: titled("ms"), rangemode: "tozero" },
      yaxis3: { domain: [0, 0.16], title: titled("errors"), rangemode: "tozero", range: [0, Math.max(5, ...evidence.samples.map((sample) => sample.errors))], nticks: 2 },
      margin: { l: 56, r: 12, t: 46, b: 40 },
      legend: { orientation: "h", x: 0, y: -0.2, xanchor: "left", yanchor: "top", font: { color: colour("quiet") } },
      ...more, xaxis: { anchor: "y3", ...more.xaxis },
    });
  }

  const span = (x0, x1) => ({ type: "rect", xref: "x", yref: "paper", x0, x1, y0: 0, y1: 1, fillcolor: colour("bad"), opacity: 0.12, line: { width: 0 }, layer: "below" });

  function drill(name) {
    const marks = evidence.marks.filter((mark) => mark.subject === name);
    if (!marks.length) return null;
    const inject = (marks.find((mark) => mark.kind === "inject") ?? marks[0]).at;
    const last = marks.at(-1).at;
    const revert = marks.find((mark) => mark.kind === "revert")?.at ?? last;
    const samples = evidence.samples.filter((sample) => sample.at >= inject - 3 && sample.at <= last + 3);
    const shapes = [span(0, revert - inject)];
    const annotations = [];
    // Two rows of words above the chart, in turn, so that marks close together can both be read.
    marks.forEach((mark, index) => {
      const x = mark.at - inject;
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line: { color: colour("ink"), width: 1, dash: "dot" } });
      annotations.push({ x, yref: "paper", y: index % 2 ? 1.07 : 1, xanchor: "left", yanchor: "bottom", xshift: -4, showarrow: false, text: mark.kind, font: { size: 12, color: colour("ink") } });
    });
    const traces = timeline(samples, inject, (at) => `${at.toFixed(1)} s`);
    return [traces, stacked({ shapes, annotations, xaxis: { title: titled("seconds from the fault"), hoverformat: ".2f", ticksuffix: " s" } })];
  }

  function course() {
    const { samples, marks } = evidence;
    if (!samples.length) return null;
    const shapes = marks.filter((mark) => mark.kind === "inject").map((mark) => {
      const over = marks.find((other) => other.subject === mark.subject && other.kind === "revert");
      return span(mark.at, over?.at ?? samples.at(-1).at);
    });
    const every = [10, 15, 30, 60, 120, 300].find((length) => samples.at(-1).at / length <= 8) ?? 600;
    const tickvals = Array.from({ length: Math.floor(samples.at(-1).at / every) + 1 }, (_, index) => index * every);
    const axis = { title: titled("minutes of the run"), tickvals, ticktext: tickvals.map(clock), hoverformat: ".1f" };
    return [timeline(samples, 0, clock), stacked({ shapes, xaxis: axis })];
  }

  const PLOTS = { rate, p99, course, drill: (element) => drill(element.dataset.drill) };

  function drawAll() {
    for (const element of document.querySelectorAll("[data-plot]")) {
      const plot = PLOTS[element.dataset.plot](element);
      if (plot === null) element.closest("figure").hidden = true;
      else Plotly.react(element, ...plot, { responsive: true, displayModeBar: false });
    }
    document.documentElement.dataset.drawn = "true";
  }

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", drawAll);
})();
