// The bank: ticking a page of drafts, the fields that a kind of item needs.
"use strict";

const ticks = document.querySelector("[data-ticks]");
if (ticks) {
  const boxes = [...ticks.querySelectorAll("input[name=version]")];
  const all = ticks.querySelector("[data-tick-all]");
  const told = ticks.querySelector("[data-ticked]");
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    if (told) told.textContent = count ? `已勾选 ${count} 道草稿` : "勾选草稿后可以一起提交";
    if (all) {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
      all.disabled = boxes.length === 0;
    }
  };
  if (all) all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); tell(); });
  boxes.forEach((box) => box.addEventListener("change", tell));
  tell();
}

const itemForm = document.querySelector("[data-item-form]");
if (itemForm) {
  const choices = itemForm.querySelector("[data-choices]");
  const judgement = itemForm.querySelector("[data-judgement]");
  const lines = [...choices.querySelectorAll(".option-line")];
  const arrange = () => {
    const kind = (itemForm.querySelector("input[name=kind]:checked") || {}).value;
    choices.hidden = kind === "judge";
    judgement.hidden = kind !== "judge";
    const last = lines.reduce((found, line, index) => (line.querySelector("input.form-control").value ? index : found), 2);
    lines.forEach((line, index) => { line.hidden = index > Math.max(3, last + 1); });
  };
  itemForm.addEventListener("change", (event) => {
    const single = itemForm.querySelector("input[name=kind][value=single]").checked;
    if (event.target.name === "key" && event.target.checked && single) {
      itemForm.querySelectorAll("input[name=key]").forEach((box) => { if (box !== event.target) box.checked = false; });
    }
    arrange();
  });
  itemForm.addEventListener("input", arrange);
  arrange();
}
