// The waiting page follows the server: a changed start, a changed seat, the opening of the room.

import { Clock, spoken } from "./clock.js";

const main = document.querySelector("[data-hall]");
const part = (name) => main.querySelector(`[data-hall-${name}]`);
const clock = new Clock();

if (main) {
  clock.set(Number(main.dataset.start));
  setInterval(show, 250);
  show();
  follow();
}

function show() {
  const before = main.dataset.phase === "before";
  part("label").textContent = before ? "距开考" : "开考时间已到";
  part("clock").textContent = before ? spoken(clock.remaining()) : "";
}

async function follow() {
  for (;;) {
    const left = main.dataset.phase === "before" ? clock.remaining() : 0;
    const pause = left > 60 ? 4_000 : 2_000;
    await new Promise((resolve) => setTimeout(resolve, pause * (0.8 + Math.random() * 0.3))); // a changed start shows within five seconds
    try {
      const response = await fetch(main.dataset.hall, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (response.status === 401) { location.reload(); return; }
      if (response.ok && await take(await response.json())) return;
    } catch {
      part("told").textContent = "暂时连不上服务器，正在重试……请不要关闭本页。";
    }
  }
}

async function take(state) {
  if (state.phase === "none" || state.done) { location.reload(); return true; }
  main.dataset.phase = state.phase;
  clock.set(state.seconds_until_start);
  part("starts").textContent = state.starts_at;
  part("minutes").textContent = state.minutes;
  part("room").textContent = state.room;
  part("seat").textContent = state.seat;
  if (part("told").textContent !== state.told) part("told").textContent = state.told;
  if (!state.enter) return false;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000)); // a whole room does not knock in one instant
  location.replace(state.enter);
  return true;
}
