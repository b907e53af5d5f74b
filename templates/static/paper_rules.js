// The rules of a specification: sums of shares at once, and what the bank says to them, asked a moment after typing.
"use strict";

const rules = document.querySelector("form[data-rules]");
if (rules) {
  const told = rules.querySelector("[data-check-state]");
  let waiting = null;
  let asked = 0;

  function row(code) { return rules.querySelector(`[data-rule="${code}"]`); }

  function sums() {
    for (const place of rules.querySelectorAll("[data-whole]")) {
      const code = place.closest("[data-rule]").dataset.rule;
      const total = place.dataset.whole.split(" ").reduce((sum, name) => sum + (Number(rules.elements[`${code}-${name}`].value) || 0), 0);
      place.textContent = total === 100 ? "合计 100 %" : `合计 ${total} %，应为 100 %`;
      place.classList.toggle("wrong", total !== 100);
    }
  }

  function modes() {
    for (const line of rules.querySelectorAll("[data-rule]")) {
      const mode = rules.elements[`mode-${line.dataset.rule}`].value;
      for (const name of ["hard", "soft", "off"]) line.classList.toggle(`mode-${name}`, mode === name);
    }
  }

  async function check() {
    const turn = ++asked;
    if (told) told.textContent = "正在核对题库…";
    let answer;
    try {
      const response = await fetch(rules.dataset.rules, { method: "POST", body: new FormData(rules), headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      answer = await response.json();
    } catch {
      if (told && turn === asked) told.textContent = "题库情况没有更新，保存时会再核对。";
      return;
    }
    if (turn !== asked) return; // something was typed meanwhile
    for (const [code, supply] of Object.entries(answer.supply)) {
      const cell = row(code).querySelector("[data-supply]");
      cell.textContent = supply.sentence;
      cell.classList.toggle("short", !supply.enough);
    }
    for (const line of rules.querySelectorAll("[data-rule]")) {
      const problem = answer.problems[line.dataset.rule] || "";
      const place = line.querySelector("[data-problem]");
      place.textContent = problem;
      place.hidden = !problem;
      line.classList.toggle("bad", Boolean(problem));
    }
    const wrong = Object.keys(answer.problems).length;
    if (told) told.textContent = wrong ? `有 ${wrong} 处需要改正` : "已按现在的题库核对";
  }

  rules.addEventListener("input", () => {
    sums();
    modes();
    clearTimeout(waiting);
    waiting = setTimeout(check, 400);
  });
  sums();
  const marked = rules.querySelector(".marked");
  if (marked) {
    marked.scrollIntoView({ block: "center" });
    check();
  }
}
