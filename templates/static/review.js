// The panel room: the defence's clock by the server's time, live states, the signature drawn with a pen or a finger.
import { Pen } from "./pen.js";

const live = document.querySelector("[data-review]");
if (live) followRoom(live);

function followRoom(part) {
  let known = null;
  let ahead = Number(part.dataset.clock) - Date.now();  // the server's clock less this one's
  const spoken = (seconds) => `${seconds < 0 ? "+" : ""}${String(Math.floor(Math.abs(seconds) / 60)).padStart(2, "0")}:${String(Math.abs(seconds) % 60).padStart(2, "0")}`;
  const tick = () => document.querySelectorAll("[data-left]").forEach((clock) => {
    const ends = Number(clock.dataset.ends);
    const left = ends ? Math.ceil((ends - Date.now() - ahead) / 1000) : Number(clock.dataset.left);
    clock.textContent = spoken(left);
    clock.classList.toggle("over", left < 0);
    clock.classList.toggle("running", Boolean(ends));
  });
  const typing = () => {  // nothing that somebody is writing may be swept away
    const at = document.activeElement;
    return (part.contains(at) && /^(INPUT|TEXTAREA)$/.test(at.tagName)) || [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value);
  };
  async function ask() {
    const began = Date.now();
    const response = await fetch(part.dataset.review, { headers: known ? { "If-None-Match": known } : {}, cache: "no-store" });
    if (response.redirected || response.status === 401) { location.reload(); return; }
    if (response.status !== 200 && response.status !== 304) throw new Error(String(response.status));
    ahead = Number(response.headers.get("X-Clock")) - (began + Date.now()) / 2;
    if (response.status === 304 || typing()) return;
    const first = known === null;
    known = response.headers.get("ETag");
    const text = await response.text();
    if (!first && part.hasAttribute("data-reload")) { document.dispatchEvent(new CustomEvent("review:changed")); }
    part.innerHTML = text;
    tick();
  }
  async function follow() {
    for (;;) {
      const broken = document.querySelector("[data-review-broken]");
      try { await ask(); if (broken) broken.hidden = true; } catch { if (broken) broken.hidden = false; }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  tick();
  setInterval(tick, 250);
  follow();
}
// On a judge's page the state of the case opens or closes the form: say so instead of taking the page away.
document.addEventListener("review:changed", () => { const note = document.querySelector("[data-changed]"); if (note) note.hidden = false; });

document.querySelectorAll("[data-pen]").forEach((box) => {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input[type=hidden]");
  const pen = new Pen(canvas);
  const take = () => { field.value = pen.empty ? "" : pen.png(); };
  canvas.addEventListener("pointerup", take);
  canvas.addEventListener("pointercancel", take);
  box.querySelector("[data-clear]").addEventListener("click", () => { pen.clear(); take(); });
});
