// What every page needs: the menu on small screens, questions before what cannot be undone, kept drafts, job progress.
"use strict";

document.querySelectorAll("[data-toggle-menu]").forEach((button) => {
  button.addEventListener("click", () => {
    const open = document.getElementById("side").classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
  });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (form.method === "post" && form.hasAttribute("data-keep")) keep(form);
});

document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
document.querySelectorAll("select[data-submit]").forEach((select) => select.addEventListener("change", () => select.form.submit()));

// A form that a rule refused is filled again when the person comes back to it.
const KEPT = "kept-form:";
function keep(form) {
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token" && !name.includes("password"));
  const action = form.getAttribute("action") || "";
  sessionStorage.setItem(KEPT + location.pathname, JSON.stringify({ action, place: keeping(action).indexOf(form), fields }));
}
// A page may have several such forms, and several with one action: only the one that was sent is filled.
function keeping(action) {
  return [...document.querySelectorAll("form[data-keep]")].filter((form) => (form.getAttribute("action") || "") === action);
}
const drafts = Object.keys(sessionStorage).filter((key) => key.startsWith(KEPT));
if (!document.body.classList.contains("page-refused")) {
  const draft = JSON.parse(sessionStorage.getItem(KEPT + location.pathname));
  const waiting = draft && keeping(draft.action)[draft.place];
  if (waiting && !document.querySelector(".notice-success")) fill(waiting, draft.fields);
  drafts.forEach((key) => sessionStorage.removeItem(key));
}
function fill(form, fields) {
  const values = new Map();
  fields.forEach(([name, value]) => values.set(name, [...(values.get(name) || []), value]));
  for (const element of form.elements) {
    if (!element.name || element.type === "file" || element.type === "hidden" || element.type === "password") continue;
    const held = values.get(element.name);
    if (element.type === "checkbox" || element.type === "radio") element.checked = Boolean(held && held.includes(element.value));
    else if (element.multiple) for (const option of element.options) option.selected = Boolean(held && held.includes(option.value));
    else if (held) element.value = held.shift() ?? element.value;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// A job page follows its job and goes to the result when it is done.
const job = document.querySelector("[data-job]");
if (job && !["done", "refused", "failed"].includes(job.dataset.state)) follow(job);
async function follow(element) {
  const began = Date.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    let progress;
    try {
      const response = await fetch(element.dataset.job, { headers: { Accept: "application/json" } });
      progress = await response.json();
    } catch {
      continue; // the network is away for a moment; the work goes on
    }
    if (progress.state === "done" && progress.result) { location.replace(progress.result); return; }
    if (["refused", "failed"].includes(progress.state)) { location.reload(); return; }
    element.querySelector("[data-job-message]").textContent = progress.message || "正在处理…";
    const bar = element.querySelector("[data-job-bar]");
    if (progress.total) {
      bar.max = progress.total;
      bar.value = progress.done;
      const seconds = (Date.now() - began) / 1000;
      const left = progress.done ? Math.ceil(seconds * (progress.total - progress.done) / progress.done) : null;
      element.querySelector("[data-job-rate]").textContent = `${progress.done} / ${progress.total}` + (left === null ? "" : `，约还需 ${left} 秒`);
    }
  }
}
