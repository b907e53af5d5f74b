import assert from "node:assert/strict";
import test from "node:test";
import { differences } from "../../examroom/delivery/client/offer.js";
import { Sheet } from "../../examroom/delivery/client/sheet.js";

function sheet(answers) {
  const made = new Sheet();
  made.load({ parts: [], materials: [], questions: Array.from({ length: 5 }, () => ({ kind: "single" })), answers, acknowledged: 10 });
  return made;
}

const event = (sequence, number, answer, flagged = false) => ({ sequence, number, answer, flagged });

test("what the server holds already is not asked about", () => {
  const held = sheet({ 1: { answer: "B", flagged: false, sequence: 9 } });
  assert.deepEqual(differences([event(9, 1, "B")], held), []);
});

test("one row for each question, with the newest local answer, in the order of the sheet", () => {
  const rows = differences([event(11, 3, "A"), event(12, 1, "C"), event(13, 3, "D")], sheet({}));
  assert.deepEqual(rows.map((row) => [row.number, row.here.answer, row.there.answer, row.take]), [[1, "C", "", true], [3, "D", "", true]]);
});

test("an answer given elsewhere meanwhile is newer: to keep it is the proposal", () => {
  const held = sheet({ 2: { answer: "D", flagged: false, sequence: 14 } });
  assert.equal(differences([event(11, 2, "A")], held)[0].take, false);
});

test("a flag alone is a difference, a question that is not on the sheet is none", () => {
  const held = sheet({ 2: { answer: "D", flagged: false, sequence: 3 } });
  assert.deepEqual(differences([event(11, 2, "D", true), event(12, 99, "A")], held).map((row) => row.number), [2]);
});
