"use strict";
// Reads the charts of time to whoever points at them or moves along them by arrow keys. Nothing is drawn here.

(() => {
  const points = JSON.parse(document.getElementById("data").textContent);
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  function attach(chart) {
    const { from, to, zero } = Object.fromEntries(Object.entries(chart.dataset).map(([name, value]) => [name, Number(value)]));
    const own = points.filter(([at]) => at >= from && at <= to);
    const reading = chart.closest("figure").querySelector("output");
    let place = own.length - 1;

    function tell(at) {
      if (!own.length) return;
      place = Math.min(own.length - 1, Math.max(0, at));
      const [when, rate, target, p50, p99, errors] = own[place];
      const moment = zero ? `${(when - zero).toFixed(1)} s from the fault` : clock(when);
      reading.textContent = `${moment}: ${whole.format(rate)} ended of ${whole.format(target)} due a second, p50 ${whole.format(p50)} ms, p99 ${whole.format(p99)} ms, ${whole.format(errors)} errors`;
    }

    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const inside = ((event.clientX - box.left) / box.width * 960 - 58) / (960 - 58 - 12);
      const at = from + inside * (to - from);
      tell(own.reduce((best, point, index) => (Math.abs(point[0] - at) < Math.abs(own[best][0] - at) ? index : best), 0));
    });
    chart.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      tell(place + by);
    });
  }

  document.querySelectorAll("svg[data-from]").forEach(attach);
})();
