// The pad: strokes of a mouse, a pen, a finger or the keyboard, or a picture from a file.

const PEN = 20;  // width of the line, of the pad's 280 pixels
const KEY_STEP = 10;  // that an arrow key moves the pen
const MOST_PIXELS = 4096;  // a side of a picture; larger ones are scaled down

class Pad {
  // change: called, at most once a frame, with what readPicture returns.
  constructor(canvas, change) {
    this.canvas = canvas;
    this.side = canvas.width;
    this.context = canvas.getContext("2d", {willReadFrequently: true});
    this.items = [];  // strokes, which are lists of points, and pictures, which hide what is before
    this.pen = null;  // {x, y, isDown} once a key moved it
    this.stroke = null;  // the one that is being drawn
    this.pointer = null;  // that draws it, unless keys do
    this.change = change;
    this.isWaiting = false;
    this.listen();
    this.show();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", event => {
      if (event.button !== 0 || this.stroke && !this.pen) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;  // a second finger draws nothing
      this.pen = null;
      this.begin(this.place(event));
    });
    canvas.addEventListener("pointermove", event => {
      if (!this.stroke || event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const part of events.length ? events : [event]) this.stroke.push(this.place(part));
      this.update();
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, event => {
        if (event.pointerId !== this.pointer) return;
        this.stroke = this.pointer = null;
      });
    canvas.addEventListener("keydown", event => this.press(event));
    canvas.addEventListener("blur", () => {
      this.pen = this.stroke = null;
      this.show();
    });
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect(), scale = this.side / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  begin(point) {
    this.stroke = [point];
    this.items.push(this.stroke);
    this.update();
  }

  press(event) {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const middle = this.side / 2;
    const isPen = event.key === " " || step[event.key], isPointer = this.stroke && !this.pen;
    if (isPen && isPointer || event.key === " " && event.repeat) {  // held down is pressed once
      event.preventDefault();
      return;
    }
    const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (isUndo || event.key === "Backspace") this.undo();
    else if (event.altKey || event.ctrlKey || event.metaKey) return;
    else if (event.key === "Delete") this.clear();
    else if (event.key === " ") {
      this.pen ??= {x: middle, y: middle};
      if (this.stroke) {
        this.stroke = null;
        this.show();
      } else this.begin([this.pen.x, this.pen.y]);
    } else if (step[event.key]) {
      this.pen ??= {x: middle, y: middle};
      const [right, down] = step[event.key], within = v => Math.min(Math.max(v, 0), this.side);
      this.pen.x = within(this.pen.x + KEY_STEP * right);
      this.pen.y = within(this.pen.y + KEY_STEP * down);
      if (this.stroke) {
        this.stroke.push([this.pen.x, this.pen.y]);
        this.update();
      } else this.show();
    } else return;
    event.preventDefault();
  }

  undo() {
    this.items.pop();
    this.stroke = null;
    this.update();
  }

  clear() {
    this.items = [];
    this.stroke = null;
    this.update();
  }

  // Resolves to false if the file is not a picture.
  async open(file) {
    let image;
    try {
      image = await createImageBitmap(file);
    } catch {
      return false;
    }
    const scale = Math.min(1, MOST_PIXELS / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    this.stroke = null;
    this.items.push(canvas);
    this.update();
    return true;
  }

  update() {
    this.show();
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.change(this.picture());
    });
  }

  picture() {
    const last = this.items.at(-1);
    if (!last) return null;
    if (last instanceof HTMLCanvasElement) {
      const {width, height} = last;
      const {data} = last.getContext("2d").getImageData(0, 0, width, height);
      return readPicture(data, width, height);
    }
    this.show(false);
    const {data} = this.context.getImageData(0, 0, this.side, this.side);
    if (this.pen) this.show();
    return readPicture(data, this.side, this.side);
  }

  // Black on white; where the page is white on black, CSS inverts it.
  show(withPen = true) {
    const {context, side} = this;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
    const start = this.items.findLastIndex(item => item instanceof HTMLCanvasElement);
    if (start >= 0 && start === this.items.length - 1) {
      const {width, height} = this.items[start], scale = side / Math.max(width, height);
      const [wide, high] = [width * scale, height * scale];
      context.imageSmoothingEnabled = scale < 1;
      context.drawImage(this.items[start], (side - wide) / 2, (side - high) / 2, wide, high);
    } else this.showStrokes(this.items.slice(start + 1));
    if (withPen && this.pen) this.showPen();
  }

  showStrokes(strokes) {
    const {context} = this;
    Object.assign(context, {strokeStyle: "#000", lineWidth: PEN, lineCap: "round",
      lineJoin: "round"});
    for (const [first, ...others] of strokes) {
      context.beginPath();
      context.moveTo(...first);
      context.lineTo(...first);
      for (const point of others) context.lineTo(...point);
      context.stroke();
    }
  }

  showPen() {
    const {context} = this;
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, PEN / 2 + 3, 0, 2 * Math.PI);
    Object.assign(context, {strokeStyle: this.stroke ? "#d00" : "#888", lineWidth: 3});
    context.stroke();
  }
}
