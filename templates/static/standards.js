// Live sums of weight tables. The server checks again; here the person sees it while typing.
"use strict";

document.body.classList.add("scripted");
const ABSENT = new Set(["", "-", "—", "–", "－", "/"]);

// Half-percent, so that 12.5 + 87.5 is exact; null for absent, NaN for what is no weight.
function halves(text) {
  const cleaned = text.trim().replace("．", ".").replace(/[%％]$/, "").trim();
  if (ABSENT.has(cleaned)) return null;
  if (!/^\d{1,3}(\.[05]0*)?$/.test(cleaned) || Number(cleaned) > 100) return NaN;
  return Math.round(Number(cleaned) * 2);
}
const shown = (sum) => (Number.isNaN(sum) ? "?" : String(sum / 2));
function judge(cell, sum, any) {
  cell.textContent = any ? shown(sum) : "";
  cell.classList.toggle("wrong", any && sum !== 200);
  cell.classList.toggle("right", any && sum === 200);
}
function mark(input) {
  const bad = Number.isNaN(halves(input.value));
  input.classList.toggle("is-invalid", bad);
  input.setAttribute("aria-invalid", String(bad));
}

// Levels side by side: one sum per column.
const grid = document.querySelector("[data-grid]");
if (grid) {
  const sum = () => {
    grid.querySelectorAll("[data-total]").forEach((cell) => {
      const values = [...grid.querySelectorAll(`[data-level="${cell.dataset.total}"]`)].map((input) => halves(input.value));
      judge(cell, values.reduce((total, value) => total + (value ?? 0), 0), values.some((value) => value !== null));
    });
  };
  grid.addEventListener("input", (event) => { if (event.target.dataset.level) mark(event.target); sum(); });
  document.querySelector("[data-more]").addEventListener("click", () => {
    grid.tBodies[0].append(document.querySelector("[data-blank]").content.cloneNode(true));
    grid.tBodies[0].lastElementChild.querySelector("[name=name]").focus();
  });
  sum();
}

// One table as a tree: a parent weighs what its children sum to, the first level sums to 100.
const tree = document.querySelector("[data-tree]");
if (tree) {
  const body = tree.tBodies[0];
  const depth = (row) => Number(row.querySelector("[data-depth]").value);
  const weight = (row) => halves(row.querySelector("[data-weight]").value);
  const sum = () => {
    const rows = [...body.rows];
    rows.forEach((row, place) => {
      const children = [];
      for (let next = place + 1; next < rows.length && depth(rows[next]) > depth(row); next += 1) {
        if (depth(rows[next]) === depth(row) + 1) children.push(weight(rows[next]) ?? 0);
      }
      const below = row.querySelector("[data-below]");
      const total = children.reduce((a, b) => a + b, 0);
      below.textContent = children.length ? shown(total) : "";
      below.classList.toggle("wrong", children.length > 0 && total !== weight(row));
      below.classList.toggle("right", children.length > 0 && total === weight(row));
    });
    const top = rows.filter((row) => depth(row) === 1).map((row) => weight(row) ?? 0);
    const total = top.reduce((a, b) => a + b, 0);
    judge(tree.querySelector("[data-total]"), total, true);
    tree.querySelector("[data-verdict]").textContent = total === 200 ? (body.querySelector("[data-below].wrong") ? "有上级与下级合计不相等" : "合计正确") : total < 200 ? `还差 ${shown(200 - total)}` : Number.isNaN(total) ? "有的比重不是数字" : `多了 ${shown(total - 200)}`;
  };
  const nextCode = (rows) => {
    const codes = rows.map((row) => row.querySelector("[name=segment]").value);
    const last = codes.at(-1) || "";
    if (/^\d+$/.test(last)) return String(Math.max(...codes.filter((code) => /^\d+$/.test(code)).map(Number)) + 1).padStart(last.length, "0");
    for (let code = 65; code <= 90; code += 1) if (!codes.includes(String.fromCharCode(code))) return String.fromCharCode(code);
    return "";
  };
  const add = (row, level) => {
    let after = row;
    while (after.nextElementSibling && depth(after.nextElementSibling) > depth(row)) after = after.nextElementSibling;
    const made = document.querySelector("[data-blank]").content.cloneNode(true).firstElementChild;
    made.querySelector("[data-depth]").value = level;
    made.className = `depth-${level}`;
    after.after(made);
    made.querySelector("[name=segment]").value = nextCode(siblings(made));
    made.querySelector("[name=name]").focus();
  };
  const siblings = (row) => {
    const rows = [...body.rows];
    const level = depth(row);
    let start = rows.indexOf(row);
    while (start > 0 && depth(rows[start - 1]) >= level) start -= 1;
    const found = [];
    for (let place = start; place < rows.length && depth(rows[place]) >= level; place += 1) if (depth(rows[place]) === level && rows[place] !== row) found.push(rows[place]);
    return found;
  };
  body.addEventListener("input", (event) => { if (event.target.matches("[data-weight]")) mark(event.target); sum(); });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (event.target.dataset.add) add(row, Math.min(depth(row) + (event.target.dataset.add === "below" ? 1 : 0), 6));
    if (event.target.matches("[data-drop]")) {
      const gone = [row];
      while (gone.at(-1).nextElementSibling && depth(gone.at(-1).nextElementSibling) > depth(row)) gone.push(gone.at(-1).nextElementSibling);
      const points = gone.reduce((count, one) => count + Number(one.querySelector("[data-drop]").dataset.points || 0), 0);
      if (points && !window.confirm(`保存后会删除 ${gone.length} 个范围和其中 ${points} 个鉴定点，确定吗？`)) return;
      const focus = (row.previousElementSibling || gone.at(-1).nextElementSibling);
      gone.forEach((one) => one.remove());
      if (focus) focus.querySelector("[name=name]").focus();
    }
    sum();
  });
  sum();
}
