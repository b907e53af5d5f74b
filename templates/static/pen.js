// A signature written with a pen or a finger on a canvas.

export class Pen {
  constructor(canvas, changed = () => {}) {
    Object.assign(this, { canvas, changed, empty: true, last: null });
    this.brush = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.last = this.place(event);
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => { if (this.last) event.getCoalescedEvents().forEach((one) => this.draw(this.place(one))); });
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => { this.last = null; });
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.canvas.width / box.width, (event.clientY - box.top) * this.canvas.height / box.height];
  }

  draw(to) {
    Object.assign(this.brush, { lineWidth: 5, lineCap: "round", lineJoin: "round", strokeStyle: "#10243d" });
    this.brush.beginPath();
    this.brush.moveTo(...this.last);
    this.brush.lineTo(...to);
    this.brush.stroke();
    this.last = to;
    this.empty = false;
    this.changed();
  }

  clear() {
    this.brush.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.empty = true;
    this.changed();
  }

  png() {
    return this.canvas.toDataURL("image/png");
  }
}
