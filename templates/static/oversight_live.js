// A running sitting, to look at only: asks every five seconds and draws what it is told.
"use strict";

(() => {
  const figures = document.querySelector("[data-live]");
  const rooms = document.querySelector("[data-live-rooms]");
  const broken = document.querySelector("[data-live-broken]");
  let held = null;
  let ahead = 0;
  let known = "";

  const clock = (moment) => new Date(moment).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  const cell = (row, text, number) => { const made = row.insertCell(); made.textContent = text ?? ""; if (number) made.className = "number"; };

  function draw() {
    const counts = {};
    rooms.replaceChildren(...held.rooms.map((room) => {
      for (const [state, count] of Object.entries(room.counts)) counts[state] = (counts[state] || 0) + count;
      const made = document.getElementById("live-room").content.cloneNode(true);
      made.querySelector("h2").textContent = room.name;
      made.querySelector("[data-facts]").textContent = `监考员 ${room.invigilators.join("、")}　${room.closed ? `${room.closed} 关闭` : room.opened ? `${room.opened} 开启` : "未开启"}`;
      const list = made.querySelector("[data-incidents]");
      for (const one of room.incidents) {
        const line = document.createElement("li");
        line.textContent = `${one.at} ${one.kind}（${one.who}）：${one.text}${one.note ? `［${one.note}］` : ""}　记录 ${one.by}${one.files ? `　附件 ${one.files}` : ""}`;
        list.append(line);
      }
      if (!room.incidents.length) list.replaceWith(Object.assign(document.createElement("p"), { className: "quiet", textContent: "无。" }));
      const body = made.querySelector("tbody");
      for (const seat of room.seats) {
        const row = body.insertRow();
        cell(row, seat.number, true); cell(row, seat.name); cell(row, seat.ticket);
        cell(row, seat.paused ? "已暂停" : seat.told);
        cell(row, seat.of ? `${seat.answered} / ${seat.of}` : "", true); cell(row, seat.saved ? clock(seat.saved) : "");
        cell(row, seat.left ? `${seat.left} 次` : "", true); cell(row, seat.extra ? (seat.extra / 60).toFixed(1) : "", true);
        cell(row, seat.ends ? clock(seat.ends) : ""); cell(row, seat.how);
      }
      return made;
    }));
    figures.querySelectorAll("[data-live-count]").forEach((one) => { one.textContent = counts[one.dataset.liveCount] || 0; });
  }

  function tick() {
    if (!held) return;
    const now = Date.now() + ahead;
    const [aim, label] = now < held.starts ? [held.starts, "距开考"] : now < held.ends ? [held.ends, "距结束（统一时间）"] : [0, "统一时间已到"];
    figures.querySelector("[data-live-clock]").textContent = clock(now);
    figures.querySelector("[data-live-left-label]").textContent = label;
    const seconds = Math.max(0, Math.floor((aim - now) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    figures.querySelector("[data-live-left]").textContent = aim ? parts.map((part) => String(part).padStart(2, "0")).join(":") : "—";
  }

  async function ask() {
    try {
      const answer = await fetch(figures.dataset.live, { headers: { Accept: "application/json", ...(known && { "If-None-Match": known }) } });
      if (answer.status !== 200 && answer.status !== 304) throw new Error(String(answer.status));
      ahead = Number(answer.headers.get("X-Clock")) - Date.now();
      if (answer.status === 200) {
        known = answer.headers.get("ETag");
        held = await answer.json();
        draw();
      }
      broken.hidden = true;
    } catch {
      broken.hidden = false;
    }
    setTimeout(ask, 5000);
  }

  setInterval(tick, 1000);
  ask().then(tick);
})();
