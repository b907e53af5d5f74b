// The hand-in dialog: names what is unanswered; its default is to go on.

export class HandInDialog {
  constructor({ dialog, told, goOn, handIn }, { go, confirmed }) {
    Object.assign(this, { dialog, told, goOn, handIn });
    goOn.addEventListener("click", () => this.dialog.close());
    handIn.addEventListener("click", () => { this.handIn.disabled = true; confirmed(); });
    told.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      this.dialog.close();
      go(Number(button.dataset.number));
    });
  }

  show({ unanswered, flagged, all, early }) {
    const lines = [];
    if (unanswered.length) lines.push(list(`还有 ${unanswered.length} 题未作答：`, unanswered, "unanswered"));
    else lines.push(sentence(`全部 ${all} 题都已作答。`));
    if (flagged.length) lines.push(list(`标记了 ${flagged.length} 题：`, flagged, "flagged"));
    lines.unshift(sentence(early > 0 ? `还没到允许交卷的时间，请再等约 ${Math.ceil(early / 60)} 分钟。` : "交卷后不能再修改答案。"));
    this.told.replaceChildren(...lines);
    this.handIn.disabled = early > 0;
    if (!this.dialog.open) this.dialog.showModal();
    this.told.scrollTop = 0;
    this.goOn.focus();
  }

  refused(text) {
    this.told.append(sentence(text, "wrong"));
    this.handIn.disabled = false;
    this.goOn.focus();
  }

  get open() {
    return this.dialog.open;
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }
}

function sentence(text, kind = "") {
  const line = document.createElement("p");
  line.textContent = text;
  line.className = kind;
  return line;
}

function list(text, numbers, kind) {
  const line = sentence(text);
  line.dataset.list = kind;
  numbers.forEach((number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "dialog-number";
    button.dataset.number = number;
    button.textContent = number;
    button.setAttribute("aria-label", `回到第 ${number} 题`);
    line.append(button);
  });
  return line;
}
