// The live board: asks every three seconds and shows what the server says.
"use strict";

const seats = document.querySelector("[data-board]");
const shown = new Map();

function two(number) {
  return String(number).padStart(2, "0");
}

function span(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function text(selector, value, root = document) {
  const element = root.querySelector(selector);
  if (element && element.textContent !== String(value)) element.textContent = value;
}

function card(seat) {
  if (!shown.has(seat.number)) {
    const made = document.getElementById("seat").content.firstElementChild.cloneNode(true);
    seats.append(made);
    shown.set(seat.number, made);
  }
  return shown.get(seat.number);
}

function age(seconds) {
  if (seconds === null) return "没有信号";
  if (seconds < 3) return "刚刚";
  return seconds < 120 ? `${seconds} 秒前` : `${Math.floor(seconds / 60)} 分钟前`;
}

function told(seat) {
  if (seat.how) return seat.how;
  if (seat.state !== "started") return "";
  return `${seat.answered} / ${seat.of}　${age(seat.seen)}`;
}

function show(seat) {
  const element = card(seat);
  element.className = `seat seat-${seat.state || "none"}${seat.lost ? " seat-lost" : ""}${seat.waiting_page ? " seat-waits" : ""}`;
  text(".seat-number", seat.number, element);
  text(".seat-name", seat.name, element);
  element.querySelector(".seat-name").title = seat.name;
  text(".seat-state", seat.lost ? "失去联系" : seat.told, element);
  text(".seat-ticket", seat.ticket, element);
  const progress = element.querySelector(".seat-progress");
  progress.max = seat.of || 1;
  progress.value = seat.answered;
  progress.setAttribute("aria-label", `已答 ${seat.answered} 题，共 ${seat.of} 题`);
  text(".seat-told", told(seat), element);
  const extra = [];
  if (seat.extra) extra.push(`调整 ${seat.extra > 0 ? "+" : ""}${Math.round(seat.extra / 60)} 分钟，至 ${seat.ends}`);
  if (seat.pages > 1) extra.push(`打开过 ${seat.pages} 次`);
  text(".seat-extra", extra.join("；"), element);
  const form = element.querySelector(".seat-admit");
  form.hidden = !(seat.waiting_page && seats.dataset.mine);
  form.action = seats.dataset.admit.replace("/pages/0/", `/pages/${seat.waiting_page}/`);
  text("span", seat.waiting_address, form);
}

function take(board) {
  if (board.opened !== (seats.dataset.opened === "yes")) { location.reload(); return; } // a colleague opened the room
  text("[data-board-clock]", board.clock);
  text("[data-board-left]", span(board.starts_in > 0 ? board.starts_in : board.ends_in));
  text("[data-board-left-label]", board.starts_in > 0 ? "距开考" : "距结束");
  for (const [state, count] of Object.entries(board.counts)) text(`[data-board-count="${state}"]`, count);
  text("[data-board-lost]", board.lost);
  document.querySelector("[data-board-lost]").classList.toggle("wrong", board.lost > 0);
  board.seats.forEach(show);
}

async function follow() {
  const broken = document.querySelector("[data-board-broken]");
  for (;;) {
    try {
      const response = await fetch(seats.dataset.board, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (response.status === 401) { location.reload(); return; }
      if (!response.ok) throw new Error(String(response.status));
      take(await response.json());
      broken.hidden = true;
    } catch {
      broken.hidden = false;
    }
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}

// Voiding a score asks once more; everything else is sent at once.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.voidQuestion;
  if (question && event.target.elements.voids_theory.checked && !window.confirm(question)) event.preventDefault();
});

if (seats) follow();
