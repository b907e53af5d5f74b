// A check-list on a phone: every tap is kept on the phone first, then sent; without a network it waits and goes on.
"use strict";

(() => {
  const form = document.querySelector("[data-check]");
  const bar = document.querySelector("[data-check-bar]");
  const told = bar.querySelector("[data-check-state]");
  const submit = document.querySelector("[data-submit-check]");
  const place = form.dataset.check;
  const waiting = new Map(JSON.parse(localStorage.getItem(place) || "[]"));
  let sending = false;
  let broken = "";

  function keep() {
    if (waiting.size) localStorage.setItem(place, JSON.stringify([...waiting]));
    else localStorage.removeItem(place);
  }

  function show() {
    document.querySelector("[data-check-count]").textContent = form.querySelectorAll("input[type=radio]:checked").length;
    bar.classList.toggle("waiting", waiting.size > 0);
    told.textContent = broken || (waiting.size ? `${waiting.size} 项保存在本机，待上传` : "已保存");
    if (submit) submit.querySelector("button").disabled = waiting.size > 0;
  }

  // What was tapped without a network before the page was opened again.
  for (const [point, [verdict, note]] of waiting) {
    const box = form.querySelector(`[data-point="${point}"]`);
    if (!box) { waiting.delete(point); continue; }
    box.querySelector(`input[value="${verdict}"]`).checked = true;
    box.querySelector(".form-control").value = note;
  }

  async function send() {
    if (sending || !waiting.size) { show(); return; }
    sending = true;
    const batch = [...waiting];
    const body = new FormData();
    body.append("csrf_token", form.elements.csrf_token.value);
    for (const [point, [verdict, note]] of batch) {
      body.append(`verdict-${point}`, verdict);
      body.append(`note-${point}`, note);
    }
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.ok) {
        for (const [point, held] of batch) if (waiting.get(point) === held) waiting.delete(point);
        broken = "";
      } else {
        const said = await answer.json().catch(() => ({}));
        broken = said.sentence || "没有保存，正在重试";
        if (said.csrf) form.elements.csrf_token.value = said.csrf;
      }
    } catch {
      broken = `已离线，${waiting.size} 项保存在本机，恢复后自动上传`;
    }
    sending = false;
    keep();
    show();
    if (waiting.size && !broken) send();
  }

  form.addEventListener("change", (event) => {
    const box = event.target.closest("[data-point]");
    const chosen = box && box.querySelector("input[type=radio]:checked");
    if (!chosen) return;
    waiting.set(box.dataset.point, [chosen.value, box.querySelector(".form-control").value]);
    keep();
    send();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  addEventListener("online", send);
  setInterval(send, 5000);
  send();
})();
