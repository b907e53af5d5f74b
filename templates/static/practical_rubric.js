// The rubric editor: live sums per section, split, drop, add, move, all from the keyboard; saved without leaving the page.
"use strict";

const rubric = document.querySelector("form[data-rubric]");
if (rubric) {
  const body = rubric.querySelector(".rubric-rows tbody");
  const said = rubric.querySelector("[data-said]");
  const problems = rubric.querySelector("[data-problems]");
  const rows = () => [...body.querySelectorAll("tr")];
  const field = (row, name) => row.querySelector(`[name=${name}]`);
  const spoken = (count) => (count / 2).toFixed(1);
  const halves = (text) => {  // typed points as half-points, or null when that cannot be read
    const cleaned = text.trim().normalize("NFKC");
    if (!/^\d+(\.[05]0*)?$/.test(cleaned)) return null;
    return Math.round(Number(cleaned) * 2);
  };
  let changed = false;

  const say = (text, wrong) => { said.textContent = text; said.classList.toggle("wrong", Boolean(wrong)); };
  const sums = () => {
    let all = 0;
    let good = true;
    rubric.querySelectorAll("[data-section]").forEach((place) => {
      const sum = rows().filter((row) => field(row, "kind").value !== "veto" && field(row, "range").value === place.dataset.section)
        .reduce((held, row) => held + (halves(field(row, "most").value) || 0), 0);
      const even = sum === Number(place.dataset.weight);
      place.querySelector("[data-sum]").textContent = spoken(sum);
      place.classList.toggle("even", even);
      place.classList.toggle("off", !even);
      good = good && even;
      all += sum;
    });
    rubric.querySelector("[data-total]").textContent = spoken(all);
    return good;
  };
  const shape = (row) => {  // what a row of this kind needs
    const kind = field(row, "kind");
    const veto = kind.value === "veto";
    const ruled = kind.selectedOptions[0].dataset.shape;
    const most = field(row, "most");
    field(row, "rule").placeholder = ruled;
    field(row, "rule").readOnly = !ruled;
    if (!ruled) field(row, "rule").value = "";
    most.readOnly = veto;
    if (veto) most.value = "";
    row.classList.toggle("bad", Boolean(most.value.trim()) && halves(most.value) === null);
  };
  const refresh = () => {
    rows().forEach(shape);
    const good = sums();
    if (changed) say(good ? "各职业功能的合计都与权重一致，尚未保存。" : "红色的合计与权重不一致，保存前请改正。", !good);
  };
  const touched = () => { changed = true; refresh(); };
  const another = (row) => {
    const made = row.cloneNode(true);
    ["range", "kind"].forEach((name) => { field(made, name).value = field(row, name).value; });
    ["text", "most", "rule"].forEach((name) => { field(made, name).value = ""; });
    return made;
  };
  const split = (row) => {  // half of the points each, on the half-point grid
    const made = another(row);
    const most = field(row, "most");
    const value = halves(most.value) || 0;
    row.after(made);
    if (value > 1) {
      field(made, "most").value = String(Math.floor(value / 2) / 2);
      most.value = String((value - Math.floor(value / 2)) / 2);
    }
    field(made, "text").focus();
    touched();
  };
  const drop = (row) => {
    if (rows().length < 2) return;
    const near = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    field(near, "text").focus();
    touched();
  };
  const move = (row, from, up) => {
    const other = up ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (up) other.before(row); else other.after(row);
    from.focus();
    touched();
  };
  rubric.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (event.target.closest("[data-split]")) split(row);
    else if (event.target.closest("[data-drop]")) drop(row);
    else if (event.target.closest("[data-add]")) {
      const made = another(rows().at(-1));
      body.append(made);
      field(made, "text").focus();
      touched();
    }
  });
  rubric.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody tr");
    if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); rubric.requestSubmit(); return; }
    if (!row || event.isComposing) return;
    if (event.ctrlKey && event.key === "Enter") { event.preventDefault(); split(row); }
    else if (event.ctrlKey && event.key === "Delete") { event.preventDefault(); drop(row); }
    else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) { event.preventDefault(); move(row, event.target, event.key === "ArrowUp"); }
    else if (event.key === "Enter" && event.target.name) {  // down the column, and a new row at its end
      event.preventDefault();
      if (!row.nextElementSibling) { body.append(another(row)); touched(); }
      field(row.nextElementSibling, event.target.name).focus();
    }
  });
  rubric.addEventListener("input", touched);
  rubric.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("正在保存…");
    problems.hidden = true;
    try {
      const response = await fetch(rubric.action, { method: "POST", body: new FormData(rubric), headers: { Accept: "application/json" } });
      const answer = await response.json();
      if (!response.ok) { refused(answer); return; }
      rubric.elements.version.value = answer.version;
      changed = false;
      sessionStorage.removeItem("kept-form:" + location.pathname);
      const kept = rows().filter((row) => field(row, "text").value.trim() || field(row, "most").value.trim());
      kept.forEach((row, place) => { field(row, "rule").value = answer.rules[place]; });
      refresh();
      say(`已保存 ${new Date().toLocaleTimeString("zh-CN", { hour12: false })}，各职业功能的合计都与权重一致。`);
    } catch {
      say("没有保存：网络不通，请稍后再按保存。填写的内容还在本页。", true);
    }
  });
  function refused(answer) {
    say("没有保存。", true);
    const sentence = document.createElement("p");
    sentence.textContent = answer.sentence || "请刷新页面后重试。";
    const list = document.createElement("ul");
    (answer.details || []).forEach((line) => { const item = document.createElement("li"); item.textContent = line; list.append(item); });
    problems.replaceChildren(sentence, list);
    problems.hidden = false;
    problems.scrollIntoView({ block: "nearest" });
  }
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  rubric.querySelector("[data-add]").hidden = false;
  refresh();
}

