// Typing an item: the fields that its kind needs, insertion at the cursor, pictures, the preview, trying an answer.
"use strict";

const form = document.querySelector("[data-item-form]");
const token = document.querySelector("meta[name=csrf-token]").content;
const all = (selector, inside = form) => [...inside.querySelectorAll(selector)];
const one = (selector, inside = form) => inside.querySelector(selector);
const kind = () => (one("input[name=kind]:checked") || {}).value;

async function ask(address, body) {
  const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": token, Accept: "application/json" } });
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error([told.sentence || "网络不通，请稍后再试。", ...(told.details || [])].join(" "));
}

// --- what the kind needs ---

const optionLines = all(".option-line");
const text = (line) => one("textarea", line);
const tick = (line) => one("input", line);
let shownOptions = Math.max(4, optionLines.reduce((last, line, place) => (text(line).value ? place + 1 : last), 0));

function arrange() {
  all("[data-for]").forEach((part) => { part.hidden = !part.dataset.for.split(" ").includes(kind()); });
  optionLines.forEach((line, place) => {
    line.hidden = place >= shownOptions;
    one("[data-drop-option]", line).hidden = shownOptions <= 2;
  });
  one("[data-add-option]").hidden = shownOptions >= optionLines.length;
  const chosen = one("#material").value;
  one("[data-new-material]").hidden = chosen !== "new";
  one("[data-another]").hidden = chosen === "";
  countBlanks();
  sumGuide();
}

one("[data-add-option]").addEventListener("click", () => {
  shownOptions += 1;
  arrange();
  text(optionLines[shownOptions - 1]).focus();
});
all("[data-drop-option]").forEach((button, dropped) => button.addEventListener("click", () => {
  for (let place = dropped; place < shownOptions; place += 1) {
    const next = optionLines[place + 1];
    text(optionLines[place]).value = next && place + 1 < shownOptions ? text(next).value : "";
    tick(optionLines[place]).checked = Boolean(next && place + 1 < shownOptions && tick(next).checked);
  }
  shownOptions -= 1;
  changed();
  text(optionLines[Math.min(dropped, shownOptions - 1)]).focus();
}));

form.addEventListener("change", (event) => {
  if (event.target.name === "key" && event.target.checked && kind() === "single") {
    all("input[name=key]").forEach((box) => { if (box !== event.target) box.checked = false; });
  }
  changed();
});
form.addEventListener("input", () => changed());
// In an option and in a step of the guide, Enter goes on to the next one; Shift+Enter makes a line.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches(".option-line textarea, [data-guide] textarea, [data-guide] input")) return;
  event.preventDefault();
  const fields = all(".option-line:not([hidden]) textarea, [data-guide] input, [data-guide] textarea").filter((field) => field.offsetParent);
  const next = fields[fields.indexOf(event.target) + 1];
  if (next) next.focus();
});

// --- marking guide ---

const guide = one("[data-guide]");
function dropStep(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const row = button.closest("tr");
    if (guide.rows.length > 1) row.remove();
    else all("input, textarea", row).forEach((field) => { field.value = ""; });
    changed();
  });
}
all("[data-drop-step]").forEach(dropStep);
one("[data-add-step]").hidden = false;
one("[data-add-step]").addEventListener("click", () => {
  const row = guide.rows[guide.rows.length - 1].cloneNode(true);
  all("input, textarea", row).forEach((field) => { field.value = ""; });
  guide.append(row);
  dropStep(one("[data-drop-step]", row));
  one("input", row).focus();
});
function sumGuide() {
  const points = all("input[name=guide_points]").map((field) => Number(field.value.trim() || 0));
  const sum = points.reduce((total, value) => total + value, 0);
  one("[data-guide-total]").textContent = points.some(Number.isNaN) || !sum ? "" : `现在共 ${sum} 分。`;
}

// --- blanks, and trying an answer ---

const tryBox = one("[data-try-answer]");
const tryFields = one("[data-try-fields]");
let tried = 0;
function countBlanks() {
  if (kind() !== "fill") return;
  const inStem = (one("#stem").value.match(/[_＿]{2,}/g) || []).length;
  const lines = one("#fill_key").value.split("\n").filter((line) => line.trim()).length;
  one("[data-blank-count]").textContent = inStem === lines ? `题干有 ${inStem} 个空，答案 ${lines} 行。` : `题干有 ${inStem} 个空，答案有 ${lines} 行，应当一样多。`;
  tryBox.hidden = !lines;
  while (tryFields.children.length > lines) tryFields.lastChild.remove();
  while (tryFields.children.length < lines) {
    const label = document.createElement("label");
    const field = document.createElement("input");
    field.className = "form-control";
    field.setAttribute("aria-label", `试答第 ${tryFields.children.length + 1} 空`);
    field.addEventListener("input", (event) => { event.stopPropagation(); later("try", tryAnswers); });
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    label.append(`第 ${tryFields.children.length + 1} 空`, field, document.createElement("output"));
    tryFields.append(label);
  }
}

