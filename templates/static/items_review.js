// Review by keyboard: the blind answer, then the verdict; ticking submitted items that are dealt out.
"use strict";

const reviewing = document.querySelector("[data-review]");
if (reviewing) {
  const blind = reviewing.querySelector("[data-blind]");
  const comment = document.getElementById("comment");
  const estimate = document.getElementById("estimate");
  const typing = (target) => target.matches("textarea, input:not([type=radio]):not([type=checkbox])");
  const button = (key) => reviewing.querySelector(`[data-key="${key}"]`);
  const judge = (key) => {
    if (key !== "1" && !comment.value.trim()) comment.focus();
    else if (key === "1" && !estimate.value.trim()) estimate.focus();
    else if (button(key)) button(key).click();
  };
  const choose = (key) => {
    const box = blind.querySelector(`input[name=answer][value="${key.toUpperCase()}"]`);
    if (!box || !box.matches("[type=radio], [type=checkbox]")) return false;
    box.checked = box.type === "radio" || !box.checked;
    box.focus();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const key = event.key.toLowerCase();
    if (typing(event.target)) {
      if (key === "escape") event.target.blur();
      else if (key === "enter" && event.target === estimate) { event.preventDefault(); judge("1"); }
      return;
    }
    if (event.target.matches("a, button, summary") && key === "enter") return;
    let taken = true;
    if (blind && /^[a-j]$/.test(key)) taken = choose(key) || false;
    else if (blind && (key === "t" || key === "f")) taken = choose(key);
    else if (blind && key === "enter") button("enter").click();
    else if (!blind && comment && ["1", "2", "3"].includes(key)) judge(key);
    else if (!blind && comment && key === "e") estimate.focus();
    else if (!blind && comment && key === "c") comment.focus();
    else if ((key === "n" || key === "u") && button(key)) button(key).click();
    else taken = false;
    if (taken) event.preventDefault();
  });
  const first = blind && blind.querySelector("input:not([type=hidden]):not([type=radio]):not([type=checkbox]), textarea");
  if (first) first.focus();
}

const table = document.querySelector("[data-tick-table]");
if (table) {
  const boxes = [...table.querySelectorAll("input[name=version]")];
  const every = table.querySelector("[data-tick-every]");
  const told = document.querySelector("[data-count-ticked]");
  const ticked = document.querySelector("input[name=which][value=ticked]");
  const tell = () => { told.textContent = boxes.filter((box) => box.checked).length; };
  every.addEventListener("change", () => { boxes.forEach((box) => { box.checked = every.checked; }); ticked.checked = true; tell(); });
  boxes.forEach((box) => box.addEventListener("change", () => { ticked.checked = true; tell(); }));
  tell();
}
