import assert from "node:assert/strict";
import test from "node:test";
import { Clock, spoken } from "../../examroom/delivery/client/clock.js";

test("time is announced at 60, 30, 15, 10, 5 and 1 minutes and never in between", () => {
  let now = 0;
  const clock = new Clock(() => now);
  clock.set(90 * 60);
  const said = [];
  for (; now < 90 * 60e3; now += 1000) { const due = clock.warning(); if (due) said.push(due); }
  assert.deepEqual(said, [60, 30, 15, 10, 5, 1]);
});

test("a page that is opened late does not announce what is past", () => {
  const clock = new Clock(() => 0);
  clock.set(7 * 60);
  assert.equal(clock.warning(), null);
});

test("ten minutes without a single tick change nothing", () => {
  let now = 0;
  const clock = new Clock(() => now);
  clock.set(5400);
  now = 600e3;
  assert.equal(clock.remaining(), 4800);
  assert.equal(spoken(clock.remaining()), "1:20:00");
});

test("a paused room's clock stands still until it is set again", () => {
  let now = 0;
  const clock = new Clock(() => now);
  clock.set(100);
  clock.hold(60);
  now = 50e3;
  assert.equal(clock.remaining(), 60);
  clock.set(60);
  now = 60e3;
  assert.equal(clock.remaining(), 50);
});

test("granted time is announced again on the way down", () => {
  let now = 0;
  const clock = new Clock(() => now);
  clock.set(11 * 60);
  clock.warning();
  now = 61e3;
  assert.equal(clock.warning(), 10);
  clock.set(20 * 60);
  assert.equal(clock.warning(), null);
  now += 10 * 60e3 + 1e3;
  assert.equal(clock.warning(), 10);
});
