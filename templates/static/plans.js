// A plan while it is edited: the latest day to send it, and how many people a site needs and has.

const date = document.querySelector("[data-latest]");
if (date) {
  const told = document.getElementById("latest"), scope = document.querySelector("[name=scope_id], [name=plan_id]");
  const ask = async () => {
    if (!date.value || !scope.value) { told.textContent = ""; return; }
    const answer = await fetch(`${date.dataset.latest}?${new URLSearchParams({ starts_on: date.value, [scope.name]: scope.value })}`);
    if (!answer.ok) return;
    const { sentence, late } = await answer.json();
    told.textContent = sentence;
    told.classList.toggle("wrong", late);
  };
  date.addEventListener("input", ask);
  scope.addEventListener("input", ask);
  ask();
}

const form = document.querySelector("[data-site]");
if (form) {
  const part = form.querySelector("[name=part]"), candidates = form.querySelector("[name=candidates]"), room = form.querySelector("[name=room_id]");
  const told = form.querySelector("[data-told]");
  const show = () => {
    for (const box of form.querySelectorAll("[data-part]")) box.hidden = !box.dataset.part.split(" ").includes(part.value);
    const { ratio, least, odd, people } = form.querySelector(`option[value="${part.value}"]`).dataset;
    const count = Number(candidates.value) || 0;
    let needed = Math.max(Number(least), Number(ratio) ? Math.ceil(count / Number(ratio)) : 0);
    if (odd === "1" && needed % 2 === 0) needed += 1;
    const held = form.querySelectorAll(`[name="staff_${part.value}"]:checked`).length;
    const enough = held >= needed && !(odd === "1" && held % 2 === 0);
    told.textContent = `${people}：需要 ${needed} 人${odd === "1" ? "（单数）" : ""}，已选 ${held} 人${enough ? "，符合要求" : held < needed ? `，还差 ${needed - held} 人` : "，应为单数"}。`;
    told.classList.toggle("wrong", !enough);
  };
  room?.addEventListener("input", () => { candidates.value = room.selectedOptions[0]?.dataset.seats ?? candidates.value; show(); });
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
}
