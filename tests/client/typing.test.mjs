import assert from "node:assert/strict";
import test from "node:test";
import { Typing } from "../../examroom/delivery/client/typing.js";

function desk() {
  const made = { now: 0, due: null, saved: [], marks: [] };
  made.timers = { setTimeout: (act, wait) => { made.due = { act, at: made.now + wait }; return 1; }, clearTimeout: () => { made.due = null; } };
  made.typing = new Typing({ save: (number, text) => made.saved.push([made.now, number, text]), timers: made.timers,
    dirty: (number, whether) => made.marks.push([number, whether]), monotonic: () => made.now });
  made.pass = (span) => {
    for (const end = made.now + span; made.now < end; made.now += 100) {
      if (made.due && made.due.at <= made.now) { const { act } = made.due; made.due = null; act(); }
    }
  };
  return made;
}

test("text is saved a second and a half after the last key", () => {
  const made = desk();
  made.typing.input(3, "断");
  made.pass(1_000);
  made.typing.input(3, "断电");
  made.pass(3_000);
  assert.deepEqual(made.saved, [[2_500, 3, "断电"]]);
  assert.deepEqual(made.marks.at(-1), [3, false]);
});

test("who types without a pause is saved every five seconds", () => {
  const made = desk();
  for (let key = 1; key <= 120; key += 1) { made.typing.input(3, "x".repeat(key)); made.pass(100); }
  assert.deepEqual(made.saved.map(([at]) => at), [5_000, 10_100]);
});

test("nothing is saved in the middle of a composition, however long it lasts", () => {
  const made = desk();
  made.typing.compositionStart();
  made.typing.input(3, "duan");
  made.pass(9_000);
  made.typing.flush();
  assert.deepEqual(made.saved, []);
  made.typing.compositionEnd(3, "断");
  made.pass(2_000);
  assert.deepEqual(made.saved.map(([, , text]) => text), ["断"]);
});

test("turning to another question saves the first at once", () => {
  const made = desk();
  made.typing.input(3, "验电");
  made.typing.input(4, "接");
  assert.deepEqual(made.saved, [[0, 3, "验电"]]);
  made.typing.flush();
  assert.deepEqual(made.saved.at(-1), [0, 4, "接"]);
});
