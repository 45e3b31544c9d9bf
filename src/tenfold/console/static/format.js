// Numbers as people read them. All of them keep their width while they change (tabular figures in the style).

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (number) => whole.format(number);

// Three digits are what a reader compares: 2.14, 20.3, 903.
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  return ms >= 100 ? whole.format(ms) : ms.toFixed(ms >= 10 ? 1 : 2);
}

export function clock(seconds) {
  const all = Math.max(0, Math.floor(seconds));
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
}

export const mebibytes = (bytes) => (bytes ? `${whole.format(bytes / 1048576)} MiB` : "–");

export const percent = (ratio) => `${whole.format(ratio * 100)} %`;
