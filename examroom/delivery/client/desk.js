// The candidate's desk: the questions, the answer card, and what is done with them. It knows nothing of the network.

import { Card } from "./card.js";
import { TEXT_KINDS } from "./sheet.js";
import { Typing } from "./typing.js";
import { Views } from "./views.js";

export class Desk {
  // pushed(event): a change to be sent; unsaved(): numbers that wait; say(text): for a screen reader
  constructor(sheet, { place, card, count, flag, previous, next, look }, { pushed, unsaved, say, struckChanged, dirty }) {
    Object.assign(this, { sheet, buttons: { flag, previous, next }, look, pushed, unsaved, say, struckChanged });
    this.current = 1;
    this.locked = true;
    this.struck = {};
    this.writing = new Set();
    this.typing = new Typing({ save: (number, text) => this.change(number, { answer: text }),
      dirty: (number, whether) => { this.writing[whether ? "add" : "delete"](number); this.mark(number); dirty(this.writing.size > 0); } });
    this.card = new Card(card, count, (number) => this.go(number));
    this.views = new Views(place, sheet, {
      held: (number) => sheet.held(number), struck: (number) => this.struck[number] || "", locked: () => this.locked,
      chose: (number, answer) => { this.turn(number); this.change(number, { answer }); },
      typed: (number, text) => { this.turn(number); this.typing.input(number, text); }, typing: this.typing,
      strike: (number, letter) => this.strike(letter, number), seen: (number) => this.turn(number) });
    place.addEventListener("focusin", (event) => {
      const question = event.target.closest(".q");
      if (question) this.turn(Number(question.dataset.number));
    });
  }

  build() {
    this.card.build(this.sheet.parts);
    this.current = this.sheet.start();
    this.views.show(this.look.mode, this.current);
    this.markAll();
    this.arrows();
  }

  get question() {
    return this.views.at(this.current);
  }

  go(number, focused = true) {
    if (!number || number < 1 || number > this.sheet.count) return;
    this.typing.flush();
    this.turn(number);
    this.views.go(number, focused);
  }

  move(by) {
    this.go(this.current + by);
  }

  // Another question is the current one, wherever the candidate came from.
  turn(number) {
    if (number === this.current) return;
    const before = this.current;
    this.current = number;
    this.views.current(number);
    this.mark(before);
    this.mark(number);
    this.arrows();
  }

  arrows() {
    this.buttons.previous.disabled = this.current === 1;
    this.buttons.next.disabled = this.current === this.sheet.count;
  }

  toggleView() {
    this.typing.flush();
    this.look.set({ mode: this.look.mode === "one" ? "list" : "one" });
    this.views.show(this.look.mode, this.current);
    this.say(this.look.mode === "one" ? "一题一页" : "整卷列表");
  }

  press(letter) {
    this.question?.press(letter);
  }

  has(letter) {
    return this.question?.has(letter) ?? false;
  }

  flag() {
    this.typing.flush();
    const flagged = !this.sheet.held(this.current).flagged;
    if (this.change(this.current, { flagged })) this.say(flagged ? `第 ${this.current} 题已标记` : `第 ${this.current} 题已取消标记`);
  }

  // Struck out here and on this computer only; it changes no answer.
  strike(letter, number = this.current) {
    if (this.locked || TEXT_KINDS.has(this.sheet.question(number).kind)) return;
    const struck = this.struck[number] || "";
    this.struck[number] = struck.includes(letter) ? struck.replace(letter, "") : struck + letter;
    this.views.at(number)?.strike(this.struck[number]);
    this.say(`选项 ${letter} ${this.struck[number].includes(letter) ? "已划去" : "已恢复"}`);
    this.struckChanged(this.struck);
  }

  change(number, patch) {
    if (this.locked) return false;
    const event = this.sheet.change(number, patch);
    if (!event) return false;
    this.pushed(event);
    this.mark(number);
    return true;
  }

  // Shows again what the sheet holds, where `may` says so (not under the fingers of somebody who writes).
  refresh(may) {
    this.sheet.numbers.filter(may).forEach((number) => this.views.at(number)?.show(this.sheet.held(number).answer));
    this.markAll();
  }

  mark(number) {
    this.paint(number, this.unsaved());
    this.totals();
  }

  markAll() {
    const waiting = this.unsaved();
    this.sheet.numbers.forEach((number) => this.paint(number, waiting));
    this.totals();
  }

  paint(number, waiting) {
    const { flagged } = this.sheet.held(number);
    this.card.show(number, { answered: this.sheet.answered(number), flagged, current: number === this.current,
      unsaved: waiting.has(number) || this.writing.has(number) });
    this.views.at(number)?.element.classList.toggle("is-flagged", flagged);
    if (number !== this.current) return;
    this.buttons.flag.setAttribute("aria-pressed", String(flagged));
    this.buttons.flag.textContent = flagged ? "取消标记" : "标记此题";
  }

  totals() {
    const waiting = new Set([...this.unsaved(), ...this.writing]);
    this.card.total({ answered: this.sheet.count - this.sheet.unanswered().length, all: this.sheet.count,
      flagged: this.sheet.flagged().length, unsaved: waiting.size });
  }

  // Before the lock what was being typed is taken: a field that loses the focus ends its composition.
  lock() {
    if (document.activeElement?.closest?.(".q")) document.activeElement.blur();
    this.typing.compositionOver();
    this.locked = true;
    this.views.lock(true);
    this.buttons.flag.disabled = true;
  }

  unlock() {
    this.locked = false;
    this.views.lock(false);
    this.buttons.flag.disabled = false;
  }
}
