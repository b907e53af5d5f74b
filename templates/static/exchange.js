// Import: dropped files, live preview of typed text, and the preview grid, whose rows are checked as they are mended.
"use strict";

const zone = document.querySelector("[data-drop]");
if (zone) {
  const input = zone.querySelector("input[type=file]");
  const told = zone.querySelector("[data-dropped]");
  const hint = told.textContent;
  const tell = () => {
    const file = input.files[0];
    const most = Number(zone.dataset.most);
    const large = file && file.size > most * 1024 * 1024;
    told.textContent = !file ? hint : large ? `“${file.name}”有 ${Math.ceil(file.size / 1024 / 1024)} MB，超过 ${most} MB，请拆成几个文件。` : `已选择：${file.name}`;
    told.classList.toggle("problem", Boolean(large));
    input.setCustomValidity(large ? told.textContent : "");
  };
  input.addEventListener("change", tell);
  ["dragover", "dragenter"].forEach((name) => zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); }));
  ["dragleave", "drop"].forEach((name) => zone.addEventListener(name, () => zone.classList.remove("over")));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; tell(); }
  });
}

const typed = document.querySelector("[data-typed]");
if (typed) {
  const shown = document.querySelector("[data-typed-preview]");
  let waiting = null;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const body = new FormData();
    body.set("text", typed.value);
    body.set("csrf_token", document.querySelector("meta[name=csrf-token]").content);
    try {
      const answer = await fetch(typed.dataset.typed, { method: "POST", body });
      const html = await answer.text();
      if (mine === asked) shown.innerHTML = answer.ok ? html : '<p class="problem">预览暂时不可用，可以直接按“检查这些文字”。</p>';
    } catch {
      if (mine === asked) shown.innerHTML = '<p class="problem">网络不通，预览暂时不可用；文字还在。</p>';
    }
  };
  typed.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 400); });
  if (typed.value) ask();
}

document.querySelectorAll("[data-head]").forEach((select) => select.addEventListener("change", () => {
  document.querySelectorAll(`[data-mapping="${select.dataset.head}"] tr[data-line]`).forEach((line) => line.classList.toggle("is-head", line.dataset.line === select.value));
}));
document.querySelectorAll("[data-mapping] select").forEach((select) => select.addEventListener("change", () => select.classList.toggle("chosen", Boolean(select.value))));

// Points are chosen from the tree in a dialog, or typed with the browser's own list.
const dialog = document.querySelector("[data-points]");
let target = null;
if (dialog) {
  const list = dialog.querySelector("[data-point-list]");
  const search = dialog.querySelector("input[type=search]");
  const points = [...document.querySelectorAll("#points option")].map((option) => ({ label: option.value, range: option.dataset.range || "" }));
  const draw = () => {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const found = points.filter((point) => words.every((word) => `${point.label} ${point.range}`.toLowerCase().includes(word)));
    list.replaceChildren();
    let range = null;
    for (const point of found) {
      if (point.range !== range) {
        range = point.range;
        const head = document.createElement("h3");
        head.textContent = range;
        list.append(head);
      }
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = point.label;
      button.addEventListener("click", () => choose(point.label));
      list.append(button);
    }
    if (!found.length) list.textContent = "没有找到，请换一个词。";
  };
  const choose = (label) => {
    dialog.close();
    target.value = label;
    target.dispatchEvent(new Event("change", { bubbles: true }));
    target.focus();
  };
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const only = list.querySelectorAll("button");
    if (only.length === 1) only[0].click();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (!button) return;
    target = document.getElementById(button.dataset.pick);
    search.value = "";
    draw();
    dialog.showModal();
    search.focus();
  });
}

