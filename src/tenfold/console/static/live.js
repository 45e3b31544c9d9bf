// The live page: what comes by the stream is drawn once for each picture of the screen, however fast it comes.

import { Chart, share } from "./chart.js";
import { $, say, show, tell } from "./dom.js";
import { count, milliseconds } from "./format.js";
import { follow } from "./stream.js";
import * as views from "./views.js";

const charts = [
  new Chart($("chart-rate"), {
    title: "Rate, requests/s",
    lines: [{ field: "rate_rps", colour: "accent", filled: true }, { field: "target_rps", colour: "target", dashed: true }],
    read: (sample) => `${count(sample.rate_rps)} ended, ${count(sample.target_rps)} due (dashed)`,
    minimum: 10,
    named: true,
  }),
  new Chart($("chart-p99"), {
    title: "Response time from when due, ms",
    lines: [{ field: "p99_ms", colour: "blue" }, { field: "p50_ms", colour: "target", dashed: true }],
    read: (sample) => `p99 ${milliseconds(sample.p99_ms)}, p50 ${milliseconds(sample.p50_ms)} (dashed)`,
    minimum: 5,
  }),
  new Chart($("chart-errors"), {
    title: "Errors",
    lines: [{ field: "errors", colour: "bad", bars: true }],
    read: (sample) => (sample.errors ? `✕ ${count(sample.errors)}` : "none"),
    minimum: 5,
  }),
];
share(charts);

let newest = null;
let asked = false;
let lostSince = null;

function draw() {
  asked = false;
  const { progress, samples } = newest;
  views.drawFacts(progress);
  views.drawHero(progress, samples);
  views.drawPhases(progress);
  views.drawSteps(progress.steps);
  views.drawJourneys(progress.journeys);
  views.drawDrills(progress.drills);
  views.drawServers(progress.servers);
  views.drawInvariants(progress.invariants);
  views.drawMessages(progress.messages);
  for (const chart of charts) {
    chart.set(samples, progress.marks);
    chart.draw();
  }
}

function onFrame(progress, samples) {
  newest = { progress, samples };
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

const WORDS = { waiting: "Connecting", live: "Live", lost: "Connection lost", over: "Run over" };

function onState(state) {
  lostSince = state === "lost" ? lostSince ?? new Date() : null;
  tell($("link"), "state", state);
  say($("link").querySelector("b"), WORDS[state]);
  say($("notice"), notice(state));
  show($("notice"), state === "lost" || state === "over");
  if (state === "over") show($("report"), false);
}

function notice(state) {
  if (state === "over") return "The run is over; its console is closed.";
  if (state === "lost") return `The connection to the run is lost since ${lostSince.toLocaleTimeString()}. What you see is from then; this page tries again by itself.`;
  return "";
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.draw()));
follow({ onFrame, onState });
