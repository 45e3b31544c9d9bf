// Each part of the page: how it is made, and how it is brought up to date from the newest progress.

import { $, keep, make, part, say, show, state, tell } from "./dom.js";
import { clock, count, mebibytes, milliseconds, percent } from "./format.js";

const PHASES = ["starting", "seeding", "warm-up", "steps", "drills", "audit", "report"];
const span = (name, attributes = {}) => make("span", { "data-part": name, ...attributes });
const cell = (name, attributes = {}) => make("td", { "data-part": name, ...attributes });
const fact = (term, name) => make("div", {}, make("dt", {}, term), make("dd", { "data-part": name }));

export function drawHero(progress, samples) {
  const now = samples.at(-1);
  const verdict = progress.verdict;
  tell($("hero"), "verdict", verdict);
  say($("verdict"), verdict ? verdict.toUpperCase() : "Not yet");
  say($("now"), whereItStands(progress));
  keep($("reasons"), progress.reasons, () => make("li"), say);
  show($("reasons"), progress.reasons.length > 0 && !progress.summary);
  drawOutcome(progress);
  say($("rate"), now ? count(now.rate_rps) : "–");
  say($("rate-of"), now ? `of ${count(now.target_rps)} requests/s` : "requests/s");
  say($("p99"), now ? milliseconds(now.p99_ms) : "–");
  const errors = samples.reduce((sum, sample) => sum + sample.errors, 0);
  say($("errors"), now ? count(errors) : "–");
  $("errors").classList.toggle("off", errors > 0);
  say($("inflight"), now ? count(now.inflight) : "–");
}

// Of a run that has ended: what held, why it did not, what to do next; everything else is folded, once.
function drawOutcome({ summary, report }) {
  show($("scores"), Boolean(summary));
  show($("brief"), Boolean(summary));
  for (const name of ["figures", "facts"]) show($(name), !summary);
  if ($("rest-name").hidden === Boolean(summary)) {
    show($("rest-name"), Boolean(summary));
    $("rest").open = !summary;
  }
  if (!summary) return;
  const score = ({ name, held, of }) => make("li", { "data-state": of && held === of ? "held" : "missed" }, name, make("b", {}, `${held}/${of}`));
  $("scores").replaceChildren(...summary.scores.map(score));
  say($("fit"), summary.fit_says);
  const more = summary.more ? [`And ${summary.more} more causes.`] : [];
  keep($("causes"), [...summary.causes, ...more], () => make("li"), say);
  show($("why"), summary.causes.length > 0);
  say($("next"), summary.next);
  say($("kept-at"), report);
  show($("kept"), Boolean(report));
  show($("report"), Boolean(report));
}

function whereItStands(progress) {
  const { summary } = progress;
  if (summary) return `${summary.held} is the highest step that held${summary.asked && summary.asked !== summary.held ? `, of ${summary.asked} sent` : ""}.`;
  if (progress.verdict) return "The run is over.";
  const where = { steps: "Climbing", drills: "Drill", "warm-up": "Warming up", serving: "Serving" }[progress.phase];
  return [where ?? capital(progress.phase), progress.current].filter(Boolean).join(": ");
}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

