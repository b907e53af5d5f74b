// The live board: asks every three seconds, draws the seats, knows which are chosen.
"use strict";

const Room = (() => {
  const room = document.querySelector("[data-room]");
  const grid = room.querySelector("[data-seats]");
  const list = room.querySelector("[data-list]");
  const acting = Boolean(room.dataset.acting);
  const picked = new Set(); // sheet ids
  const shown = new Map(); // seat number -> element
  const rows = new Map(); // seat number -> table row
  let board = null;
  let ahead = 0; // the server's clock minus ours
  let known = "";

  const now = () => Date.now() + ahead;
  const $ = (selector, root = document) => root.querySelector(selector);
  function text(element, value) {
    if (element && element.textContent !== String(value)) element.textContent = value;
  }

  function lay() {
    grid.className = `seats seats-${Math.min(board.columns, 12)}`;
    grid.replaceChildren();
    shown.clear();
    const taken = new Map(board.seats.map((seat) => [seat.number, seat]));
    const last = Math.max(board.places, ...board.seats.map((seat) => seat.number));
    for (let number = 1; number <= last; number += 1) {
      if (taken.has(number)) {
        const made = document.getElementById("seat").content.firstElementChild.cloneNode(true);
        made.dataset.number = number;
        shown.set(number, made);
        grid.append(made);
      } else {
        const empty = document.createElement("div");
        empty.className = "seat-empty";
        empty.textContent = `${number} 空`;
        grid.append(empty);
      }
    }
    const first = grid.querySelector(".seat");
    if (first && !grid.querySelector('[tabindex="0"]')) first.tabIndex = 0;
    list.querySelector("tbody").replaceChildren();
    rows.clear();
    for (const seat of board.seats) {
      const row = document.createElement("tr");
      row.dataset.number = seat.number;
      for (let cell = 0; cell < 11; cell += 1) row.append(document.createElement("td"));
      rows.set(seat.number, row);
      list.querySelector("tbody").append(row);
    }
  }

  function draw(seat) {
    const element = shown.get(seat.number);
    const kind = Seats.kind(seat, now());
    const chosen = picked.has(seat.sheet);
    element.className = `seat seat-${kind}${seat.page || seat.gap ? " seat-asks" : ""}`;
    element.setAttribute("aria-selected", String(chosen));
    text($(".seat-number", element), seat.number);
    text($(".seat-name", element), seat.name);
    text($(".seat-mark", element), Seats.marks(seat));
    text($(".seat-told", element), Seats.told(seat, now()));
    const progress = $("progress", element);
    progress.max = seat.of || 1;
    progress.value = seat.answered || 0;
    element.setAttribute("aria-label", `${seat.number} 号 ${seat.name}，${Seats.state(seat, now())}，${Seats.told(seat, now())} ${Seats.marks(seat)}`);
    const row = rows.get(seat.number);
    row.setAttribute("aria-selected", String(chosen));
    [seat.number, seat.name, seat.ticket, Seats.state(seat, now()), seat.sheet ? `${seat.answered}/${seat.of}` : "",
      Seats.age(seat.saved, now()), Seats.age(seat.seen, now()), Seats.offset(seat), seat.left || "", seat.address || "",
      seat.ends ? Seats.clock(seat.ends) : ""].forEach((value, place) => text(row.children[place], value));
  }

  function counts() {
    const of = (test) => board.seats.filter(test).length;
    return { unchecked: of((seat) => seat.state === "dealt" && !seat.admission), dealt: board.counts.dealt, started: board.counts.started,
      handed_in: board.counts.handed_in, paused: of((seat) => Seats.kind(seat, now()) === "paused"), lost: of((seat) => Seats.isLost(seat, now())) };
  }

  function tick() {
    if (!board) return;
    text($("[data-board-clock]"), Seats.clock(now()));
    const before = board.starts > now();
    text($("[data-board-left]"), Seats.span((before ? board.starts : board.ends) - now()));
    text($("[data-board-left-label]"), before ? "距开考" : "距统一结束");
    for (const [name, count] of Object.entries(counts())) {
      const element = $(`[data-count="${name}"]`);
      text(element, count);
      element.parentElement.classList.toggle("bad", name === "lost" && count > 0);
    }
    board.seats.forEach(draw);
    document.dispatchEvent(new CustomEvent("room:shown"));
  }

  function take(found) {
    if (board && (board.opened === null) !== (found.opened === null)) { location.reload(); return; } // a colleague opened the room
    const places = (value) => JSON.stringify([value.places, value.columns, value.seats.map((seat) => [seat.number, seat.seat])]);
    const same = board && places(board) === places(found);
    board = found;
    for (const sheet of picked) if (!board.seats.some((seat) => seat.sheet === sheet)) picked.delete(sheet);
    if (!same) lay();
    tick();
  }

  async function ask() {
    const began = Date.now();
    const response = await fetch(room.dataset.board, { headers: { Accept: "application/json", ...(known ? { "If-None-Match": known } : {}) }, cache: "no-store" });
    if (response.status === 401) { location.reload(); return; }
    if (response.status !== 200 && response.status !== 304) throw new Error(String(response.status));
    ahead = Number(response.headers.get("X-Clock")) - (began + Date.now()) / 2;
    if (response.status === 304) return;
    known = response.headers.get("ETag");
    take(await response.json());
  }

  async function follow() {
    for (;;) {
      const broken = $("[data-board-broken]");
      try {
        await ask();
        broken.hidden = true;
      } catch {
        broken.hidden = false;
      }
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }

  function pick(numbers, on) {
    for (const seat of board.seats) {
      if (seat.sheet && numbers.includes(seat.number)) picked[on(seat) ? "add" : "delete"](seat.sheet);
    }
    tick();
  }

  let anchor = null;
  room.addEventListener("click", (event) => {
    const element = event.target.closest("[data-number]");
    if (!element || !acting) return;
    const number = Number(element.dataset.number);
    if (event.shiftKey && anchor !== null) {
      const [low, high] = [Math.min(anchor, number), Math.max(anchor, number)];
      pick(board.seats.map((seat) => seat.number).filter((one) => one >= low && one <= high), () => true);
    } else {
      pick([number], (seat) => !picked.has(seat.sheet));
      anchor = number;
    }
    focus(number);
  });

  function focus(number) {
    const element = shown.get(number);
    if (!element) return;
    grid.querySelectorAll('[tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
    element.tabIndex = 0;
    if (!grid.hidden) element.focus({ preventScroll: false });
  }

  grid.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -board.columns, ArrowDown: board.columns }[event.key];
    const here = Number(event.target.dataset.number);
    if (!step || !here) return;
    event.preventDefault();
    const last = Math.max(...shown.keys());
    for (let number = here + step; number >= 1 && number <= last; number += step) {
      if (shown.has(number)) { focus(number); return; }
    }
  });

  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => {
    const asList = button.dataset.view === "list";
    list.hidden = !asList;
    grid.hidden = asList;
    $(".front").hidden = asList;
    document.querySelectorAll("[data-view]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    localStorage.setItem("invigilation-view", button.dataset.view);
  }));
  if (localStorage.getItem("invigilation-view") === "list") $('[data-view="list"]').click();

  setInterval(tick, 1000);
  follow();

  return { room, picked, pick, ask, focus, tick, now, acting, seats: () => (board ? board.seats : []), board: () => board };
})();
