// Sends events in order, one request at a time, and keeps trying: the protocol of examroom/delivery/__init__.py.

const BATCH = 50;
const PATIENCE = 10_000; // ms before a request counts as lost
const PULSE = 4_000;
const SIGN_OF_LIFE = 15_000;
const WAITS = [500, 1_000, 2_000, 4_000, 5_000];

export class Transport {
  // heard(event): {kind: "standing" | "saved" | "waiting" | "offline" | "online" | "refused" | "signed_out" | "ended", ...}
  constructor({ base, sheet, store, csrf, heard, fetcher = (...args) => fetch(...args) }) {
    Object.assign(this, { base, sheet, store, csrf, heard, fetcher });
    this.token = "";
    this.queue = [];
    this.failures = 0;
    this.busy = false;
    this.stopped = false;
    this.lastPost = 0;
    this.timer = null;
  }

  async request(method, path, body, keepalive = false) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const headers = { Accept: "application/json", "X-Page-Token": this.token };
      if (method === "POST") Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": this.csrf });
      const response = await this.fetcher(`${this.base}/${path}`, {
        method, headers, keepalive, cache: "no-store", credentials: "same-origin", redirect: "error", signal: patience.signal,
        body: method === "POST" ? JSON.stringify(body || {}) : undefined,
      });
      const data = await response.json();
      if (data.csrf) this.csrf = data.csrf;
      return { status: response.status, data };
    } finally {
      clearTimeout(timer);
    }
  }

  // Asks until an answer comes; for what the page cannot go on without.
  async insist(method, path, body) {
    for (;;) {
      const answer = await this.attempt(method, path, body);
      if (answer) return answer;
      await new Promise((resolve) => setTimeout(resolve, this.wait()));
    }
  }

  // One try: the answer, or null when it is to be tried again.
  async attempt(method, path, body) {
    let answer;
    try {
      answer = await this.request(method, path, body);
    } catch {
      this.failures += 1;
      this.heard({ kind: "offline", unsent: this.queue.length });
      return null;
    }
    const { status, data } = answer;
    if (status === 401) {
      this.failures += 1;
      this.heard({ kind: "signed_out" });
      return null;
    }
    if (status === 400 && data.code === "csrf") {
      this.failures += 1;
      await this.refreshed();
      return null;
    }
    if (status >= 500 || status === 400) {
      this.failures += 1;
      this.heard({ kind: "offline", unsent: this.queue.length });
      return null;
    }
    this.failures = 0;
    this.heard({ kind: "online", unsent: this.queue.length });
    return answer;
  }

  async refreshed() {
    try {
      await this.request("GET", "pulse"); // a renewed sign-in brings a new CSRF token
    } catch { /* tried again with the next attempt */ }
  }

  wait() {
    return WAITS[Math.min(this.failures, WAITS.length) - 1] ?? 0;
  }

  restore(events) {
    this.queue = events;
    if (events.length) this.heard({ kind: "waiting", unsent: events.length });
  }

  async push(event) {
    this.queue.push(event);
    this.heard({ kind: "waiting", unsent: this.queue.length });
    this.kick(); // the request leaves at once, the local copy is written beside it
    try {
      await this.store.put(this.sheet, event);
      if (!this.queue.includes(event)) await this.store.drop(this.sheet, [event.sequence]);
    } catch { /* the disk is full or forbidden: the queue in memory still sends */ }
  }

  kick() {
    clearTimeout(this.timer);
    if (!this.busy) this.round();
  }

  async round() {
    if (this.stopped) return;
    this.busy = true;
    try {
      if (this.queue.length || performance.now() - this.lastPost > SIGN_OF_LIFE) await this.send();
      else await this.pulse();
    } finally {
      this.busy = false;
    }
    if (this.stopped) return;
    const pause = this.failures ? this.wait() : this.queue.length ? 0 : PULSE * (0.9 + Math.random() * 0.2);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.round(), pause);
  }

  async send() {
    const batch = this.queue.slice(0, BATCH);
    const answer = await this.attempt("POST", "events", { events: batch });
    if (!answer) return;
    if (answer.status === 409) {
      this.end(answer.data.sentence);
      return;
    }
    this.lastPost = performance.now();
    const { acknowledged, refused } = answer.data;
    const done = batch.filter((event) => event.sequence <= acknowledged || refused.some((r) => r.sequence === event.sequence));
    this.queue = this.queue.filter((event) => !done.includes(event));
    // What came too late stays on this computer: it is the only copy.
    const late = new Set(refused.filter((refusal) => refusal.code === "over").map((refusal) => refusal.sequence));
    const settled = done.map((event) => event.sequence).filter((sequence) => !late.has(sequence));
    await this.store.drop(this.sheet, settled).catch(() => {});
    if (refused.length) this.heard({ kind: "refused", refused });
    this.heard({ kind: this.queue.length ? "waiting" : "saved", unsent: this.queue.length });
    this.heard({ kind: "standing", ...answer.data });
  }

  async pulse() {
    const answer = await this.attempt("GET", "pulse");
    if (!answer) return;
    if (answer.status === 409 || answer.data.page === "ended") {
      if (answer.data.state !== "handed_in") this.end(answer.data.sentence);
    }
    this.heard({ kind: "standing", ...answer.data });
  }

  end(sentence) {
    this.stopped = true;
    this.heard({ kind: "ended", sentence, unsent: this.queue.length });
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  // Sends everything that waits; resolves when nothing does (or this page was ended).
  async flush() {
    while (this.queue.length && !this.stopped) {
      this.kick();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  // The page goes away: one last try that outlives it.
  leave() {
    if (this.queue.length && !this.stopped) this.request("POST", "events", { events: this.queue.slice(0, BATCH) }, true).catch(() => {});
  }
}
