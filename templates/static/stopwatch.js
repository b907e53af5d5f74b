// A stopwatch for a time row. It goes on through a reload: what it holds is the moment it was started and what went before.

export class Stopwatch {
  constructor(held = null, clock = () => Date.now()) {
    this.clock = clock;
    this.before = held?.before ?? 0; // milliseconds
    this.started = held?.started ?? null;
  }

  get held() {
    return { before: this.before, started: this.started };
  }

  get running() {
    return this.started !== null;
  }

  elapsed() {
    return this.before + (this.running ? Math.max(0, this.clock() - this.started) : 0);
  }

  // Minutes begun, as the row counts them.
  minutes() {
    return Math.ceil(this.elapsed() / 60_000);
  }

  toggle() {
    if (this.running) {
      this.before = this.elapsed();
      this.started = null;
    } else this.started = this.clock();
  }

  reset() {
    this.before = 0;
    this.started = null;
  }

  spoken() {
    const seconds = Math.floor(this.elapsed() / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  }
}
