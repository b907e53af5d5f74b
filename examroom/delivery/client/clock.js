// The countdown: the server says how much is left, a monotonic clock counts it down. The computer's own time of day is
// never read, so setting it forward or back changes nothing; a hidden tab that ticks seldom still shows the right time.

const WARNINGS = [60, 30, 15, 10, 5, 1]; // minutes that are said aloud

export class Clock {
  constructor(monotonic = () => performance.now()) {
    this.monotonic = monotonic;
    this.deadline = null;
    this.held = null;
    this.said = null;
  }

  set(seconds) {
    this.held = null;
    this.deadline = this.monotonic() + seconds * 1000;
  }

  // A paused room: the clock stands at these seconds until it is set again.
  hold(seconds) {
    this.held = seconds;
  }

  remaining() {
    if (this.held !== null) return this.held;
    return this.deadline === null ? Infinity : Math.max(0, (this.deadline - this.monotonic()) / 1000);
  }

  // The warning that has just come due, in minutes, once; null for none. The first call only notes where time stands.
  warning() {
    const due = WARNINGS.filter((minutes) => this.remaining() <= minutes * 60).pop() ?? null;
    const fresh = this.said !== null && due !== null && (this.said.due === null || due < this.said.due);
    this.said = { due };
    return fresh ? due : null;
  }
}

export function spoken(seconds) {
  if (!Number.isFinite(seconds)) return "--:--";
  const whole = Math.ceil(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
}
