// A table with boxes: the one in the head ticks all that are shown; the count stands where the page says.
document.querySelectorAll("[data-tick-every]").forEach((every) => {
  const boxes = [...every.closest("table").querySelectorAll("tbody input[type=checkbox]")];
  const told = document.querySelector("[data-ticked-count]");
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    every.checked = count > 0 && count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    if (told) told.textContent = count;
  };
  every.addEventListener("change", () => { boxes.forEach((box) => { box.checked = every.checked; }); show(); });
  boxes.forEach((box) => box.addEventListener("change", show));
  show();
});
