// The whole exam by keyboard. Codes, not characters: with a Chinese input method switched on a letter key has no letter.

const LETTERS = "ABCDEFGHIJ";

export function letterOf(code) {
  const key = /^Key([A-J])$/.exec(code);
  if (key) return key[1];
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
  return digit ? LETTERS[Number(digit[1]) - 1] : null;
}

export function listen({ open, press, has, flag, ask, move }) {
  document.addEventListener("keydown", (event) => {
    if (open() || event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (event.code === "Enter" || event.code === "NumpadEnter") { event.preventDefault(); ask(); }
      return;
    }
    const by = { ArrowLeft: -1, PageUp: -1, ArrowRight: 1, PageDown: 1 }[event.code];
    if (by) {
      event.preventDefault(); // or an arrow would change the chosen radio button
      move(by);
      return;
    }
    if (event.code === "KeyF" && (event.shiftKey || !has("F"))) {
      event.preventDefault();
      if (!event.repeat) flag();
      return;
    }
    const letter = letterOf(event.code);
    if (letter && !event.shiftKey && !event.repeat && press(letter)) event.preventDefault();
  });
}
