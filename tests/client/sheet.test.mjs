import assert from "node:assert/strict";
import test from "node:test";
import { Sheet, inWords } from "../../examroom/delivery/client/sheet.js";

function sheet() {
  const made = new Sheet();
  made.load({ parts: [{ first: 1, last: 2 }, { first: 3, last: 4 }], materials: [],
    questions: [{ kind: "single" }, { kind: "multiple" }, { kind: "judge" }, { kind: "fill" }],
    answers: { 2: { answer: "AC", flagged: true, sequence: 7 } }, acknowledged: 9 });
  return made;
}

test("a change is an event whose number goes on where the server stands", () => {
  const made = sheet();
  assert.deepEqual(made.change(1, { answer: "B" }), { sequence: 10, number: 1, answer: "B", flagged: false });
  assert.deepEqual(made.change(1, { flagged: true }), { sequence: 11, number: 1, answer: "B", flagged: true });
});

test("what changes nothing makes no event", () => {
  const made = sheet();
  assert.equal(made.change(2, { answer: "AC" }), null);
  assert.equal(made.change(1, { answer: "" }), null);
  assert.equal(made.sequence, 9);
});

test("the first question without an answer is where one begins, and the search for the next goes around", () => {
  const made = sheet();
  assert.deepEqual(made.unanswered(), [1, 3, 4]);
  assert.deepEqual(made.flagged(), [2]);
  made.change(1, { answer: "A" });
  assert.equal(made.start(), 3);
  assert.equal(made.nextUnanswered(3), 4);
  assert.equal(made.nextUnanswered(4), 3);
  assert.equal(made.part(3), made.parts[1]);
});

test("an answer is said in words that a candidate knows", () => {
  assert.equal(inWords({ kind: "single" }, "B"), "B");
  assert.equal(inWords({ kind: "judge" }, "A"), "正确");
  assert.equal(inWords({ kind: "fill" }, "接触器\n"), "接触器；（空）");
  assert.equal(inWords({ kind: "essay" }, "先验电。".repeat(20), 8), "先验电。先验电。……（共 80 字）");
  assert.equal(inWords({ kind: "short" }, ""), "未作答");
});
