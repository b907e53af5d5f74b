// Sends events in order, one request at a time, and keeps trying: the protocol of examroom/delivery/__init__.py.

const BATCH = 50;
const LARGEST = 200_000; // characters of text in one request
const PATIENCE = 8_000; // ms before a request counts as lost; the next one leaves at once
const PULSE = 4_000;
const SIGN_OF_LIFE = 15_000;
const WAITS = [500, 1_000, 2_000, 4_000];
const KEPT = 15 * 60_000; // a standby server may lack the last minutes
const KEEPALIVE = 60_000; // what a browser sends for a page that goes away

export class Transport {
  // heard(event): {kind: "standing" | "saved" | "waiting" | "offline" | "online" | "refused" | "signed_out" | "ended", ...}
  // signs(): what the page tells of itself; reopen(): a new token where the server does not know this page's
  constructor({ base, sheet, store, csrf, heard, signs = () => ({}), reopen = null, fetcher = (...args) => fetch(...args),
    monotonic = () => performance.now() }) {
    Object.assign(this, { base, sheet, store, csrf, heard, signs, reopen, fetcher, monotonic });
    Object.assign(this, { token: "", queue: [], kept: [], acknowledged: 0, failures: 0, batch: BATCH,
      flying: 0, busy: false, stopped: false, told: false, lastPost: -Infinity, started: 0, timer: null });
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
      const answer = await this.attempt(method, path, typeof body === "function" ? body() : body);
      if (answer) return answer;
      await new Promise((resolve) => { setTimeout(resolve, this.wait()); });
    }
  }

  // One try: the answer, or null when it is to be tried again.
  async attempt(method, path, body) {
    this.started = this.monotonic();
    let answer = null;
    try {
      answer = await this.request(method, path, body);
    } catch { /* no answer, or none that is ours */ }
    if (answer === null || answer.status >= 500 || answer.status === 429) return this.failed("offline");
    const { status, data } = answer;
    if (status === 409 && data.code === "behind") {
      this.failures += 1;
      this.compare(data.acknowledged);
      return null;
    }
    if (this.reopen && path !== "open" && (status === 401 || data.code === "unknown_page")) {
      this.failures += 1;
      await this.reopen(); // another server than the one that opened this page
      return null;
    }
    if (status === 401) return this.failed("signed_out");
    if (status === 400 && data.code === "csrf") {
      this.failures += 1;
      await this.request("GET", "pulse").catch(() => {}); // a renewed sign-in brings a new CSRF token
      return null;
    }
    if (status === 400 && path !== "events") return this.failed("offline");
    this.failures = 0;
    this.heard({ kind: "online", unsent: this.queue.length });
    if (status === 200) this.compare(data.acknowledged);
    return answer;
  }

  failed(kind) {
    this.failures += 1;
    this.heard({ kind, unsent: this.queue.length });
    return null;
  }

  wait() {
    const wait = WAITS[Math.min(this.failures, WAITS.length) - 1] ?? 0;
    return Math.max(0, wait * (0.8 + Math.random() * 0.4) - Math.max(0, this.monotonic() - this.started - 1_000));
  }

  // A server that holds less than it once acknowledged is another one: it is given the last minutes again.
  compare(acknowledged) {
    if (acknowledged === undefined) return;
    if (acknowledged < this.acknowledged) {
      const again = this.kept.map((one) => one.event).filter((event) => event.sequence > acknowledged);
      this.kept = this.kept.filter((one) => one.event.sequence <= acknowledged);
      this.queue = [...again, ...this.queue];
      if (again.length) this.heard({ kind: "waiting", unsent: this.queue.length });
    }
    this.acknowledged = acknowledged;
  }

  // The server has them: they stay for a quarter of an hour.
  keep(events) {
    const now = this.monotonic();
    this.kept.push(...events.map((event) => ({ event, at: now })));
    const past = this.kept.filter((one) => one.at < now - KEPT);
    this.kept = this.kept.filter((one) => one.at >= now - KEPT);
    this.store.settle(this.sheet, events).catch(() => {});
    if (past.length) this.store.drop(this.sheet, past.map((one) => one.event.sequence)).catch(() => {});
  }

  async push(event) {
    this.supersede(event);
    this.queue.push(event);
    this.heard({ kind: "waiting", unsent: this.queue.length });
    this.kick(); // the request leaves at once, the local copy is written beside it
    try {
      await this.store.put(this.sheet, event);
      if (!this.queue.includes(event)) this.store.settle(this.sheet, [event]).catch(() => {});
    } catch { /* the disk is full or forbidden: the queue in memory still sends */ }
  }

  // An hour of typing without a server is one text, not seven hundred.
  supersede(event) {
    const last = this.queue[this.queue.length - 1];
    if (!last || this.queue.length <= this.flying || last.number !== event.number || last.answer.length <= 10) return;
    this.queue.pop();
    this.store.drop(this.sheet, [last.sequence]).catch(() => {});
  }

  unsaved() {
    return new Set(this.queue.map((event) => event.number));
  }

  // Something to tell beside the answers: with the next request, which leaves now.
  sign() {
    this.told = false;
    this.kick();
  }

  kick() {
    clearTimeout(this.timer);
    if (!this.busy && !this.stopped) this.round();
  }

  async round() {
    if (this.stopped) return;
    this.busy = true;
    try {
      // After a failure the server may be another one: what it holds is asked before anything is sent.
      const asked = this.failures > 0;
      if (asked && !(await this.pulse())) return;
      if (this.queue.length || !this.told || this.monotonic() - this.lastPost > SIGN_OF_LIFE) await this.send();
      else if (!asked) await this.pulse();
    } finally {
      this.busy = false;
      this.flying = 0;
      this.again();
    }
  }

  again() {
    if (this.stopped) return;
    const pause = this.failures ? this.wait() : this.queue.length || !this.told ? 0 : PULSE * (0.9 + Math.random() * 0.2);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.round(), pause);
  }

  next() {
    let size = 0;
    const found = this.queue.slice(0, this.batch).filter((event) => (size += event.answer.length) <= LARGEST);
    return found.length ? found : this.queue.slice(0, 1);
  }

  body(events) {
    return { events, after: this.acknowledged, signs: { ...this.signs(), unsent: this.queue.length } };
  }

  async send() {
    const batch = this.next();
    this.flying = batch.length;
    this.told = true;
    const answer = await this.attempt("POST", "events", this.body(batch));
    if (!answer) { this.told = false; return; }
    if (answer.status === 409 && answer.data.code === "waiting") { this.failed("waiting_page"); return; }
    if (answer.status === 409) { this.end(answer.data.sentence); return; }
    if (answer.status !== 200) { this.garbled(batch); return; }
    this.lastPost = this.monotonic();
    this.batch = BATCH;
    this.settle(batch, answer.data);
    this.heard({ kind: this.queue.length ? "waiting" : "saved", unsent: this.queue.length });
    this.heard({ ...answer.data, kind: "standing" });
  }

  settle(batch, { acknowledged, refused = [] }) {
    const turned = new Set(refused.map((refusal) => refusal.sequence));
    const done = batch.filter((event) => event.sequence <= acknowledged || turned.has(event.sequence));
    this.queue = this.queue.filter((event) => !done.includes(event));
    this.keep(done.filter((event) => !turned.has(event.sequence)));
    // What came too late stays on this computer: it is the only copy.
    const over = new Set(refused.filter((refusal) => refusal.code === "over").map((refusal) => refusal.sequence));
    const dropped = [...turned].filter((sequence) => !over.has(sequence));
    if (dropped.length) this.store.drop(this.sheet, dropped).catch(() => {});
    if (refused.length) this.heard({ kind: "refused", refused, events: done.filter((event) => turned.has(event.sequence)) });
  }

  // One event that the server cannot read must not hold up all that come after it: they are sent singly, it is put aside.
  garbled(batch) {
    if (batch.length > 1) { this.batch = 1; return; }
    this.queue = this.queue.filter((event) => !batch.includes(event));
    this.heard({ kind: "refused", events: batch,
      refused: batch.map(({ sequence }) => ({ sequence, code: "unreadable", sentence: "服务器没有接受这条作答，请重新作答。" })) });
  }

  async pulse() {
    const answer = await this.attempt("GET", "pulse");
    if (!answer) return false;
    if (answer.data.page === "unknown" && this.reopen) { await this.reopen(); return false; }
    if ((answer.status === 409 || answer.data.page === "ended") && answer.data.state !== "handed_in") this.end(answer.data.sentence);
    else this.heard({ ...answer.data, kind: "standing" });
    return !this.stopped;
  }

  end(sentence) {
    this.stop();
    this.heard({ kind: "ended", sentence, unsent: this.queue.length });
  }

  // Begins, or goes on after a stop.
  go() {
    this.stopped = false;
    this.kick();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  // Sends everything that waits; resolves when nothing does (or this page was ended).
  async flush() {
    while (this.queue.length && !this.stopped) {
      if (!this.failures) this.kick();
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }

  // The page goes away: one last try that outlives it.
  leave() {
    if (this.stopped || !this.queue.length) return;
    const events = this.next();
    const body = this.body(events);
    if (JSON.stringify(body).length * 3 < KEEPALIVE || events.length === 1) this.request("POST", "events", body, true).catch(() => {});
  }
}