// The structure of a level: weights of modules and of 职业功能 add up while they are typed.
const structure = document.querySelector("form[data-structure]");
if (structure) {
  const body = structure.querySelector("tbody");
  const halves = (text) => { const value = Number(text.trim().normalize("NFKC")) * 2; return Number.isInteger(value) && value > 0 ? value : 0; };
  const add = () => {
    let all = 0;
    body.querySelectorAll("tr").forEach((row) => {
      const sum = [...row.querySelectorAll("[data-path]")].reduce((held, input) => held + halves(input.value), 0);
      row.querySelector("[data-weight]").textContent = sum / 2;
      all += sum;
      row.querySelector("[name=options]").readOnly = row.querySelector("[name=mode]").value === "required";
      if (row.querySelector("[name=options]").readOnly) row.querySelector("[name=options]").value = "";
    });
    structure.querySelectorAll("[data-column]").forEach((cell) => {
      const sum = [...body.querySelectorAll(`[data-path="${cell.dataset.column}"]`)].reduce((held, input) => held + halves(input.value), 0);
      cell.textContent = `${sum / 2} / ${Number(cell.dataset.want) / 2}`;
      cell.classList.toggle("off", sum !== Number(cell.dataset.want));
      cell.classList.toggle("even", sum === Number(cell.dataset.want));
    });
    structure.querySelector("[data-all]").textContent = all / 2;
  };
  structure.addEventListener("input", add);
  structure.addEventListener("click", (event) => {
    if (event.target.closest("[data-more]")) {
      const made = body.lastElementChild.cloneNode(true);
      made.querySelectorAll("input").forEach((input) => { input.value = input.name === "minutes" ? "60" : ""; });
      made.querySelectorAll("select").forEach((select) => { select.selectedIndex = 0; });
      body.append(made);
      made.querySelector("[name=name]").focus();
    } else if (event.target.closest("[data-less]") && body.children.length > 1) event.target.closest("tr").remove();
    else return;
    add();
  });
  structure.querySelector("[data-more]").hidden = false;
  add();
}

// Ticking all candidates of a list.
document.querySelectorAll("[data-tick]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...button.form.querySelectorAll("[type=checkbox]")];
    const on = !boxes.every((box) => box.checked);
    boxes.forEach((box) => { box.checked = on; });
  });
});
