// When typed text becomes an event: after a pause of 1.5 s, every 5 s while typing goes on, and at once when the candidate
// turns to something else. Never in the middle of a composition: half a Chinese word is not an answer.

const PAUSE = 1_500;
const LONGEST = 5_000;

export class Typing {
  // save(number, text); dirty(number, whether): text is on the screen that is no event yet
  constructor({ save, dirty = () => {}, timers = globalThis, monotonic = () => performance.now() }) {
    Object.assign(this, { save, dirty, timers, monotonic });
    this.pending = null;
    this.composing = false;
    this.timer = null;
  }

  input(number, text) {
    if (this.pending && this.pending.number !== number) this.flush();
    const since = this.pending?.since ?? this.monotonic();
    this.pending = { number, text, since };
    this.dirty(number, true);
    this.timers.clearTimeout(this.timer);
    if (this.composing) return;
    const left = since + LONGEST - this.monotonic();
    this.timer = this.timers.setTimeout(() => this.flush(), Math.max(0, Math.min(PAUSE, left)));
  }

  compositionStart() {
    this.composing = true;
    this.timers.clearTimeout(this.timer);
  }

  compositionEnd(number, text) {
    this.composing = false;
    this.input(number, text);
  }

  // The page is about to be locked: whatever the input method says of itself, this is the text.
  compositionOver() {
    this.composing = false;
    this.flush();
  }

  // Nothing while a word is being composed: the composition ends first (a field that loses the focus ends it).
  flush() {
    if (!this.pending || this.composing) return;
    const { number, text } = this.pending;
    this.pending = null;
    this.timers.clearTimeout(this.timer);
    this.dirty(number, false);
    this.save(number, text);
  }
}
