// The answer card (答题卡): every number with its state, one press to go there.

export class Card {
  constructor(element, count, go) {
    this.element = element;
    this.count = count;
    this.current = null;
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) go(Number(button.dataset.number));
    });
  }

  build(parts) {
    this.element.replaceChildren(...parts.map((part) => {
      const section = document.createElement("section");
      const heading = document.createElement("h3");
      heading.textContent = part.title;
      const grid = document.createElement("div");
      grid.className = "card-grid";
      for (let number = part.first; number <= part.last; number += 1) {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.number = number;
        button.textContent = number;
        grid.append(button);
      }
      section.append(heading, grid);
      return section;
    }));
    this.buttons = new Map([...this.element.querySelectorAll("button")].map((button) => [Number(button.dataset.number), button]));
  }

  show(number, { answered, flagged, unsaved, current }) {
    const button = this.buttons.get(number);
    button.classList.toggle("is-answered", answered);
    button.classList.toggle("is-flagged", flagged);
    button.classList.toggle("is-unsaved", unsaved);
    button.classList.toggle("is-current", current);
    if (current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    const label = `第 ${number} 题，${answered ? "已答" : "未答"}${flagged ? "，已标记" : ""}${unsaved ? "，未上传" : ""}`;
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    if (current && this.current !== number) button.scrollIntoView({ block: "nearest", behavior: "instant" });
    if (current) this.current = number;
  }

  total({ answered, all, flagged, unsaved }) {
    this.count.textContent = `已答 ${answered} / ${all}${flagged ? `，标记 ${flagged}` : ""}${unsaved ? `，未上传 ${unsaved}` : ""}`;
  }
}
