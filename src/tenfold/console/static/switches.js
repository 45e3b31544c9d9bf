// The switchboard: everything works by plain links and forms; here it only becomes live, counts down and opens in place.

import { $, say, show, tell } from "./dom.js";

const AGAIN_MS = 2000;
const SILENT_MS = 25000; // two heartbeats and a half
const PAUSE_MS = 250; // after the last key

const box = $("box");
const ahead = Number(document.documentElement.dataset.now) - Date.now(); // the server's clock against ours

async function fetched(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
  return { url: response.url, page: new DOMParser().parseFromString(await response.text(), "text/html") };
}

// --- live: what is marked so is fetched again when something is different, and the reader's place is kept

let fetching = false;
let again = false;

async function refresh() {
  const live = $("live");
  if (!live) return;
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const { page } = await fetched(location.href);
    const fresh = page.getElementById("live");
    if (fresh && fresh.innerHTML !== live.innerHTML) {
      const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
      live.replaceChildren(...fresh.childNodes);
      if (focused) document.getElementById(focused)?.focus();
      countDown();
    }
  } catch { onState("lost"); }
  fetching = false;
  if (again) { again = false; refresh(); }
}

const WORDS = { waiting: "Connecting", live: "Live", lost: "Connection lost", over: "Console closed" };
const NOTICES = {
  lost: "The connection to the console is lost. What you see is from then; this page tries again by itself.",
  over: "This console is closed. What you see is from then. `tenfold switch list` asks the control node itself.",
};

function onState(state) {
  show($("link"), true);
  tell($("link"), "state", state);
  say($("link").querySelector("b"), WORDS[state]);
  say($("notice"), NOTICES[state] ?? "");
  show($("notice"), state in NOTICES);
}

function follow() {
  let source;
  let over = false;
  let heard = performance.now();
  function hear(event) {
    heard = performance.now();
    over = false;
    onState("live");
    if (event.type === "changed") refresh();
  }
  function begin() {
    source?.close();
    heard = performance.now();
    source = new EventSource("/switches/events");
    source.addEventListener("changed", hear);
    source.addEventListener("alive", hear);
    source.addEventListener("closed", () => { over = true; onState("over"); });
    source.addEventListener("error", () => {
      if (!over) onState("lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(begin, AGAIN_MS);
    });
  }
  setInterval(() => {
    if (!over && performance.now() - heard > SILENT_MS) begin();
  }, 5000);
  begin();
}

// --- time left

function length(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${two(minutes)} min`;
  return minutes ? `${minutes} min ${two(whole % 60)} s` : `${whole} s`;
}

function countDown() {
  for (const left of document.querySelectorAll("[data-until]")) {
    say(left, length((Number(left.dataset.until) - Date.now() - ahead) / 1000));
  }
}

// --- the form, opened in place, with what it would touch drawn anew at every change of it

async function open(url) {
  const { url: came, page } = await fetched(url);
  const sheet = page.getElementById("sheet");
  if (!sheet) { location.assign(came); return; }
  box.replaceChildren(...sheet.childNodes);
  box.showModal();
  const form = box.querySelector("form");
  if (form) attend(form);
  (box.querySelector("[name=reason]") ?? box).focus();
}

function attend(form) {
  if (!("looks" in form.dataset)) return;
  let waiting = 0;
  let asked = 0;

  async function look({ anew = false } = {}) {
    const looked = new FormData(form);
    for (const name of ["csrf", "seen", "confirmed", "reason", "owner", ...(anew ? ["if_epoch"] : [])]) looked.delete(name);
    const number = ++asked;
    busy(true);
    try {
      const { page } = await fetched(`${form.getAttribute("action")}?${new URLSearchParams(looked)}`);
      if (number !== asked) return;
      const fresh = page.getElementById("effect");
      if (!fresh) { form.requestSubmit(form.querySelector(".look")); return; }
      form.querySelector("#effect").replaceChildren(...fresh.childNodes);
      mark(page);
    } catch { say(form.querySelector("#effect"), "The console does not answer. Nothing was changed; try again."); }
    busy(false);
    countDown();
  }

  // A form that has changed since its effect was shown cannot be pressed.
  function busy(is) {
    form.querySelector("#effect").setAttribute("aria-busy", String(is));
    for (const button of form.querySelectorAll("#effect button")) button.disabled = is;
  }

  function mark(page) {
    for (const old of form.querySelectorAll(".problem")) old.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const problem of page.querySelectorAll(".problem")) {
      const field = form.querySelector(`[name="${problem.id.replace("problem-", "")}"]`);
      field?.setAttribute("aria-invalid", "true");
      field?.closest("label, fieldset")?.append(problem);
    }
  }

  form.addEventListener("input", (event) => {
    if (["reason", "owner"].includes(event.target.name)) return;
    clearTimeout(waiting);
    busy(true);
    waiting = setTimeout(look, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "look") return;
    event.preventDefault();
    look({ anew: event.submitter.value === "again" });
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(link.href).catch(() => location.assign(link.href));
  }
  if (event.target.closest("dialog .close")) { event.preventDefault(); box.close(); }
});
box.addEventListener("close", () => box.replaceChildren());

document.documentElement.dataset.live = "yes";
for (const form of document.querySelectorAll("main form[data-looks]")) attend(form);
setInterval(countDown, 1000);
countDown();
follow();
