// A room without its server: the answers as a file (作答文件) that the invigilator carries to the server. What is in it, and
// what its digest and its proof cover, is written down in examroom/delivery/__init__.py.

import { partsOf, pictureOf } from "./qr.js";
import { hmac, sha256 } from "./sha256.js";

// `token` stays in the page: the proof shows that the file was made by a page that held it.
export function answerFile({ sheet, generation, acknowledged, events, token, at }) {
  const rows = [...events].sort((a, b) => a.sequence - b.sequence).map(({ sequence, number, answer, flagged }) => ({ sequence, number, answer, flagged }));
  const covered = [Number(sheet), generation, acknowledged, rows.map((row) => [row.sequence, row.number, row.answer, row.flagged])];
  const digest = sha256(JSON.stringify(covered));
  return { format: "examroom-answers", version: 1, sheet: Number(sheet), page_generation: generation, acknowledged, events: rows,
    made_at: at, digest, proof: hmac(sha256(token), digest) };
}

export class Emergency {
  // make(): the answer file as it stands now
  constructor(section, { told, code, text, save, show, copy, codes, scan, frame, next, place }, { make, name }) {
    Object.assign(this, { section, told, code, text, make, name, codes, scan, frame, next, place });
    this.shown = 0;
    scan.addEventListener("click", () => this.turn(0));
    next.addEventListener("click", () => this.turn((this.shown + 1) % this.parts.length));
    save.addEventListener("click", () => this.save());
    show.addEventListener("click", () => this.open());
    copy.addEventListener("click", () => { text.select(); document.execCommand("copy"); }); // the clipboard API wants https
    this.copy = copy;
  }

  show(sentence) {
    this.told.textContent = sentence;
    this.section.hidden = false;
    this.refresh();
  }

  hide() {
    this.section.hidden = true;
  }

  // The first signs of the digest, for people to compare.
  refresh() {
    const file = this.make();
    this.code.textContent = file.digest.slice(0, 12).toUpperCase().replace(/(.{4})(?=.)/g, "$1 ");
    this.text.value = JSON.stringify(file);
    this.parts = partsOf(file);
    this.scan.hidden = !this.parts.length;
    return file;
  }

  save() {
    const file = this.refresh();
    const address = URL.createObjectURL(new Blob([JSON.stringify(file)], { type: "application/json" }));
    const link = Object.assign(document.createElement("a"), { href: address, download: `${this.name}-${file.digest.slice(0, 8)}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  // The codes one after the other: as they stood when the first was asked for.
  turn(place) {
    if (place === 0) this.refresh();
    this.shown = Math.min(place, this.parts.length - 1);
    this.codes.hidden = false;
    this.next.hidden = this.parts.length < 2;
    this.place.textContent = `第 ${this.shown + 1} 张，共 ${this.parts.length} 张`;
    const picture = pictureOf(this.parts[this.shown]);
    picture.setAttribute("aria-label", `作答文件二维码${this.place.textContent}`);
    this.frame.replaceChildren(picture);
  }

  open() {
    this.refresh();
    this.text.hidden = this.copy.hidden = false;
    this.text.focus();
    this.text.select();
  }
}
