// Assessors' mark pages, and picking people for a group.
"use strict";

document.querySelectorAll("[data-step], [data-set], [data-all]").forEach((button) => { button.hidden = false; });
const halves = (text) => {  // typed points as half-points, or null when that cannot be read
  const cleaned = text.trim().normalize("NFKC");  // a Chinese keyboard may type full-width digits
  if (!/^\d+(\.\d+)?$/.test(cleaned)) return null;
  const doubled = Number(cleaned) * 2;
  return Number.isInteger(doubled) ? doubled : null;
};
const spoken = (count) => (count / 2).toFixed(1);

// Marking: steppers, live total, drafts sent while typing. What the server has not acknowledged is kept in this tab.
const marking = document.querySelector("form[data-marking]");
if (marking) {
  const signed = marking.hasAttribute("data-signed");
  const total = marking.querySelector("[data-total]");
  const status = marking.querySelector("[data-saved]");
  const inputs = [...marking.querySelectorAll(".score")];
  const weight = (input) => Number(input.dataset.percent || 100);
  const add = () => {
    const counted = (input) => { const value = halves(input.value); return value !== null && value <= Number(input.dataset.most) * 2 ? value : 0; };
    const hundredths = inputs.reduce((sum, input) => sum + counted(input) * weight(input), 0);
    const both = inputs.every((input) => halves(input.value) !== null);
    if (marking.hasAttribute("data-weighted")) total.textContent = both ? (Math.floor(hundredths / 2) / 100).toFixed(2) : "—";
    else total.textContent = spoken(hundredths / 100);
  };
  const judge = (input) => {
    const value = halves(input.value);
    const most = Number(input.dataset.most);
    const wrong = input.value.trim() !== "" && (value === null || value > most * 2);
    const row = input.closest(".mark-row");
    row.classList.toggle("bad", wrong);
    row.querySelector("[data-problem]").textContent = wrong ? `应填写 0 到 ${most} 之间的分数，可带 .5。` : "";
    return !wrong;
  };
  marking.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step], [data-set]");
    if (!button || signed) return;
    const input = button.closest(".mark-row").querySelector(".score");
    const most = Number(input.dataset.most) * 2;
    const value = "set" in button.dataset ? Number(button.dataset.set) * 2
      : Math.min(most, Math.max(0, (halves(input.value) || 0) + Number(button.dataset.step) * 2));
    input.value = String(value / 2);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  marking.addEventListener("keydown", (event) => {  // Enter goes to the next row and never signs by accident
    if (event.key !== "Enter" || !event.target.classList.contains("score")) return;
    event.preventDefault();
    const next = inputs[inputs.indexOf(event.target) + 1];
    if (next) next.focus();
  });
  if (marking.dataset.draft && signed) sessionStorage.removeItem(marking.dataset.key);
  if (marking.dataset.draft && !signed) keepDraft();
  if (marking.hasAttribute("data-keep")) marking.addEventListener("input", () => keep(marking));  // site.js fills it again
  marking.addEventListener("input", (event) => {
    if (event.target.classList.contains("score")) judge(event.target);
    add();
  });
  add();

  function keepDraft() {
    const key = marking.dataset.key;
    const pending = new Map(Object.entries(JSON.parse(sessionStorage.getItem(key) || "{}")));
    let timer = 0;
    let sending = false;
    const store = () => pending.size ? sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(pending))) : sessionStorage.removeItem(key);
    const say = (text, wrong) => { status.textContent = text; status.classList.toggle("wrong", Boolean(wrong)); };
    pending.forEach((text, row) => {  // typed before a reload and never acknowledged
      marking.querySelectorAll(`[name="row-${row}"]`).forEach((field) => {
        if (field.type === "radio") field.checked = field.value === text; else field.value = text;
      });
    });
    const later = (wait) => { clearTimeout(timer); timer = setTimeout(send, wait); };
    if (pending.size) later(0);
    marking.addEventListener("input", (event) => {
      const field = event.target;
      if (!field.name || !field.name.startsWith("row-")) return;
      if (field.classList.contains("score") && !judge(field)) return;  // not sent until it can be read
      pending.set(field.name.slice(4), field.value);
      store();
      say("正在保存…");
      later(700);
    });
    let leaving = false;
    document.addEventListener("submit", async (event) => {  // on the document: after the question that may have stopped it
      if (event.target !== marking || event.defaultPrevented) return;
      event.preventDefault();  // without a network the browser would leave the page, and what was typed with it
      const act = document.createElement("input");
      Object.assign(act, { type: "hidden", name: event.submitter.name, value: event.submitter.value });
      if (leaving) return;
      leaving = true;
      leaving = await delivered();
      if (!leaving) return;
      marking.append(act);
      marking.submit();
    });
    async function delivered() {  // whether the server can be reached and has every mark that can be read
      clearTimeout(timer);
      say("正在保存…");
      while (sending) await new Promise((resolve) => setTimeout(resolve, 100));
      return send(true);
    }
    async function send(probing = false) {
      if (sending || !(pending.size || probing)) return false;
      sending = true;
      const sent = new Map(pending);
      try {
        const response = await fetch(marking.dataset.draft, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content },
          body: JSON.stringify({ marks: Object.fromEntries(sent) }),
        });
        if (response.status === 401 && probing) return true;  // the form itself is kept while its sender signs in again
        const answer = await response.json();
        if (!response.ok) {  // refused: trying again would not help, the sentence says what to do
          say(answer.sentence, true);
          if (response.status === 503) later(3000);
          return false;
        }
        sent.forEach((text, row) => { if (pending.get(row) === text) pending.delete(row); });
        store();
        say(`草稿已保存 ${answer.saved_at}` + (answer.left ? `，还有 ${answer.left} 项` : "，各项已评"));
        if (pending.size) later(700);
        return true;
      } catch {
        say(probing ? "网络不通，没有提交。评分已留在本机，恢复后自动保存，请届时再按一次" : "网络不通，评分已留在本机，恢复后自动保存", true);
        later(3000);
        return false;
      } finally {
        sending = false;
      }
    }
    window.addEventListener("beforeunload", (event) => { if (pending.size && !leaving) event.preventDefault(); });
  }
}

// Picking a group: all candidates at once, and the ratio while choosing.
const picking = document.querySelector("form[data-ratio]");
if (picking) {
  const count = (name) => picking.querySelectorAll(`[name=${name}]:checked`).length;
  const note = picking.querySelector("[data-note]");
  const tell = () => {
    const assessors = count("assessor");
    const candidates = count("enrolment");
    const limit = assessors * Number(picking.dataset.ratio);
    const lines = [`已选考评员 ${assessors} 人、考生 ${candidates} 名。`];
    if (assessors < Number(picking.dataset.least) || (picking.dataset.odd === "1" && assessors % 2 === 0)) lines.push("考评员人数还不符合要求。");
    if (assessors && candidates > limit) lines.push(`按配比同时最多考核 ${limit} 名，请分批入场或增设考核组。`);
    note.textContent = lines.join("");
  };
  picking.addEventListener("change", tell);
  const all = picking.querySelector("[data-all]");
  all.addEventListener("click", () => {
    const boxes = [...picking.querySelectorAll(`[name=${all.dataset.all}]`)];
    const on = !boxes.every((box) => box.checked);
    boxes.forEach((box) => { box.checked = on; });
    tell();
  });
  tell();
}
