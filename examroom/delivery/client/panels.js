// The calculator and the rough paper: small panels beside the question that take no answer and hide none.

import { reckon } from "./calculator.js";

const KEYS = ["7", "8", "9", "÷", "(", "4", "5", "6", "×", ")", "1", "2", "3", "-", "√", "0", ".", "%", "+", "^", "sin", "cos", "tan", "lg", "π"];

export class Calculator {
  constructor(section) {
    this.section = section;
    this.field = section.querySelector("input");
    this.result = section.querySelector("output");
    const keys = section.querySelector(".calculator-keys");
    keys.append(...KEYS.map((key) => key_(key, () => this.type(key))), key_("退格", () => this.back()), key_("清除", () => this.clear()),
      key_("=", () => this.reckon(), "btn btn-primary"));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === this.field) { event.preventDefault(); this.reckon(); }
    });
  }

  type(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.field.focus();
  }

  back() {
    const { selectionStart: from, selectionEnd: to } = this.field;
    this.field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    this.field.focus();
  }

  clear() {
    this.field.value = this.result.textContent = "";
    this.field.focus();
  }

  // The result takes the place of the sum, so that one reckons on with it.
  reckon() {
    const sum = this.field.value.trim();
    if (!sum) return;
    const found = reckon(sum);
    this.result.textContent = found === null ? "算式不完整或无法计算，请检查。" : `${sum} = ${found}`;
    if (found !== null) this.field.value = found;
    this.field.focus();
  }
}

function key_(text, act, className = "btn btn-secondary") {
  const button = Object.assign(document.createElement("button"), { type: "button", className, textContent: text });
  button.addEventListener("click", act);
  return button;
}

// Kept on this computer only, never sent.
export class Scratch {
  constructor(section, { save }) {
    this.field = section.querySelector("textarea");
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => save(this.field.value), 500);
    });
  }

  load(text) {
    this.field.value = text || "";
  }
}

// Opens and closes a panel; Esc closes it and the focus goes back to where it was.
export class Panel {
  constructor(section, button) {
    Object.assign(this, { section, button });
    button.addEventListener("click", () => this.toggle());
    section.querySelector(".panel-close").addEventListener("click", () => this.toggle(false));
    section.addEventListener("keydown", (event) => { if (event.key === "Escape") this.toggle(false); });
  }

  toggle(open = this.section.hidden) {
    if (this.button.hidden || open !== this.section.hidden) return;
    this.section.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) {
      this.before = document.activeElement;
      this.section.querySelector("input, textarea").focus();
    } else {
      document.activeElement.blur(); // or the keys would be the hidden field's until the next frame
      (this.before?.isConnected ? this.before : this.button).focus();
    }
  }
}
