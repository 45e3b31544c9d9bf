// The wire: follows /events, keeps the history of samples, and says how the connection stands.
// A browser reconnects by itself; when it gives up (the server answered with an error), it is begun anew here.

const SAMPLES_MAX = 1200;
const AGAIN_MS = 2000;
const SILENT_MS = 25000; // two heartbeats and a half: a dead connection that nobody closed

export function follow({ onFrame, onState }) {
  let samples = [];
  let over = false;
  let source;
  let heard = performance.now();

  function take(event) {
    heard = performance.now();
    const frame = JSON.parse(event.data);
    samples = event.type === "snapshot" ? frame.samples : [...samples, ...frame.samples].slice(-SAMPLES_MAX);
    over = false;
    onState("live");
    onFrame(frame.progress, samples);
  }

  function begin() {
    source?.close();
    heard = performance.now();
    source = new EventSource("/events");
    source.addEventListener("open", () => { heard = performance.now(); });
    source.addEventListener("snapshot", take);
    source.addEventListener("progress", take);
    source.addEventListener("alive", () => { heard = performance.now(); });
    source.addEventListener("closed", () => { over = true; onState("over"); });
    source.addEventListener("error", () => {
      if (!over) onState("lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(begin, AGAIN_MS);
    });
  }

  setInterval(() => {
    if (over || performance.now() - heard < SILENT_MS) return;
    onState("lost");
    begin();
  }, 5000);
  begin();
}
