// Tables that are typed in: rows are added and dropped, cells copied in Excel are pasted over several rows and columns.
"use strict";

document.querySelectorAll("[data-grid]").forEach((grid) => {
  const form = grid.closest("form");
  const body = grid.tBodies[0];
  const add = form.querySelector("[data-add-line]");
  if (!add) return; // read only
  const lines = () => [...body.querySelectorAll("[data-line]")];
  const fields = (line) => [...line.querySelectorAll("input:not([type=hidden]), select")].filter((field) => !field.closest("[hidden]"));
  const number = () => lines().forEach((line, place) => { line.querySelector("[data-number]").textContent = place + 1; });
  const append = () => {
    const made = lines().at(-1).cloneNode(true);
    made.querySelectorAll("input").forEach((field) => { field.value = ""; });
    made.querySelectorAll("select").forEach((field) => { field.selectedIndex = 0; });
    body.append(made);
    number();
    return made;
  };
  const put = (field, text) => {
    if (field.tagName !== "SELECT") { field.value = text; return; }
    let found = [...field.options].find((option) => option.textContent.trim() === text || option.value === text);
    if (!found && text) { found = new Option(text, text); field.add(found); } // the server says what it should be
    field.selectedIndex = found ? found.index : 0;
  };

  add.hidden = false;
  add.addEventListener("click", () => fields(append())[0].focus());
  grid.querySelectorAll("[data-drop-line]").forEach((button) => { button.hidden = false; });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-drop-line]");
    if (!button) return;
    if (lines().length === 1) append();
    button.closest("[data-line]").remove();
    number();
  });
  body.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain").replace(/\r/g, "").replace(/\n$/, "");
    if (!/[\t\n]/.test(text)) return; // a single value goes into its field
    event.preventDefault();
    const line = event.target.closest("[data-line]");
    const column = fields(line).indexOf(event.target);
    const first = lines().indexOf(line);
    text.split("\n").forEach((row, place) => {
      const target = lines()[first + place] || append();
      row.split("\t").forEach((cell, offset) => {
        const field = fields(target)[column + offset];
        if (field) put(field, cell.trim());
      });
    });
  });
  number();
});
