// The bank's list: ticking rows, which columns are shown and how dense (remembered on this machine).
"use strict";

const ticks = document.querySelector("[data-ticks]");
if (ticks) {
  const boxes = [...ticks.querySelectorAll("input[name=version]")];
  const all = ticks.querySelector("[data-tick-all]");
  const told = ticks.querySelector("[data-ticked]");
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    if (told) told.textContent = count ? `已勾选 ${count} 道` : "勾选试题后可以一起办理";
    if (all) {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    }
  };
  if (all) all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); tell(); });
  let last = null; // shift ticks everything between
  boxes.forEach((box, place) => box.addEventListener("click", (event) => {
    if (event.shiftKey && last !== null) {
      for (let k = Math.min(last, place); k <= Math.max(last, place); k += 1) boxes[k].checked = box.checked;
    }
    last = place;
    tell();
  }));
  tell();
}

const table = document.querySelector("table[data-table]");
const chooser = document.querySelector("[data-columns]");
if (table && chooser) {
  const place = `columns:${table.dataset.table}`;
  let kept = { hidden: ["last", "made", "importance"], dense: false };
  try { kept = { ...kept, ...JSON.parse(localStorage.getItem(place) || "{}") }; } catch { /* somebody else's writing: as at first */ }
  const show = () => {
    table.querySelectorAll("[data-column]").forEach((cell) => { cell.hidden = kept.hidden.includes(cell.dataset.column); });
    table.classList.toggle("dense", kept.dense);
    try { localStorage.setItem(place, JSON.stringify(kept)); } catch { /* not remembered then */ }
  };
  const offer = (title, checked, change) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = checked;
    box.addEventListener("change", () => { change(box.checked); show(); });
    label.append(box, ` ${title}`);
    chooser.append(label);
  };
  table.querySelectorAll("th[data-column]").forEach((head) => {
    const name = head.dataset.column;
    offer(head.textContent.replace(/[▲▼]/g, "").trim(), !kept.hidden.includes(name), (shown) => {
      kept.hidden = kept.hidden.filter((other) => other !== name).concat(shown ? [] : [name]);
    });
  });
  offer("紧凑显示", kept.dense, (dense) => { kept.dense = dense; });
  show();
}
