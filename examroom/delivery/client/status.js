// What the page says of itself: the saved state, one banner, what a screen reader is told, the invigilator's notices.

export class Status {
  constructor({ saved, banner, announcer, notices }, { confirmed }) {
    Object.assign(this, { place: saved, banner, announcer, notices, confirmed });
    this.read = 0;
    this.shown = new Set();
  }

  saved(text, kind) {
    if (this.place.textContent === text) return;
    this.place.textContent = text;
    this.place.dataset.kind = kind;
  }

  // The banner carries one message; what the network says never hides what matters more.
  tell(text, kind = "", source = "") {
    const { banner } = this;
    if (source === "net" && banner.dataset.source === "other" && !banner.hidden) return;
    if (!text && source === "net" && banner.dataset.source !== "net") return;
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    banner.dataset.kind = kind;
    banner.dataset.source = source || "other";
  }

  // For a quarter of a minute, unless something else is said meanwhile.
  tellBriefly(text, kind) {
    this.tell(text, kind);
    setTimeout(() => { if (this.banner.textContent === text) this.tell(""); }, 15_000);
  }

  say(text) {
    this.announcer.textContent = text;
  }

  // Each notice stays until the reader confirms it; what was confirmed is told to the invigilator.
  notice(list = []) {
    for (const { id, at, text } of list) {
      if (id <= this.read || this.shown.has(id)) continue;
      this.shown.add(id);
      const line = document.createElement("div");
      line.className = "exam-notice";
      line.dataset.notice = id;
      const words = document.createElement("p");
      const lead = document.createElement("b");
      lead.textContent = `监考员通知${at ? `（${at}）` : ""}：`;
      words.append(lead, text);
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: "我知道了" });
      button.addEventListener("click", () => this.confirm());
      line.append(words, button);
      this.notices.append(line);
      this.say(`监考员通知：${text}。按 Y 键确认。`);
    }
  }

  // The oldest on the screen.
  confirm() {
    const line = this.notices.firstElementChild;
    if (!line) return false;
    this.read = Math.max(this.read, Number(line.dataset.notice));
    line.remove();
    this.confirmed();
    return true;
  }
}