export function drawPhases(progress) {
  const at = progress.phase === "done" ? PHASES.length : PHASES.indexOf(progress.phase);
  show($("phases"), at >= 0 && !progress.summary);
  keep($("phases"), PHASES, (phase) => make("li", {}, phase), (item, phase) => {
    const place = PHASES.indexOf(phase);
    const done = place < at ? 1 : place === at ? progress.phase_done_ratio : 0;
    tell(item, "state", place < at ? "done" : place === at ? "now" : "later");
    item.style.setProperty("--done", done.toFixed(3));
    if (place === at) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

export function drawFacts(progress) {
  document.title = `${progress.verdict ? `${progress.verdict.toUpperCase()} · ` : ""}${progress.plan} · Tenfold`;
  say($("title"), progress.title);
  say($("plan"), progress.plan);
  say($("run"), progress.run_id);
  say($("peak"), `${count(progress.daily_peak_rps)} requests/s`);
  say($("elapsed"), clock(progress.elapsed_s));
}

export function drawSteps(steps) {
  const top = Math.max(1, ...steps.map((step) => step.target_rps));
  keep($("steps"), steps, createStep, (row, step) => {
    const found = step.result;
    tell(row, "state", step.state);
    say(part(row, "name"), step.name);
    say(part(row, "pace"), found ? `${count(found.sent_rps)} of ${count(step.target_rps)}` : count(step.target_rps));
    const bar = part(row, "bar");
    bar.style.setProperty("--target", (step.target_rps / top).toFixed(4));
    bar.style.setProperty("--sent", ((found?.sent_rps ?? 0) / top).toFixed(4));
    say(part(row, "p99"), found ? milliseconds(Math.max(0, ...Object.values(found.journeys).map((journey) => journey.p99_ms))) : "");
    say(part(row, "errors"), found ? count(found.errors + found.dropped) : "");
    state(part(row, "state"), step.state);
    row.title = found && found.limited_by !== "none" ? `Limited by ${found.limited_by}${found.evidence ? `: ${found.evidence}` : ""}` : "";
  });
}

function createStep() {
  const bar = make("span", { class: "bar", "data-part": "bar" }, make("small", { "data-part": "pace" }));
  return make("tr", {}, cell("name"), make("td", {}, bar), cell("p99", { class: "n" }), cell("errors", { class: "n" }),
    make("td", {}, span("state", { class: "state" })));
}

export function drawJourneys(journeys) {
  const names = Object.keys(journeys);
  show($("no-journeys"), !names.length);
  show($("journeys").parentElement, names.length > 0);
  const create = () => make("tr", {}, cell("name"), ...["requests", "p50", "p99", "errors"].map((name) => cell(name, { class: "n" })));
  keep($("journeys"), names, create, (row, name) => {
    const found = journeys[name];
    say(part(row, "name"), name);
    say(part(row, "requests"), count(found.requests ?? 0));
    say(part(row, "p50"), milliseconds(found.p50_ms));
    say(part(row, "p99"), milliseconds(found.p99_ms) + (found.p99_max_ms ? ` of ${count(found.p99_max_ms)}` : ""));
    say(part(row, "errors"), count(found.errors ?? 0));
  });
}

export function drawDrills(drills) {
  show($("no-drills"), !drills.length);
  keep($("drills"), drills, createDrill, (item, drill) => {
    tell(item, "state", drill.state);
    say(part(item, "name"), drill.name);
    state(part(item, "state"), drill.state);
    say(part(item, "fault"), drill.fault || drill.target);
    say(part(item, "proves"), drill.proves);
    say(part(item, "detect"), drill.result?.detect_ms == null ? "–" : `${count(drill.result.detect_ms)} ms`);
    say(part(item, "recover"), drill.result?.recover_ms == null ? "–" : `${count(drill.result.recover_ms)} ms`);
    say(part(item, "errors"), drill.result ? count(drill.result.errors) : "–");
  });
}

function createDrill() {
  return make("li", {},
    make("b", { "data-part": "name" }),
    make("header", {}, make("small", { "data-part": "fault" }), span("state", { class: "state" })), make("p", { "data-part": "proves" }),
    make("dl", {}, fact("Noticed", "detect"), fact("Recovered", "recover"), fact("Errors", "errors")));
}

export function drawServers(servers) {
  show($("no-servers"), !servers.length);
  keep($("servers"), servers, createServer, (item, server) => {
    tell(item, "state", server.state);
    say(part(item, "name"), server.name);
    state(part(item, "state"), server.state);
    say(part(item, "role"), server.restarts ? `${server.role} · crashed, restarted ${count(server.restarts)}×` : server.role);
    say(part(item, "address"), server.address);
    say(part(item, "memory"), mebibytes(server.rss_bytes));
    say(part(item, "cpu"), percent(server.cpu_ratio));
    part(item, "meter").value = Math.min(1, server.cpu_ratio);
    item.title = server.pid ? `Process ${server.pid}` : "";
  });
}

function createServer() {
  const meter = make("meter", { min: "0", max: "1", high: "0.85", "data-part": "meter", "aria-hidden": "true" });
  const cpu = fact("CPU", "cpu");
  cpu.append(meter);
  return make("li", {},
    make("div", { class: "head" }, make("b", { "data-part": "name" }), span("state", { class: "state" })),
    make("p", { class: "where" }, span("role"), span("address")), make("dl", {}, fact("Memory", "memory"), cpu));
}

export function drawInvariants(invariants) {
  show($("no-invariants"), !invariants.length);
  const create = () => make("li", {}, make("b", { "data-part": "name" }), span("state", { class: "state" }),
    span("says", { class: "says" }), span("counts", { class: "counts" }));
  keep($("invariants"), invariants, create, (item, one) => {
    say(part(item, "name"), one.name);
    state(part(item, "state"), one.state);
    say(part(item, "says"), one.says);
    say(part(item, "counts"), one.result ? `${count(one.result.violations)} of ${count(one.result.checked)} broken` : "");
  });
}

export function drawMessages(messages) {
  show($("no-messages"), !messages.length);
  const create = () => make("li", {}, make("time", { "data-part": "at" }), make("span", { "data-part": "text" }));
  keep($("messages"), messages.toReversed(), create, (item, message) => {
    tell(item, "kind", message.kind);
    say(part(item, "at"), message.at);
    say(part(item, "text"), message.text);
  });
}
