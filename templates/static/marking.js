// Marking of written answers by keyboard: points line by line, the sum beside them.
"use strict";

const form = document.querySelector("form[data-mark-form]");
const opened = performance.now();
if (form) {
  const steps = [...form.querySelectorAll(".step-points")];
  const sum = form.querySelector("[data-sum]");
  const add = () => {
    const values = steps.map((input) => input.value === "" ? NaN : Number(input.value));
    const total = values.reduce((all, value) => all + value, 0);
    sum.textContent = Number.isNaN(total) ? "—" : String(total);
  };
  const set = (input, value) => { input.value = value; add(); };
  const onward = (input) => {
    const following = steps[steps.indexOf(input) + 1];
    if (following) { following.focus(); following.select(); } else form.requestSubmit();
  };
  form.addEventListener("input", add);
  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || !event.target.classList.contains("step-points")) return;
    const act = {
      Enter: () => onward(event.target),
      f: () => { set(event.target, event.target.max); onwardUnlessLast(event.target); },
      z: () => { set(event.target, "0"); onwardUnlessLast(event.target); },
      g: () => steps.forEach((input) => set(input, input.max)),
      b: () => steps.forEach((input) => set(input, "0")),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const onwardUnlessLast = (input) => { if (steps.indexOf(input) < steps.length - 1) onward(input); };
  form.addEventListener("submit", () => {
    const seconds = form.querySelector("input[name=seconds]");
    if (seconds) seconds.value = String(Math.round((performance.now() - opened) / 1000));
  });
  add();
}
document.addEventListener("keydown", (event) => {
  const undo = document.querySelector("form[data-undo]");
  if (undo && event.altKey && event.key.toLowerCase() === "u") { event.preventDefault(); undo.requestSubmit(); }
});