const gridList = document.querySelector("[data-grid]");
if (gridList) {
  const ROW = "[data-row]";
  const rowOf = (id) => gridList.querySelector(`[data-row="${id}"]`);
  const say = (row, text, bad = false) => {
    const place = row.querySelector("[data-saved]");
    if (place) { place.textContent = text; place.classList.toggle("problem", bad); }
  };
  const messages = (place, sentences) => {
    place.replaceChildren(...sentences.map((sentence) => {
      const line = document.createElement("p");
      line.className = "problem";
      line.textContent = sentence;
      return line;
    }));
  };
  // Fields stay as they are while somebody types: only the verdict and the messages change.
  const mark = (row, found) => {
    row.className = `import-row row-${found.verdict}`;
    row.dataset.verdict = found.verdict;
    const state = row.querySelector("[data-state]");
    state.textContent = found.label;
    state.className = `state state-${found.tone}`;
    row.querySelector("[data-stem]").textContent = found.stem || "（没有题干）";
    row.querySelector("[data-facts]").textContent = found.facts;
    const undo = row.querySelector("[data-undo]");
    if (undo) undo.hidden = !found.undo;
    const left = { ...found.errors };
    row.querySelectorAll("[data-cell]").forEach((cell) => {
      const sentences = left[cell.dataset.cell] || [];
      delete left[cell.dataset.cell];
      cell.classList.toggle("bad", sentences.length > 0);
      messages(cell.querySelector("[data-messages]"), sentences);
    });
    const general = row.querySelector("[data-general]");
    const keep = general.querySelector("button");
    messages(general, Object.values(left).flat());
    if (found.duplicate) {
      const line = document.createElement("p");
      line.className = "help";
      line.textContent = `与${found.duplicate}相同，导入时跳过。`;
      general.append(line);
    }
    if (keep && left[""]) general.append(keep);
  };
  const count = (counts) => {
    document.querySelectorAll("[data-count]").forEach((place) => { place.textContent = counts[place.dataset.count]; });
    const apply = document.querySelector("[data-apply]");
    if (apply) {
      apply.hidden = counts.good === 0;
      if (counts.wrong + counts.unmatched === 0) apply.querySelector("form").removeAttribute("data-confirm");
      apply.querySelector("button").textContent = `导入 ${counts.good} 道题`;
    }
  };
  const replace = (row, html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const made = holder.content.querySelector(ROW);
    row.replaceWith(made);
    return made;
  };
  const queue = new Map(); // row → the promise of its newest save: saves of one row go one after the other
  const send = (form, act, redraw) => {
    const id = form.closest(ROW).dataset.row;
    const body = new FormData(form);
    body.set("act", act);
    const before = queue.get(id) || Promise.resolve();
    const sent = before.then(() => save(form.action, id, body, act, redraw));
    queue.set(id, sent.catch(() => null));
    return sent;
  };
  const save = async (address, id, body, act, redraw) => {
    let row = rowOf(id);
    say(row, "正在检查…");
    let answer;
    try {
      const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
      answer = await response.json();
      if (!response.ok) throw new Error(answer.sentence || "没有保存，请重试。");
    } catch (error) {
      say(row, error instanceof TypeError || error instanceof SyntaxError ? "网络不通，没有保存；恢复后再按“保存并重新检查”。" : error.message, true);
      throw error;
    }
    for (const found of answer.rows) {
      const other = rowOf(found.id);
      if (other && !(String(found.id) === id && (act !== "save" || redraw))) mark(other, found);
    }
    if (act !== "save" || redraw) {
      const name = document.activeElement && row.contains(document.activeElement) ? document.activeElement.name : null;
      row = replace(row, answer.html);
      const again = name && row.querySelector(`[name="${CSS.escape(name)}"]`);
      (again || row).focus({ preventScroll: true });
    }
    count(answer.counts);
    const mine = answer.rows.find((found) => String(found.id) === id);
    say(row, mine && mine.verdict === "good" ? "已保存，可以导入。" : "已保存并检查。");
    return row;
  };
  gridList.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-mend]");
    if (form) send(form, "save", event.target.hasAttribute("data-redraw")).catch(() => null);
  });
  gridList.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-mend]");
    if (!form) return;
    event.preventDefault();
    const act = (event.submitter && event.submitter.value) || "save";
    send(form, act, true).catch(() => null);
  });
  gridList.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-open]");
    if (!link) return;
    event.preventDefault();
    const row = link.closest(ROW);
    const open = !row.querySelector(".import-grid");
    try {
      const response = await fetch(`${row.dataset.address}?open=${open ? 1 : 0}`);
      if (!response.ok) throw new Error();
      const made = replace(row, await response.text());
      const first = made.querySelector("textarea, input.form-control");
      if (open && first) first.focus(); else made.focus({ preventScroll: true });
    } catch { location.href = link.href; }
  });
  const next = (back) => {
    const bad = [...gridList.querySelectorAll('[data-verdict="wrong"], [data-verdict="unmatched"]')];
    if (!bad.length) {
      const further = document.querySelector("a[rel=next]");
      if (further) further.focus();
      return;
    }
    const here = document.activeElement && document.activeElement.closest ? document.activeElement.closest(ROW) : null;
    const after = bad.filter((row) => here && row !== here && (here.compareDocumentPosition(row) & (back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING)));
    const row = (back ? after[after.length - 1] : after[0]) || (back ? bad[bad.length - 1] : bad[0]);
    const field = row.querySelector(".field.bad textarea, .field.bad input.form-control, .field.bad select");
    (field || row).focus();
    row.scrollIntoView({ block: "center" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); next(event.key === "ArrowUp"); }
    const form = event.ctrlKey && event.key === "Enter" && event.target.closest("form[data-mend]");
    if (form) { event.preventDefault(); send(form, "save", true).then(() => next(false)).catch(() => null); }
  });
  const button = document.querySelector("[data-next]");
  if (button) button.addEventListener("click", () => next(false));
  const all = document.querySelector("[data-tick-all]");
  if (all) all.addEventListener("change", () => gridList.querySelectorAll("input[name=row]").forEach((box) => { box.checked = all.checked; }));
}
