import assert from "node:assert/strict";
import test from "node:test";
import { LocalStore } from "../../examroom/delivery/client/store.js";
import { Transport } from "../../examroom/delivery/client/transport.js";

const SHEET = 7;

function storage() {
  const held = new Map();
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value), removeItem: (key) => held.delete(key) };
}

// A server of a few lines: holds events by sequence, may be down, may be exchanged for one that holds less.
function room(more = {}) {
  const made = { held: new Map(), up: true, requests: [], heard: [], page: "live", ...more };
  made.highest = () => Math.max(0, ...made.held.keys());
  made.server = (path, body) => {
    if (path === "open") return [200, { token: "t2", page: "live" }];
    if (path === "pulse") return [200, { page: made.page, state: "started", acknowledged: made.highest(), remaining_seconds: 60 }];
    if (body.after > made.highest()) return [409, { code: "behind", acknowledged: made.highest() }];
    const refused = [];
    for (const event of body.events) {
      if (made.refuse?.(event)) refused.push({ sequence: event.sequence, code: made.refuse(event), sentence: "不行。" });
      else made.held.set(event.sequence, event.answer);
    }
    return [200, { state: "started", acknowledged: made.highest(), refused, remaining_seconds: 60 }];
  };
  made.fetcher = async (address, { body }) => {
    const path = address.split("/").at(-1);
    made.requests.push([path, body && JSON.parse(body)]);
    if (!made.up) throw new TypeError("Failed to fetch");
    const [status, data] = made.answer?.(path, body && JSON.parse(body)) ?? made.server(path, body && JSON.parse(body));
    return { status, json: async () => data };
  };
  made.store = new LocalStore(storage());
  made.now = 0;
  made.transport = new Transport({ base: "/exam/sheets/7", sheet: SHEET, store: made.store, csrf: "c", fetcher: made.fetcher,
    heard: (event) => made.heard.push(event), signs: () => ({ left: 2 }), monotonic: () => made.now,
    reopen: async () => { made.transport.token = (await made.transport.attempt("POST", "open", {})).data.token; } });
  made.transport.told = true;
  made.pass = async (ms) => {
    for (let spent = 0; spent < ms; spent += 100) {
      made.now += 100;
      tick(100);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  made.choose = (sequence, answer, number = sequence) => made.transport.push({ sequence, number, answer, flagged: false });
  made.sent = (path) => made.requests.filter(([one]) => one === path);
  return made;
}

// Time passes only when a test says so (Node 18 has no such timers of its own).
const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
const timers = { now: 0, due: new Map(), last: 0 };

function tick(ms) {
  timers.now += ms;
  for (const [id, { act, at }] of [...timers.due]) if (at <= timers.now && timers.due.delete(id)) act();
}

function drill(name, act) {
  test(name, async () => {
    timers.due.clear();
    globalThis.setTimeout = (todo, wait = 0) => { timers.due.set(timers.last += 1, { act: todo, at: timers.now + wait }); return timers.last; };
    globalThis.clearTimeout = (id) => timers.due.delete(id);
    try { await act(room()); } finally { Object.assign(globalThis, real); }
  });
}

drill("an answer leaves at once, with the page's signs, and is kept here after the acknowledgement", async (made) => {
  made.choose(1, "B");
  await made.pass(200);
  const [, body] = made.requests[0];
  assert.deepEqual([body.events.length, body.after, body.signs], [1, 0, { left: 2, unsent: 1 }]);
  assert.equal(made.held.get(1), "B");
  assert.equal(made.transport.queue.length, 0);
  assert.deepEqual((await made.store.all(SHEET)).map((event) => [event.sequence, event.saved]), [[1, true]]);
});

drill("while something is unsent a try begins at least every five seconds", async (made) => {
  made.up = false;
  made.choose(1, "B");
  const starts = [];
  for (let spent = 0; spent < 60_000; spent += 100) {
    const before = made.requests.length;
    await made.pass(100);
    if (made.requests.length > before) starts.push(made.now);
  }
  const gaps = starts.slice(1).map((at, place) => at - starts[place]);
  assert.ok(starts.length > 12);
  assert.ok(Math.max(...gaps) <= 5_000, `${Math.max(...gaps)}`);
  made.up = true;
  await made.pass(5_000);
  assert.equal(made.held.get(1), "B");
});

drill("events made offline arrive in order, in batches, none twice and none lost", async (made) => {
  made.up = false;
  for (let sequence = 1; sequence <= 120; sequence += 1) made.choose(sequence, "ABCD"[sequence % 4]);
  await made.pass(3_000);
  made.up = true;
  await made.pass(6_000);
  assert.deepEqual([...made.held.keys()], Array.from({ length: 120 }, (_, place) => place + 1));
  assert.ok(made.sent("events").every(([, body]) => body.events.length <= 50));
});

drill("a standby server that lacks the last minutes is given them again, before anything newer", async (made) => {
  for (let sequence = 1; sequence <= 6; sequence += 1) { made.choose(sequence, "A"); await made.pass(200); }
  assert.equal(made.transport.acknowledged, 6);
  for (const sequence of [4, 5, 6]) made.held.delete(sequence); // its copy is a few seconds old
  made.choose(7, "C");
  await made.pass(6_000);
  assert.deepEqual([...made.held.keys()].sort(), [1, 2, 3, 4, 5, 6, 7]);
});

drill("a page that a standby server does not know is opened there and goes on", async (made) => {
  made.choose(1, "A");
  await made.pass(200);
  made.answer = (path) => (path !== "open" && made.transport.token !== "t2" ? [409, { code: "unknown_page" }] : null);
  made.choose(2, "B");
  await made.pass(4_000);
  assert.equal(made.transport.token, "t2");
  assert.deepEqual([...made.held.keys()], [1, 2]);
});

drill("what was acknowledged is forgotten after a quarter of an hour", async (made) => {
  made.choose(1, "A");
  await made.pass(200);
  made.now += 16 * 60_000;
  made.choose(2, "B");
  await made.pass(200);
  assert.deepEqual((await made.store.all(SHEET)).map((event) => event.sequence), [2]);
});

drill("an event that came too late stays on this computer; a refused one of another kind does not", async (made) => {
  made.refuse = (event) => ({ 1: "over", 2: "older" }[event.sequence]);
  made.choose(1, "A");
  await made.pass(200);
  made.choose(2, "B");
  await made.pass(200);
  assert.deepEqual((await made.store.all(SHEET)).map((event) => [event.sequence, event.saved ?? false]), [[1, false]]);
  assert.deepEqual(made.heard.filter((event) => event.kind === "refused").map((event) => event.refused[0].code), ["over", "older"]);
  assert.equal(made.transport.queue.length, 0);
});

drill("one event that the server cannot read does not hold up the others", async (made) => {
  made.answer = (path, body) => (path === "events" && body.events.some((event) => event.answer === "?") ? [400, { code: "bad_request" }] : null);
  made.up = false;
  made.choose(1, "A");
  made.choose(2, "?");
  made.choose(3, "C");
  await made.pass(1_000);
  made.up = true;
  await made.pass(6_000);
  assert.deepEqual([...made.held.keys()], [1, 3]);
  assert.equal(made.heard.find((event) => event.kind === "refused").events[0].sequence, 2);
});

drill("an hour of typing without a server is one text", async (made) => {
  made.choose(1, "A", 9);
  await made.pass(200);
  made.up = false;
  for (let sequence = 2; sequence <= 700; sequence += 1) made.choose(sequence, "首先切断电源，再验电。".repeat(sequence), 30);
  await made.pass(1_000);
  assert.ok(made.transport.queue.length <= 2, `${made.transport.queue.length}`);
  made.up = true;
  await made.pass(6_000);
  assert.equal(made.held.get(700), "首先切断电源，再验电。".repeat(700));
});

drill("a second seat's takeover ends this page at its next request", async (made) => {
  made.page = "ended";
  made.answer = (path) => (path === "events" ? [409, { code: "superseded", sentence: "已在另一台电脑上打开" }] : null);
  made.choose(1, "A");
  await made.pass(200);
  assert.equal(made.heard.at(-1).kind, "ended");
  assert.equal(made.transport.stopped, true);
  const before = made.requests.length;
  await made.pass(20_000);
  assert.equal(made.requests.length, before);
});

drill("a page without answers pulses every four seconds and gives a sign of life every fifteen", async (made) => {
  made.transport.kick();
  await made.pass(60_000);
  const [pulses, signs] = [made.sent("pulse").length, made.sent("events").length];
  assert.ok(pulses + signs >= 13 && pulses + signs <= 17, `${pulses} ${signs}`);
  assert.ok(signs >= 3 && signs <= 5, `${signs}`);
});
