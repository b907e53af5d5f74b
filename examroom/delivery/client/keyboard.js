// The whole exam by keyboard. Codes, not characters: with a Chinese input method switched on a letter key has no letter.

const LETTERS = "ABCDEFGHIJ";

export function letterOf(code) {
  const key = /^Key([A-J])$/.exec(code);
  if (key) return key[1];
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code);
  return digit ? LETTERS[(Number(digit[1]) + 9) % 10] : null; // 0 is the tenth
}

const MOVES = { ArrowLeft: "previous", PageUp: "previous", ArrowRight: "next", PageDown: "next" };
const ACTS = { KeyM: "flag", KeyN: "nextUnanswered", KeyV: "view", KeyK: "calculator", KeyP: "scratch", KeyT: "contrast", KeyZ: "zoom",
  KeyY: "confirm", Equal: "larger", NumpadAdd: "larger", Minus: "smaller", NumpadSubtract: "smaller", KeyU: "fullScreen" };

// What a key means: {act, letter?}, or null. `writing`: the focus is in a text field; `has(letter)`: the question's options.
export function meaning({ code, key = "", ctrlKey = false, shiftKey = false, altKey = false, metaKey = false }, { writing, has }) {
  if (altKey) return code === "ArrowLeft" || code === "ArrowRight" ? { act: "nothing" } : null; // or the browser would go back
  if (metaKey) return null;
  if (ctrlKey) {
    if (code === "Enter" || code === "NumpadEnter") return { act: "handIn" };
    return code === "KeyP" || code === "KeyS" ? { act: "nothing" } : null; // no printing, no saving of the page
  }
  if (writing) return code.startsWith("Page") ? { act: MOVES[code] } : null;
  if (MOVES[code]) return { act: MOVES[code] }; // an arrow must not change the chosen radio button
  const letter = letterOf(code);
  if (letter && has(letter)) return { act: shiftKey && code.startsWith("Key") ? "strike" : "press", letter };
  if (key === "?" || key === "？" || code === "KeyH") return { act: "help" };
  if (code === "KeyF") return { act: "flag" };
  return ACTS[code] ? { act: ACTS[code] } : null;
}

const ONCE = new Set(["flag", "press", "strike", "view", "contrast", "help", "calculator", "scratch", "fullScreen"]);

export function listen({ open, has, acts }) {
  document.addEventListener("keydown", (event) => {
    if (open() || event.isComposing) return;
    const writing = event.target.matches?.("textarea, input[type=text]") ?? false;
    const found = meaning(event, { writing, has });
    if (!found) return;
    event.preventDefault();
    if (event.repeat && ONCE.has(found.act)) return;
    acts[found.act]?.(found.letter);
  });
}