async function tryAnswers() {
  const body = new FormData();
  body.set("fill_key", one("#fill_key").value);
  const fields = all("input", tryFields);
  fields.forEach((field) => body.append("answer", field.value));
  const mine = tried += 1;
  const told = one("[data-try-told]");
  try {
    const { accepted, means, sentence } = await (await ask(form.dataset.try, body)).json();
    if (mine !== tried) return;
    told.textContent = sentence || means.map((line, place) => `第 ${place + 1} 空接受：${line}`).join("；");
    fields.forEach((field, place) => {
      const output = field.nextSibling;
      output.textContent = !field.value.trim() || accepted[place] === undefined ? "" : accepted[place] ? "✓ 对" : "✗ 不对";
      output.className = accepted[place] ? "is-right" : "is-wrong";
    });
  } catch (error) {
    told.textContent = error.message;
  }
}

// --- insertion at the cursor, pictures ---

const fieldOf = (tools) => {
  const beside = one("textarea", tools.parentElement);
  const last = document.activeElement;
  return tools.contains(last) || !form.contains(last) || last.tagName !== "TEXTAREA" ? beside : last;
};
function insert(field, before, after = "") {
  const chosen = field.value.slice(field.selectionStart, field.selectionEnd);
  field.focus();
  // execCommand keeps the browser's own undo.
  if (!document.execCommand("insertText", false, before + chosen + after)) field.setRangeText(before + chosen + after, field.selectionStart, field.selectionEnd, "end");
  if (after && !chosen) field.setSelectionRange(field.selectionEnd - after.length, field.selectionEnd - after.length);
  changed();
}
all("[data-insert]").forEach((button) => {
  button.addEventListener("mousedown", (event) => event.preventDefault()); // the cursor stays where it is
  button.addEventListener("click", () => insert(fieldOf(button.closest(".text-tools")), button.dataset.insert, button.dataset.after));
});

const file = one("[data-picture-file]");
let pictureFor = null;
all("[data-picture]").forEach((button) => {
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => { pictureFor = fieldOf(button.closest(".text-tools")); file.click(); });
});
file.addEventListener("change", () => { if (file.files[0]) upload(pictureFor, file.files[0]); file.value = ""; });
async function upload(field, picture) {
  const problem = document.querySelector("[data-preview-problem]");
  const body = new FormData();
  body.set("school", form.dataset.school);
  body.set("picture", picture, picture.name === "image.png" ? ".png" : picture.name);
  problem.textContent = "正在上传图片…";
  try {
    const { markup } = await (await ask(form.dataset.pictures, body)).json();
    problem.textContent = "";
    insert(field, markup);
  } catch (error) {
    problem.textContent = error.message;
  }
}
const pictureOf = (data) => [...(data ? data.files : [])].find((found) => found.type.startsWith("image/"));
form.addEventListener("paste", (event) => {
  const found = pictureOf(event.clipboardData);
  if (!found || event.target.tagName !== "TEXTAREA") return;
  event.preventDefault();
  upload(event.target, found);
});
form.addEventListener("dragover", (event) => {
  if (event.target.tagName === "TEXTAREA" && [...event.dataTransfer.items].some((item) => item.kind === "file")) event.preventDefault();
});
form.addEventListener("drop", (event) => {
  const found = pictureOf(event.dataTransfer);
  if (!found || event.target.tagName !== "TEXTAREA") return;
  event.preventDefault();
  upload(event.target, found);
});

// --- preview ---

const here = document.querySelector("[data-preview-here]");
const waiting = {};
let asked = 0;
function later(name, act) {
  clearTimeout(waiting[name]);
  waiting[name] = setTimeout(act, 450);
}
async function preview() {
  const mine = asked += 1;
  const problem = document.querySelector("[data-preview-problem]");
  const body = new FormData(form);
  body.delete("csrf_token");
  body.delete("then");
  try {
    const shown = await (await ask(form.dataset.preview, body)).text();
    if (mine !== asked) return;
    here.innerHTML = shown; // the server's own template; texts in it are cleaned there
    problem.textContent = "";
  } catch (error) {
    if (mine === asked) problem.textContent = error.message;
  }
}
function changed() {
  arrange();
  later("preview", preview);
  if (kind() === "fill" && all("input", tryFields).some((field) => field.value)) later("try", tryAnswers);
}

arrange();
if (one("#stem").value || one("#material").value) preview();
window.addEventListener("pageshow", () => setTimeout(changed, 0)); // a kept form is filled again after this script ran
