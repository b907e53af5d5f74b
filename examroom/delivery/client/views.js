// The questions on the screen: one at a time or the whole list, as the candidate likes. Both show the same elements.

import { Question } from "./question.js";
import { dressPictures } from "./pictures.js";

const BEFORE = 2;
const BEHIND = 6; // questions of the list that are made at once around the current one
const AT_ONCE = 12; // of the others, whenever the browser has nothing else to do
const idle = (act) => (window.requestIdleCallback ? requestIdleCallback(act, { timeout: 300 }) : setTimeout(act, 20));

export class Views {
  constructor(place, sheet, { held, struck, locked, chose, typed, typing, strike, seen }) {
    Object.assign(this, { place, sheet, held, struck, locked, chose, typed, typing, strike, seen });
    this.mode = "one";
    this.shown = new Map();
    this.waiting = new Map(); // questions of the list that are not made yet: number → what keeps their place
    addEventListener("scroll", () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.scrolled(), 150); }, { passive: true });
  }

  show(mode, number) {
    this.mode = mode;
    this.place.dataset.mode = mode;
    this.shown.clear();
    this.waiting = new Map();
    if (mode === "list") this.list();
    this.go(number, false);
  }

  one(number) {
    this.shown.clear();
    this.place.replaceChildren(this.head(this.sheet.part(number), this.mode), ...this.material(number), this.question(number));
  }

  // What is on the screen first, the rest when there is time for it; the browser lays out only what is in sight (content-visibility).
  list() {
    const all = document.createDocumentFragment();
    let part = null;
    for (const number of this.sheet.numbers) {
      if (this.sheet.part(number) !== part) {
        part = this.sheet.part(number);
        all.append(this.head(part));
      }
      if (number === 1 || this.sheet.question(number).material !== this.sheet.question(number - 1).material) all.append(...this.material(number));
      const space = document.createElement("div");
      space.className = "q-space";
      this.waiting.set(number, space);
      all.append(space);
    }
    this.place.replaceChildren(all);
    this.later(this.waiting);
  }

  later(waiting) {
    idle(() => {
      if (waiting !== this.waiting || !waiting.size) return;
      this.fill([...waiting.keys()].slice(0, AT_ONCE));
      this.later(waiting);
    });
  }

  fill(numbers) {
    for (const number of numbers) {
      const space = this.waiting.get(number);
      if (!space) continue;
      this.waiting.delete(number);
      space.replaceWith(this.question(number));
    }
  }

  question(number) {
    const made = new Question(number, this.sheet.question(number), { answer: this.held(number).answer, locked: this.locked(),
      struck: this.struck(number), chose: this.chose, typed: this.typed, typing: this.typing, strike: this.strike });
    dressPictures(made.element);
    made.element.classList.toggle("is-flagged", Boolean(this.held(number).flagged));
    this.shown.set(number, made);
    return made.element;
  }

  head(part) {
    const head = document.createElement("p");
    head.className = "exam-part";
    head.textContent = `${part.title}　第 ${part.first}～${part.last} 题，每题 ${part.points} 分`
      + (part.kind === "multiple" && part.policy ? `　多选：${part.policy}` : "") + (part.instructions ? `　${part.instructions}` : "");
    return head;
  }

  material(number) {
    const text = this.sheet.materials[this.sheet.question(number).material];
    if (!text) return [];
    const section = document.createElement("section");
    section.className = "item-material exam-material item-text";
    section.setAttribute("aria-label", "材料");
    section.tabIndex = 0; // a long one scrolls: by keyboard too
    section.innerHTML = text;
    dressPictures(section);
    return [section];
  }

  // Turns to a question; `focused` when a key or the card brought the candidate there.
  go(number, focused = true) {
    if (this.mode === "one") {
      this.one(number);
      window.scrollTo({ top: 0, behavior: "instant" }); // a long question before this one may have been scrolled
    } else {
      this.fill(this.sheet.numbers.filter((other) => other >= number - BEFORE && other <= number + BEHIND));
      this.shown.get(number).element.scrollIntoView({ block: "start", behavior: "instant" });
    }
    this.current(number);
    if (focused) this.shown.get(number).focus();
  }

  current(number) {
    this.place.querySelectorAll(".q.is-current").forEach((element) => element.classList.remove("is-current"));
    this.shown.get(number)?.element.classList.add("is-current");
  }

  at(number) {
    return this.shown.get(number);
  }

  lock(locked) {
    this.shown.forEach((question) => question.lock(locked));
  }

  // In the list: when the current question has been scrolled out of sight, the one that is read now takes its place.
  scrolled() {
    if (this.mode !== "list" || !this.shown.size) return;
    const inSight = (element, from, to) => { const { top, bottom } = element.getBoundingClientRect(); return top < to && bottom > from; };
    this.fill([...this.waiting].filter(([, space]) => inSight(space, -innerHeight, 2 * innerHeight)).map(([number]) => number));
    const current = this.place.querySelector(".q.is-current");
    if (current && inSight(current, innerHeight * 0.15, innerHeight)) return;
    const read = this.sheet.numbers.map((number) => this.shown.get(number)).find((question) => question && inSight(question.element, innerHeight * 0.35, innerHeight));
    if (!read) return;
    this.seen(read.number);
  }
}
