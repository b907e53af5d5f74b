// One question: its text large, its options as large targets. Letters are those of this page.

export const LETTERS = "ABCDEFGHIJ";

export class Question {
  constructor({ part, material, stem, options, chose }) {
    Object.assign(this, { part, material, stem, options, chose });
    this.options.addEventListener("change", () => this.chose(this.read()));
  }

  // Texts are HTML that the server made of the bank's markup: formulas, pictures and tables, nothing that acts.
  show(number, question, part, answer, locked, material) {
    this.part.textContent = `${part.title}　第 ${part.first}～${part.last} 题，每题 ${part.points} 分`
      + (question.kind === "multiple" ? `　多选：${part.policy}` : "");
    this.material.hidden = !material;
    if (this.material.innerHTML !== (material || "")) this.material.innerHTML = material || "";
    const count = document.createElement("span");
    count.className = "stem-number";
    count.textContent = `${number}. `;
    this.stem.innerHTML = question.stem;
    this.stem.prepend(count);
    const many = question.kind === "multiple";
    this.options.replaceChildren(...question.options.map((text, place) => option(LETTERS[place], text, many, answer, locked)));
    this.options.setAttribute("role", many ? "group" : "radiogroup");
    this.options.setAttribute("aria-label", "选项");
  }

  read() {
    return [...this.options.querySelectorAll("input:checked")].map((input) => input.value).sort().join("");
  }

  // What a key does: a single choice is chosen, a multiple choice is turned over. False when there is no such option.
  press(letter) {
    const input = this.options.querySelector(`input[value="${letter}"]`);
    if (!input || input.disabled) return false;
    const before = this.read();
    input.checked = input.type === "radio" ? true : !input.checked;
    input.focus();
    if (this.read() !== before) this.chose(this.read());
    return true;
  }

  has(letter) {
    return this.options.querySelector(`input[value="${letter}"]`) !== null;
  }

  lock() {
    this.options.querySelectorAll("input").forEach((input) => { input.disabled = true; });
  }
}

function option(letter, text, many, answer, locked) {
  const label = document.createElement("label");
  label.className = "exam-option";
  const input = document.createElement("input");
  input.type = many ? "checkbox" : "radio";
  input.name = "option";
  input.value = letter;
  input.checked = answer.includes(letter);
  input.disabled = locked;
  const mark = document.createElement("b");
  mark.textContent = letter;
  const words = document.createElement("span");
  words.innerHTML = text;
  label.append(input, mark, words);
  return label;
}
