// Whether the candidate is at the page: full screen, other windows and tabs. Each leaving counts once and is told to the
// invigilator; nothing is locked because of it. Copying, the context menu and dragging are discouraged.

export class Screen {
  constructor({ document: page = document, window: frame = window, left }) {
    Object.assign(this, { page, frame, told: left, count: 0, away: false, full: false, watching: false });
    this.display = frame.matchMedia("(display-mode: fullscreen)"); // F11 shows only here
    page.addEventListener("visibilitychange", () => (page.hidden ? this.leave("page") : this.back()));
    frame.addEventListener("blur", () => this.leave("page"));
    frame.addEventListener("focus", () => this.back());
    page.addEventListener("fullscreenchange", () => this.turned());
    this.display.addEventListener("change", () => this.turned());
    for (const kind of ["copy", "cut", "contextmenu", "dragstart"]) {
      page.addEventListener(kind, (event) => { if (!event.target.closest?.("[data-copy]")) event.preventDefault(); });
    }
  }

  // From here on leaving counts; the number goes on where another page of this sheet stopped.
  watch(count) {
    this.count = Math.max(this.count, count);
    this.full = this.isFull();
    this.watching = true;
  }

  rest() {
    this.watching = false;
  }

  isFull() {
    return Boolean(this.page.fullscreenElement) || this.display.matches;
  }

  leave(what) {
    if (!this.watching || (what === "page" && this.away)) return;
    if (what === "page") this.away = true;
    this.count += 1;
    this.told(this.count, what);
  }

  back() {
    this.away = false;
  }

  turned() {
    const before = this.full;
    this.full = this.isFull();
    if (before && !this.full && !this.away) this.leave("full_screen");
    else if (before !== this.full) this.told(this.count, "");
  }

  // Asks the browser; false where it will not (no gesture, forbidden).
  async enter() {
    try {
      await this.page.documentElement.requestFullscreen({ navigationUI: "hide" });
      return true;
    } catch {
      return false;
    }
  }

  toggle() {
    return this.page.fullscreenElement ? this.page.exitFullscreen() : this.enter();
  }
}
