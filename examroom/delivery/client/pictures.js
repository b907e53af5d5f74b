// Pictures: fetched ahead so that a page without its server still shows them, asked for again when they failed, and
// large in a dialog of their own, by mouse or keyboard.

const AHEAD = 10_000; // ms over which a room's pages fetch what they do not show yet
const AGAIN = 5_000;
const held = new Map();

export function dressPictures(element) {
  for (const picture of element.querySelectorAll("img.picture")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "zoom", textContent: "放大" });
    button.setAttribute("aria-label", `放大图片：${picture.alt}`);
    const frame = Object.assign(document.createElement("span"), { className: "zoomable" });
    picture.replaceWith(frame);
    picture.draggable = false;
    picture.addEventListener("error", () => setTimeout(() => { picture.src = picture.src.replace(/(#.*)?$/, `#${Date.now()}`); }, AGAIN));
    frame.append(picture, button);
  }
}

// The addresses in these texts, each once.
export function addressesIn(texts) {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/<img[^>]*\ssrc="([^"]+)"/g)].map((found) => found[1])))]
    .filter((address) => !address.startsWith("data:"));
}

export function fetchAhead({ questions, materials }) {
  const texts = [...questions.flatMap((question) => [question.stem, ...(question.options || [])]), ...materials];
  addressesIn(texts).forEach((address) => setTimeout(() => load(address), Math.random() * AHEAD));
}

function load(address) {
  const picture = new Image();
  picture.onerror = () => setTimeout(() => load(address), AGAIN);
  picture.src = address;
  held.set(address, picture); // or the browser might forget it before it is shown
}

const STEPS = [1, 1.5, 2, 3, 4];

export class Zoom {
  constructor(dialog, { frame, larger, smaller, close }) {
    Object.assign(this, { dialog, frame, step: 0 });
    document.addEventListener("click", (event) => {
      const place = event.target.closest(".zoomable");
      if (!place || (event.target.closest("label") && !event.target.closest(".zoom"))) return; // an option's picture chooses it
      event.preventDefault();
      this.show(place.querySelector("img"));
    });
    larger.addEventListener("click", () => this.size(1));
    smaller.addEventListener("click", () => this.size(-1));
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => {
      const by = { "+": 1, "=": 1, "-": -1 }[event.key];
      if (by) { event.preventDefault(); this.size(by); }
    });
  }

  show(picture) {
    const large = new Image();
    Object.assign(large, { src: picture.src, alt: picture.alt, draggable: false });
    this.natural = Math.max(picture.naturalWidth, picture.clientWidth);
    this.frame.replaceChildren(large);
    this.step = 0;
    this.dialog.showModal();
    this.size(0);
    this.frame.focus();
  }

  size(by) {
    this.step = Math.min(STEPS.length - 1, Math.max(0, this.step + by));
    const fitting = Math.min(this.natural * 2, this.frame.clientWidth - 4);
    this.frame.firstElementChild.style.width = `${fitting * STEPS[this.step]}px`;
  }
}
