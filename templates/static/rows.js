// What a rubric row is worth for what was seen: the browser's copy of scoring/practical/rows.py, held to the same cases.
// Measured values are compared as whole ten-thousandths, never as floats.

const DECIMAL = /^-?\d{1,6}(\.\d{1,4})?$/;

export function tenThousandths(text) {
  const [whole, part = ""] = text.replace("-", "").split(".");
  return (text.startsWith("-") ? -1 : 1) * (Number(whole) * 10_000 + Number(part.padEnd(4, "0")));
}

// What was typed as an entry: {entry} (null: nothing typed) or {problem}.
export function read(row, text) {
  const typed = text.trim().normalize("NFKC"); // a Chinese keyboard may type full-width digits
  if (!typed) return { entry: null };
  if (row.kind === "veto") return typed === "yes" || typed === "no" ? { entry: typed === "yes" } : { problem: "请回答是或否。" };
  if (row.kind === "measured") return DECIMAL.test(typed) ? { entry: typed } : { problem: "请填写测得的数值，例如 50.02（最多四位小数）。" };
  if (row.kind === "points") {
    const value = /^\d{1,3}(\.[05]0*)?$/.test(typed) ? Number(typed) * 2 : NaN;
    return value <= row.most ? { entry: value } : { problem: `应在 0 到 ${row.most / 2} 分之间，以 0.5 分为一档。` };
  }
  return /^\d{1,4}$/.test(typed) ? { entry: Number(typed) } : { problem: "请填写整数；没有请填 0。" };
}

// The half-points that an entry earns; for a ★ row whether it was violated.
export function markOf({ kind, most, detail }, entry) {
  if (kind === "veto" || kind === "points") return entry;
  if (kind === "measured") {
    const value = tenThousandths(entry);
    const within = detail.bands.filter(([low, high]) => tenThousandths(low) <= value && value <= tenThousandths(high));
    return Math.max(0, ...within.map(([, , points]) => points));
  }
  if (kind === "deduction") {
    const times = detail.most_times ? Math.min(entry, detail.most_times) : entry;
    return Math.max(0, most - times * detail.per_time);
  }
  const over = Math.max(0, entry - detail.minutes);
  return detail.void_after > 0 && over > detail.void_after ? 0 : Math.max(0, most - over * detail.per_minute);
}
