import assert from "node:assert/strict";
import test from "node:test";
import { letterOf, meaning } from "../../examroom/delivery/client/keyboard.js";

const four = { writing: false, has: (letter) => "ABCD".includes(letter) };
const ten = { writing: false, has: () => true };
const written = { writing: true, has: () => false };
const none = { writing: false, has: () => false };

test("letters and digits choose, wherever the Chinese input method stands", () => {
  assert.deepEqual(meaning({ code: "KeyB", key: "Process" }, four), { act: "press", letter: "B" });
  assert.deepEqual(meaning({ code: "Digit4" }, four), { act: "press", letter: "D" });
  assert.deepEqual(meaning({ code: "Numpad1" }, four), { act: "press", letter: "A" });
  assert.equal(letterOf("Digit0"), "J");
});

test("F flags, unless the question has an option F: then M does", () => {
  assert.deepEqual(meaning({ code: "KeyF" }, four), { act: "flag" });
  assert.deepEqual(meaning({ code: "KeyF" }, ten), { act: "press", letter: "F" });
  assert.deepEqual(meaning({ code: "KeyM" }, ten), { act: "flag" });
});

test("H and ? show the help; with eight options H is one of them", () => {
  assert.deepEqual(meaning({ code: "KeyH" }, four), { act: "help" });
  assert.deepEqual(meaning({ code: "KeyH" }, ten), { act: "press", letter: "H" });
  assert.deepEqual(meaning({ code: "Slash", key: "？", shiftKey: true }, ten), { act: "help" });
});

test("Shift strikes out", () => {
  assert.deepEqual(meaning({ code: "KeyC", shiftKey: true }, four), { act: "strike", letter: "C" });
});

test("who writes, writes: only the page keys and Ctrl+Enter mean something", () => {
  for (const code of ["KeyA", "KeyF", "KeyH", "Digit1", "ArrowLeft", "ArrowRight", "Equal", "Space"]) assert.equal(meaning({ code }, written), null);
  assert.deepEqual(meaning({ code: "PageDown" }, written), { act: "next" });
  assert.deepEqual(meaning({ code: "Enter", ctrlKey: true }, written), { act: "handIn" });
  assert.equal(meaning({ code: "KeyA", ctrlKey: true }, written), null); // select all
});

test("the browser is not sent back, the page not printed", () => {
  assert.deepEqual(meaning({ code: "ArrowLeft", altKey: true }, four), { act: "nothing" });
  assert.deepEqual(meaning({ code: "KeyP", ctrlKey: true }, none), { act: "nothing" });
  assert.equal(meaning({ code: "KeyR", ctrlKey: true }, four), null); // a reload loses nothing
});
