// One question as an element: its text large, its options as large targets, or fields to write in. Letters are those of
// this page. Texts are HTML that the server made of the bank's markup: formulas, pictures, tables, nothing that acts.

import { LETTERS, TEXT_KINDS } from "./sheet.js";

export const LONGEST_TEXT = 20_000;
const LONGEST_BLANK = 200;
const KINDS = { single: "单选", multiple: "多选", judge: "判断", fill: "填空", short: "简答", essay: "论述" };

export class Question {
  // chose(number, answer): at once; typed(number, text): saved after a pause; typing: the composition's begin and end
  constructor(number, question, { answer, locked, struck, chose, typed, typing, strike }) {
    Object.assign(this, { number, kind: question.kind, blanks: question.blanks || 1 });
    this.element = make("fieldset", "q", { tabIndex: -1, id: `q-${number}` });
    this.element.dataset.number = number;
    this.legend = make("legend", "item-text");
    this.legend.innerHTML = question.stem;
    if (this.kind === "fill") numberBlanks(this.legend);
    this.legend.prepend(make("span", "stem-number", { textContent: `${number}. ` }), make("span", "stem-kind", { textContent: `［${KINDS[this.kind]}］` }));
    this.element.append(this.legend, TEXT_KINDS.has(this.kind) ? this.fields(question, typed, typing) : this.options(question, strike));
    if (!TEXT_KINDS.has(this.kind)) this.element.addEventListener("change", () => chose(number, this.read()));
    this.show(answer);
    this.strike(struck);
    this.lock(locked);
  }

  options(question, strike) {
    const box = make("div", "q-options");
    const many = this.kind === "multiple";
    question.options.forEach((html, place) => {
      const letter = LETTERS[place];
      const label = make("label", "exam-option");
      const input = make("input", "", { type: many ? "checkbox" : "radio", name: `option-${this.number}`, value: letter });
      const words = make("span", "item-text");
      words.innerHTML = html;
      label.append(input, make("b", "", { textContent: letter }), words);
      // Reached by Shift and its letter: a stop in the tab order for each option would double the way.
      const button = make("button", "strike", { type: "button", tabIndex: -1 });
      button.dataset.letter = letter;
      button.addEventListener("click", () => strike(this.number, letter));
      const row = make("div", "option-row");
      row.append(label, button);
      box.append(row);
    });
    return box;
  }

  fields(question, typed, typing) {
    const box = make("div", "q-fields");
    const count = this.kind === "fill" ? this.blanks : 1;
    for (let place = 1; place <= count; place += 1) {
      const label = make("label", "written");
      const name = make("span", this.kind === "fill" ? "" : "visually-hidden",
        { textContent: this.kind === "fill" ? `第 ${place} 空` : `第 ${this.number} 题的作答` });
      const field = this.kind === "fill"
        ? make("input", "form-control", { type: "text", maxLength: LONGEST_BLANK })
        : make("textarea", "form-control", { rows: this.kind === "essay" ? 14 : 7, maxLength: LONGEST_TEXT });
      Object.assign(field, { autocomplete: "off", spellcheck: false });
      label.append(name, field);
      box.append(label);
    }
    if (this.kind !== "fill") {
      this.counter = make("p", "written-count");
      box.append(this.counter);
    }
    box.addEventListener("input", () => { this.count(); typed(this.number, this.read()); });
    box.addEventListener("compositionstart", () => typing.compositionStart());
    box.addEventListener("compositionend", () => typing.compositionEnd(this.number, this.read()));
    box.addEventListener("focusout", () => typing.flush());
    return box;
  }

  get inputs() {
    return [...this.element.querySelectorAll("input, textarea")];
  }

  read() {
    if (this.kind === "fill") {
      const blanks = this.inputs.map((input) => input.value.trim());
      return blanks.some(Boolean) ? blanks.join("\n") : "";
    }
    if (TEXT_KINDS.has(this.kind)) return this.inputs[0].value.trim() ? this.inputs[0].value : "";
    return this.inputs.filter((input) => input.checked).map((input) => input.value).join("");
  }

  show(answer) {
    if (this.kind === "fill") answer.split("\n").forEach((blank, place) => { if (this.inputs[place]) this.inputs[place].value = blank; });
    else if (TEXT_KINDS.has(this.kind)) this.inputs[0].value = answer;
    else this.inputs.forEach((input) => { input.checked = answer.includes(input.value); });
    this.count();
  }

  count() {
    if (this.counter) this.counter.textContent = `已写 ${this.inputs[0].value.replace(/\s/g, "").length} 字`;
  }

  // What a key does: a single choice is chosen, a multiple choice is turned over. False when there is no such option.
  press(letter) {
    const input = this.inputs.find((one) => one.value === letter);
    if (!this.has(letter) || input.disabled) return false;
    const before = input.checked;
    input.checked = input.type === "radio" ? true : !before;
    input.focus();
    if (input.checked !== before) this.element.dispatchEvent(new Event("change"));
    return true;
  }

  has(letter) {
    return !TEXT_KINDS.has(this.kind) && this.inputs.some((input) => input.value === letter);
  }

  strike(struck) {
    for (const button of this.element.querySelectorAll(".strike")) {
      const out = struck.includes(button.dataset.letter);
      button.textContent = out ? "恢复" : "划去";
      button.setAttribute("aria-label", `${button.textContent}选项 ${button.dataset.letter}`);
      button.parentElement.classList.toggle("is-struck", out);
    }
  }

  lock(locked) {
    this.inputs.forEach((input) => { if (TEXT_KINDS.has(this.kind)) input.readOnly = locked; else input.disabled = locked; });
    this.element.classList.toggle("is-locked", locked);
  }

  // The screen reader says the question; a keyboard user goes on from it.
  focus() {
    this.element.focus({ preventScroll: true });
  }
}

function make(name, className, more = {}) {
  return Object.assign(document.createElement(name), { className }, more);
}

// The n-th run of underscores becomes blank n: what is asked for under the question has a number in it.
function numberBlanks(element) {
  let number = 0;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(/_{2,}/);
    if (parts.length === 1) continue;
    const nodes = parts.flatMap((part, place) => (place === 0 ? [part]
      : [make("span", "blank", { textContent: `（${number += 1}）` }), part]));
    text.replaceWith(...nodes);
  }
}
