// The sheet as this page holds it: what is asked, what is answered, the next sequence number. No element of the page.

export const LETTERS = "ABCDEFGHIJ";
export const TEXT_KINDS = new Set(["fill", "short", "essay"]);

const NOTHING = Object.freeze({ answer: "", flagged: false, sequence: 0 });

export class Sheet {
  constructor() {
    Object.assign(this, { parts: [], materials: [], questions: [], answers: new Map(), sequence: 0 });
  }

  // What the server says; of what this page held before, nothing remains.
  load({ parts, materials, questions, answers, acknowledged }) {
    Object.assign(this, { parts, materials, questions, sequence: acknowledged });
    this.answers = new Map(Object.entries(answers).map(([number, held]) => [Number(number), { ...NOTHING, ...held }]));
  }

  get count() {
    return this.questions.length;
  }

  get numbers() {
    return this.questions.map((_, place) => place + 1);
  }

  question(number) {
    return this.questions[number - 1];
  }

  part(number) {
    return this.parts.find((part) => number <= part.last);
  }

  held(number) {
    return this.answers.get(number) || NOTHING;
  }

  answered(number) {
    return this.held(number).answer !== "";
  }

  // The event that this change makes; null when it changes nothing.
  change(number, patch) {
    const before = this.held(number);
    const { answer, flagged } = { ...before, ...patch };
    if (answer === before.answer && flagged === before.flagged) return null;
    this.sequence += 1;
    const event = { sequence: this.sequence, number, answer, flagged };
    this.answers.set(number, { answer, flagged, sequence: event.sequence });
    return event;
  }

  unanswered() {
    return this.numbers.filter((number) => !this.answered(number));
  }

  flagged() {
    return this.numbers.filter((number) => this.held(number).flagged);
  }

  // Where to begin: the first question without an answer, else the first.
  start() {
    return this.unanswered()[0] || 1;
  }

  // The next question without an answer after this one, around the end; null for none.
  nextUnanswered(number) {
    const open = this.unanswered();
    return open.find((one) => one > number) ?? open[0] ?? null;
  }
}

// In words a candidate knows: letters, 正确/错误, the blanks, the beginning of a text.
export function inWords(question, answer, longest = 60) {
  if (answer === "") return "未作答";
  if (question.kind === "judge") return answer === "A" ? "正确" : "错误";
  if (!TEXT_KINDS.has(question.kind)) return answer;
  const text = question.kind === "fill" ? answer.split("\n").map((blank) => blank || "（空）").join("；") : answer.replace(/\s+/g, " ");
  return text.length > longest ? `${text.slice(0, longest)}……（共 ${answer.length} 字）` : text;
}
