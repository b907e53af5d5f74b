// One row of a rubric on the tablet: large buttons, a field, what it earns, a stopwatch where time is marked.

import { markOf, read } from "./rows.js";
import { Stopwatch } from "./stopwatch.js";

const spoken = (half) => (half / 2).toFixed(1);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const button = (text, act, label = text) => {
  const made = element("button", { type: "button", className: "btn btn-secondary big", textContent: text, ariaLabel: label });
  made.addEventListener("click", act);
  return made;
};

export class MarkRow {
  // changed(text): something that can be read, or nothing; kept(watch): the stopwatch to be remembered
  constructor(row, text, { changed, watch, kept }) {
    Object.assign(this, { row, changed, kept, locked: false });
    this.problem = element("p", { className: "problem", role: "alert" });
    this.earned = element("span", { className: "earned" });
    this.element = element("section", { className: "mark-row", id: `row-${row.id}` }, this.title(), ...this.body(watch), this.problem);
    this.show(text);
  }

  title() {
    const worth = this.row.kind === "veto" ? "★ 否决项" : `满分 ${this.row.most / 2} 分`;
    const title = element("label", { className: "mark-title", htmlFor: `field-${this.row.id}` }, `${this.row.kind === "veto" ? "★ " : ""}${this.row.text} `,
      element("span", { className: "quiet nowrap", textContent: worth }), " ", this.earned);
    const how = this.row.told ? [element("p", { className: "help", textContent: this.row.told })] : [];
    return element("div", {}, title, ...how);
  }

  body(watch) {
    if (this.row.kind === "veto") return [this.verdict()];
    const inputMode = { points: "decimal", measured: "text" }[this.row.kind] || "numeric"; // a minus sign is on no decimal keyboard
    this.field = element("input", { id: `field-${this.row.id}`, className: "form-control score", inputMode, autocomplete: "off", maxLength: 12 });
    this.field.addEventListener("input", () => this.typed(this.field.value));
    const steps = element("div", { className: "stepper" });
    const unit = { deduction: this.row.detail.unit, measured: this.row.detail.unit, time: "分钟" }[this.row.kind] || "分";
    if (this.row.kind === "points") {
      steps.append(button("0 分", () => this.set(0)), button("−1", () => this.step(-2), "减 1 分"), button("−0.5", () => this.step(-1), "减 0.5 分"),
        this.field, button("+0.5", () => this.step(1), "加 0.5 分"), button("+1", () => this.step(2), "加 1 分"), button("满分", () => this.set(this.row.most)));
    } else if (this.row.kind === "deduction") {
      steps.append(button(`0 ${unit}`, () => this.set(0), "没有，填 0"), button("−1", () => this.step(-1), "减 1"), this.field, element("span", { textContent: unit }),
        button("+1", () => this.step(1), "加 1"));
    } else if (this.row.kind === "time") steps.append(...this.stopwatch(watch), this.field, element("span", { textContent: unit }));
    else steps.append(this.field, element("span", { textContent: unit }));
    return [steps];
  }

  verdict() {
    const choice = (value, text) => {
      const input = element("input", { type: "radio", name: `row-${this.row.id}`, value, ...(value === "yes" ? { id: `field-${this.row.id}` } : {}) });
      input.addEventListener("change", () => this.typed(value));
      return element("label", { className: "btn btn-secondary big" }, input, ` ${text}`);
    };
    this.choices = element("div", { className: "verdict" }, choice("yes", "是，违反"), choice("no", "否，未违反"));
    return this.choices;
  }

  stopwatch(held) {
    this.watch = new Stopwatch(held);
    this.face = element("output", { className: "watch" });
    this.start = button("", () => {
      this.watch.toggle();
      if (!this.watch.running) this.set(this.watch.minutes());
      this.ticked();
    });
    const reset = button("清零", () => { this.watch.reset(); this.ticked(); });
    this.timer = setInterval(() => { if (this.watch.running) this.paint(); }, 500);
    this.paint();
    return [this.face, this.start, reset];
  }

  ticked() {
    this.kept(this.watch.held);
    this.paint();
  }

  paint() {
    this.face.textContent = this.watch.spoken();
    this.start.textContent = this.watch.running ? "停止计时" : this.watch.elapsed() ? "继续计时" : "开始计时";
  }

  // In units of the row: half-points, or a count.
  set(value) {
    if (this.locked) return;
    this.field.value = this.row.kind === "points" ? String(value / 2) : String(value);
    this.typed(this.field.value);
  }

  step(by) {
    const { entry } = read(this.row, this.field.value);
    const most = this.row.kind === "points" ? this.row.most : 9999;
    this.set(Math.min(most, Math.max(0, (entry ?? 0) + by)));
  }

  typed(text) {
    const { problem = "" } = this.judge(text);
    if (!problem) this.changed(text.trim().normalize("NFKC"));
  }

  // Says what is wrong, or what it earns.
  judge(text) {
    const found = read(this.row, text);
    this.text = text;
    this.value = found.problem || found.entry === null ? null : markOf(this.row, found.entry);
    this.problem.textContent = found.problem || "";
    this.element.classList.toggle("bad", Boolean(found.problem));
    this.element.classList.remove("blank");
    this.earned.textContent = this.value === null || this.row.kind === "veto" || this.row.kind === "points" ? "" : `得 ${spoken(this.value)} 分`;
    return found;
  }

  show(text) {
    if (this.field) this.field.value = text;
    else this.choices.querySelectorAll("input").forEach((input) => { input.checked = input.value === text; });
    this.judge(text);
  }

  get blank() {
    return this.value === null;
  }

  // Named when a signature is tried with rows empty.
  ask() {
    this.element.classList.add("blank");
    if (!this.problem.textContent) this.problem.textContent = this.row.kind === "veto" ? "请回答是或否。" : "还没有评分；没有得分请填 0。";
  }

  lock() {
    this.locked = true;
    this.element.querySelectorAll("button, input").forEach((one) => { one.disabled = true; });
  }

  drop() {
    clearInterval(this.timer);
  }
}
