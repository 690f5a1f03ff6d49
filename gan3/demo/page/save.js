// Saving what a canvas shows as a PNG, and the walk as a GIF.

const SCALES = {one: 10, all: 4, number: 4, sheet: 4, arithmetic: 6};
const WALK_FRAMES = 40;  // of a GIF
const CAPTION = 20;  // height in pixels
const LEAST_WIDTH = 320;  // of a saved picture, for its caption

// The canvas enlarged, with a caption below.
function picture(id) {
  const source = get(id), scale = SCALES[id], inverted = get("inverted").checked;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const drawnWidth = source.width * scale, height = source.height * scale;
  const width = Math.max(drawnWidth, LEAST_WIDTH);
  Object.assign(canvas, {width, height: height + CAPTION});
  context.fillStyle = inverted ? "#000" : "#fff";
  context.fillRect(0, 0, width, height + CAPTION);
  context.imageSmoothingEnabled = false;
  context.drawImage(source, Math.floor((width - drawnWidth) / 2), 0, drawnWidth, height);
  context.fillStyle = "#888";
  context.font = "12px sans-serif";
  context.textBaseline = "middle";
  context.fillText(captionOf(id), 4, height + CAPTION / 2, width - 8);
  return canvas;
}

function captionOf(id) {
  const parts = [`gan3 ${model.name}`];
  if (id === "number") parts.push(get("text").value);
  if (id === "arithmetic") parts.push("seed 1, seed 2, 1 − 2, 1 + 2; below: other noise");
  const isNew = id === "sheet" || id === "arithmetic"
    || id === "number" && get("own-styles").checked;
  const factor = isNew ? truncation() : truncations.get(state.style) ?? 1;
  if (factor < 1) parts.push(`truncation ${factor.toFixed(2)}`);
  return parts.join(" · ");
}

// The file's name: the digits or classes that are in the picture.
function nameOf(id) {
  const safe = text => text.replace(/[^\p{L}\p{N}-]+/gu, "_").slice(0, 40);
  if (id === "one" && HAS.classes) return `${noun}_${safe(names[state.label])}`;
  if (id === "number") return safe(get("text").value);
  return {one: noun, all: areDigits ? "digits" : "classes"}[id] ?? id;
}

let silence = null;  // the timer that ends a message

function tell(text) {
  get("status").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { get("status").textContent = ""; }, 8000);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  tell(`Saved: ${name}`);
}

function savePng(id) {
  if (isEmpty(id)) return;
  picture(id).toBlob(blob => save(blob, `${nameOf(id)}.png`));
}

function isEmpty(id) {
  if (get(id).hidden) tell("There is nothing to save.");
  return get(id).hidden;
}

// The walk to its end and back, as the canvas shows it.
function walkGif(id) {
  const {style} = state, frames = [];
  let size = null;
  for (let i = 0; i < WALK_FRAMES; i++) {
    const place = (1 - Math.cos(2 * Math.PI * i / WALK_FRAMES)) / 2;
    state.style = styleBetween(state.from, state.to, place);
    draw[id]();
    const canvas = picture(id), {width, height} = canvas;
    const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
    const grey = new Uint8Array(width * height);
    for (let k = 0; k < grey.length; k++) grey[k] = 17 * Math.round(data[4 * k] / 17);  // 16 levels
    frames.push(grey);
    size = [width, height];
  }
  state.style = style;
  draw[id]();
  return encodeGif(frames, ...size, PERIOD / WALK_FRAMES / 10);
}

function saveGif(id) {
  if (isEmpty(id)) return;
  tell("Drawing the walk …");
  setTimeout(() => {
    save(new Blob([walkGif(id)], {type: "image/gif"}), `${nameOf(id)}_walk.gif`);
  }, 50);
}
