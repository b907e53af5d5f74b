// What this computer holds and the server does not, offered to the candidate question by question. Nothing is merged
// unasked: what is taken becomes a new change, what is left is forgotten.

import { inWords } from "./sheet.js";

// One row for each question whose newest local event says something else than the server. `take` is the proposal: this
// computer's, unless the server's answer is the newer one (given on another computer meanwhile).
export function differences(local, sheet) {
  const newest = new Map();
  for (const event of local) if (event.number <= sheet.count) newest.set(event.number, event);
  const rows = [];
  for (const { number, sequence, answer, flagged } of newest.values()) {
    const there = sheet.held(number);
    if (there.answer === answer && there.flagged === flagged) continue;
    rows.push({ number, here: { answer, flagged }, there, take: sequence > there.sequence });
  }
  return rows.sort((a, b) => a.number - b.number);
}

export class Offer {
  constructor(dialog, { body, told, take }) {
    Object.assign(this, { dialog, body, told, button: take });
    dialog.addEventListener("cancel", (event) => event.preventDefault()); // it is decided, not waved away
    take.addEventListener("click", () => this.decide());
  }

  // Resolves with the rows that the candidate takes over.
  ask(rows, sheet) {
    this.rows = rows;
    this.told.textContent = `这台电脑上有 ${rows.length} 题的作答与服务器上的不同（还没有上传，或曾在别的电脑上作答）。`
      + "请逐题核对：打勾的题采用本机作答，不打勾的保留服务器上的作答。到时未确认，按打勾的处理。";
    this.body.replaceChildren(...rows.map((row) => line(row, sheet.question(row.number))));
    this.dialog.showModal();
    this.button.focus();
    return new Promise((resolve) => { this.resolve = resolve; });
  }

  // By the button, or by the end of the time: as the ticks stand.
  decide() {
    if (!this.dialog.open) return;
    this.dialog.close();
    const ticked = [...this.body.querySelectorAll("input")].map((input) => input.checked);
    this.resolve(this.rows.filter((_, place) => ticked[place]));
  }
}

function line(row, question) {
  const said = ({ answer, flagged }) => inWords(question, answer) + (flagged ? "，已标记" : "");
  const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: row.take });
  tick.setAttribute("aria-label", `第 ${row.number} 题采用本机作答：${said(row.here)}`);
  const made = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row", textContent: `第 ${row.number} 题` });
  const cells = [said(row.there), said(row.here)].map((text) => Object.assign(document.createElement("td"), { textContent: text }));
  const last = document.createElement("td");
  last.append(tick);
  made.append(head, ...cells, last);
  return made;
}
