// How the candidate likes the page: size of the text, contrast, one question or the list. Kept on this computer.

const SIZES = ["小", "标准", "大", "特大", "最大"];
const STANDARD = 1;

export class Look {
  constructor(sheet, body, { place = safely(() => localStorage), changed = () => {} } = {}) {
    Object.assign(this, { key: `examroom-look:${sheet}`, body, place, changed });
    const held = safely(() => JSON.parse(place.getItem(this.key))) || {};
    this.size = SIZES[held.size] ? held.size : STANDARD;
    this.contrast = held.contrast === true;
    this.mode = held.mode === "list" ? "list" : "one";
    this.show();
  }

  show() {
    this.body.dataset.size = this.size;
    this.body.dataset.contrast = this.contrast ? "high" : "";
  }

  set(patch) {
    Object.assign(this, patch);
    this.show();
    safely(() => this.place.setItem(this.key, JSON.stringify({ size: this.size, contrast: this.contrast, mode: this.mode })));
    this.changed();
  }

  resize(by) {
    this.set({ size: Math.min(SIZES.length - 1, Math.max(0, this.size + by)) });
    return `字号：${SIZES[this.size]}`;
  }

  get smallest() {
    return this.size === 0;
  }

  get largest() {
    return this.size === SIZES.length - 1;
  }
}

// A browser may forbid its storage altogether.
function safely(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
