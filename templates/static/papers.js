// The form of a paper: presets fill the rows, subtotals and the total follow every key stroke.
"use strict";

const parts = document.querySelector("form[data-parts]");
if (parts) {
  const preset = parts.elements.preset;
  const shapes = JSON.parse(preset.dataset.preset);
  const rows = [...parts.querySelectorAll("tbody tr")].filter((row) => row.querySelector("[data-subtotal]"));

  function shown(points) { return String(Math.round(points * 10) / 10); }

  function reckon() {
    let items = 0;
    let total = 0;
    for (const row of rows) {
      const kind = row.querySelector("select").value;
      const [count, worth] = [...row.querySelectorAll("input")].map((input) => Number(input.value) || 0);
      const points = kind ? count * worth : 0;
      row.querySelector("[data-subtotal]").textContent = points ? shown(points) : "";
      items += kind ? count : 0;
      total += points;
    }
    parts.querySelector("[data-items]").textContent = `${items} 题`;
    const cell = parts.querySelector("[data-total]");
    cell.textContent = total === 100 ? "100 分" : `${shown(total)} 分，应为 100 分`;
    cell.classList.toggle("wrong", total !== 100);
    cell.classList.toggle("right", total === 100);
  }

  function choose() {
    const shape = shapes[preset.value];
    rows.forEach((row, i) => {
      const fields = [row.querySelector("select"), ...row.querySelectorAll("input")];
      fields.forEach((field, k) => {
        if (shape) field.value = shape[i][k];
        field.disabled = Boolean(shape); // a preset is sent by its name
      });
    });
    reckon();
  }

  preset.addEventListener("input", choose);
  parts.addEventListener("input", reckon);
  choose();
}
