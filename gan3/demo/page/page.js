// The page: one style and one class at a time, and everything that is drawn with them.

const networks = new Networks(model);
const names = model.classNames;  // a label is an index into them
const areDigits = names.every(name => /^[0-9]$/.test(name));
const noun = areDigits ? "digit" : "class";
const crop = areDigits ? 5 : 0;  // columns that a number loses at both sides of each digit
const get = id => document.getElementById(id);
const PERIOD = 8000;  // ms of a walk to its end and back

// What the page can show depends on the system.
const HAS = {
  determinator: Boolean(model.determinator),
  code: Boolean(model.determinator?.encoder),
  classes: model.classConditional,
  "new-noise": !model.fixedNoise,
  training: Boolean(model.training),
  discriminator: Boolean(model.discriminator),
};
for (const element of document.querySelectorAll("[data-needs]"))
  element.hidden = !HAS[element.dataset.needs];

const state = {
  label: names.length === 10 && areDigits ? 3 : 0,
  style: null,  // the noise that all is drawn with
  from: null, to: null, position: 0, playing: false,  // of the walk
  sheet: [], arithmetic: [], own: [],  // noise before the truncation
};

// -- the link --------------------------------------------------------------------------------
// Its state is after the "#": the number, the label, the seed, the truncation, and the style.
const link = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const seed = Number(link.seed) || Math.floor(1e9 * Math.random()) + 1;
let randomState = seed;
function random() {  // in 0..1, by mulberry32: the same numbers for the same seed
  randomState = randomState + 0x6D2B79F5 | 0;
  let t = Math.imul(randomState ^ randomState >>> 15, 1 | randomState);
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
  return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
}

let linkTimer = null;
function keepInLink() {  // browsers refuse to change it often
  clearTimeout(linkTimer);
  linkTimer = setTimeout(() => {
    const parts = {number: get("text").value, label: state.label, seed, truncation: truncation()};
    if (get("own-styles").checked) parts.own = 1;
    if (!model.fixedNoise) parts.style = Array.from(state.style, v => v.toFixed(2)).join();
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  }, 300);
}

// -- noise -----------------------------------------------------------------------------------
function newNoise(label) {
  if (model.fixedNoise) return Float64Array.from(model.fixedNoise[label]);
  const uniform = () => 2 * random() - 1;
  const normal = () =>  // Box-Muller
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(Math.PI * uniform());
  return Float64Array.from({length: model.noiseEntries}, model.noiseIsNormal ? normal : uniform);
}
// Of four the noise whose image the determinator, if there is one, reads best, as `generate` does:
// the image looks most like what is drawn from its code. Without codes, its class is most probable.
function bestNoise(label) {
  const tries = Array.from({length: HAS.determinator ? 4 : 1}, () => newNoise(label));
  const worth = tries.map(noise => {
    if (!HAS.determinator) return 0;
    const image = networks.draw(label, truncated(noise));
    const {probabilities, noise: code} = networks.read(image);
    if (!code) return probabilities[label];
    const isRead = probabilities[label] === Math.max(...probabilities);
    const reconstructed = networks.draw(label, code);
    const difference = image.reduce((sum, v, i) => sum + (v - reconstructed[i]) ** 2, 0);
    return isRead ? -difference : -difference - image.length;
  });
  return tries[worth.indexOf(Math.max(...worth))];
}
const truncation = () => HAS["new-noise"] ? Number(get("truncation").value) : 1;
const truncations = new WeakMap();  // of the styles that were drawn with less than 1
function truncated(noise) {
  const style = noise.map(v => v * truncation());
  if (truncation() < 1) truncations.set(style, truncation());
  return style;
}
const styleOf = label =>
  model.fixedNoise && label !== state.label ? newNoise(label) : state.style;

function styleBetween(from, to, place) {
  const style = between(from, to, place);
  const least = Math.min(truncations.get(from) ?? 1, truncations.get(to) ?? 1);
  if (least < 1) truncations.set(style, least);
  return style;
}

// From one noise to another: uniform noise linearly, normal noise on an arc, where its length is
// that of other noise (Shoemake 1985).
function between(from, to, place) {
  const mix = (a, b) => from.map((v, i) => a * v + b * to[i]);
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const [first, second] = [Math.sqrt(dot(from, from)), Math.sqrt(dot(to, to))];
  const angle = Math.acos(Math.min(Math.max(dot(from, to) / (first * second), -1), 1));
  if (!model.noiseIsNormal || !(Math.sin(angle) > 1e-6)) return mix(1 - place, place);
  const length = first + place * (second - first), unit = length / Math.sin(angle);
  return mix(Math.sin((1 - place) * angle) * unit / first, Math.sin(place * angle) * unit / second);
}

// -- pictures --------------------------------------------------------------------------------
// Images side by side in rows of `columns`, without `cut` columns at both sides of each.
function paint(canvas, images, columns = images.length, cut = 0) {
  const width = SIDE - 2 * cut, rows = Math.ceil(images.length / columns);
  Object.assign(canvas, {width: width * columns, height: SIDE * rows});
  const context = canvas.getContext("2d"), inverted = get("inverted").checked;
  context.fillStyle = inverted ? "#000" : "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  images.forEach((image, number) => {
    const cell = context.createImageData(width, SIDE), {data} = cell;
    for (let row = 0, k = 0; row < SIDE; row++)
      for (let column = cut; column < SIDE - cut; column++, k += 4) {
        const ink = Math.round(255 * image[SIDE * row + column]);
        data[k] = data[k + 1] = data[k + 2] = inverted ? ink : 255 - ink;
        data[k + 3] = 255;
      }
    context.putImageData(cell, width * (number % columns), SIDE * Math.floor(number / columns));
  });
}

// Columns of a sheet of all classes: at most 13, the last row as full as can be.
const classColumns = Math.ceil(names.length / Math.ceil(names.length / (areDigits ? 10 : 13)));
const drawn = {style: null, images: []};  // by class, the images in this style
function imageOf(label) {
  const style = styleOf(label);
  if (model.fixedNoise) return networks.draw(label, style);
  if (drawn.style !== style) Object.assign(drawn, {style, images: []});
  return drawn.images[label] ??= networks.draw(label, style);
}

const draw = {
  one: () => {
    paint(get("one"), [imageOf(state.label)]);
    const what = HAS.classes ? names[state.label] : `any ${noun}`;
    get("one").setAttribute("aria-label", `${what} in this style`);
  },
  all: () => {
    paint(get("all"), names.map((_, label) => imageOf(label)), classColumns);
  },
  number: () => {
    const own = get("own-styles").checked, labels = labelsOf(get("text").value);
    const images = labels.map((label, i) => {
      if (!own) return imageOf(label);
      if (state.own[i]?.label !== label) state.own[i] = {label, noise: bestNoise(label)};
      return networks.draw(label, truncated(state.own[i].noise));
    });
    get("text-note").textContent = complaint(get("text").value, labels);
    get("number").hidden = !images.length;
    if (images.length) paint(get("number"), images, images.length, crop);
    // A short number is not blown up to the width of its section.
    get("number").style.width = `${images.length * 6}rem`;
    get("number").setAttribute("aria-label", `${get("text").value} in this style`);
  },
  sheet: () => {
    const images = state.sheet.map(([label, noise]) => networks.draw(label, truncated(noise)));
    paint(get("sheet"), images, Math.max(classColumns, 10));
  },
  arithmetic: () => {
    const [first, second, ...others] = state.arithmetic.map(truncated);
    const difference = first.map((v, i) => v - second[i]);
    const sum = first.map((v, i) => v + second[i]);
    const noise = [first, second, difference, sum, ...others];
    paint(get("arithmetic"), noise.map(v => networks.draw(state.label, v)), 4);
  },
};

// The labels of a text: names with commas between them, or of one character each. A name may
// contain commas itself; the longest name that fits counts. Spaces around a name are left out,
// unless they are part of it: as core.classes reads such a text.
function labelsOf(text) {
  const parts = text.split(","), list = [];
  while (parts.length) {
    let count = parts.length + 1, name;
    do {
      const text = parts.slice(0, --count).join(",");
      name = [text, text.trim()].find(text => names.includes(text));
    } while (name === undefined && count > 1);
    list.push(name);
    parts.splice(0, count);
  }
  const mayBeList = text.includes(",") || names.some(name => [...name].length > 1);
  const isList = mayBeList && !list.includes(undefined);
  return (isList ? list : [...text]).map(name => names.indexOf(name)).filter(label => label >= 0);
}

// What is wrong with a text that is to be drawn; "" if nothing is.
function complaint(text, labels) {
  const known = names.length > 12 ? `${names.slice(0, 10).join(", ")} …` : names.join(", ");
  if (!labels.length) return `Nothing to draw: write some of ${known}.`;
  const left = text.includes(",") || labels.length === [...text].length ? []
    : [...text].filter(name => name.trim() && !names.includes(name));
  return left.length ? `Left out: ${[...new Set(left)].join(" ")}. There are only ${known}.` : "";
}

const FRAME = 100;  // ms; where drawing takes longer, a walk shows one image until it pauses
let cost = 0;  // ms of the last drawing of all classes and the number

function drawStyle(isFrame = false) {
  sliders.forEach(({slider, value}, i) => {
    slider.value = state.style[i];
    value.textContent = state.style[i].toFixed(2);
  });
  buttons.forEach((button, label) => button.setAttribute("aria-pressed", label === state.label));
  draw.one();
  if (!isFrame) keepInLink();
  if (HAS.discriminator) judge();
  if (!HAS.classes || isFrame && cost > FRAME) return;
  const start = performance.now();
  draw.all();
  draw.number();
  cost = performance.now() - start;
}

// The discriminator at work, on what is drawn and on what the user wrote.
function judge() {
  const [written, , read] = lastReading ?? [[]];
  const judged = {drawn: [imageOf(state.label), state.label], written: [written, read]};
  for (const [id, [image, label]] of Object.entries(judged)) {
    get(`judged-${id}`).value = image.length ? networks.realness(image, label) : 0;
    get(`judged-${id}-percent`).textContent =
      image.length ? percentOf(get(`judged-${id}`).value) : "–";
  }
}

function drawEnds() {
  if (!HAS["new-noise"]) return;
  const isHere = state.from === state.style;
  paint(get("walk-from"), [isHere ? imageOf(state.label) : networks.draw(state.label, state.from)]);
  paint(get("walk-to"), [networks.draw(state.label, state.to)]);
}

function drawSheets() {
  if (!HAS["new-noise"]) return;
  draw.sheet();
  draw.arithmetic();
}

function drawEverything() {
  drawStyle();
  drawEnds();
  drawSheets();
  if (lastReading) show(...lastReading);
}

// Five rows, two where drawing is slow; with more than 50 classes all of them.
function newSheet() {
  const only = Number(get("sheet-class").value), columns = Math.max(classColumns, 10);
  const rows = Math.max(isSlow() ? 2 : 5, Math.ceil(names.length / columns));
  state.sheet = Array.from({length: columns * rows}, (_, i) => {
    const label = HAS.classes && only >= 0 ? only : i % names.length;
    return [label, newNoise(label)];
  });
}
function isSlow() {
  const times = [0, 1, 2].map(() => {
    const start = performance.now();
    networks.draw(state.label, state.style);
    return performance.now() - start;
  });
  return Math.min(...times) > 15;  // ms
}
const newArithmetic = () => {
  state.arithmetic = Array.from({length: 6}, () => newNoise(state.label));
};

// -- the style, and the walk that moves it ----------------------------------------------------
// A style that the user chose: the walk stops, and starts here when it is played again.
function choose(style) {
  pause();
  state.style = style;
  [state.from, state.position] = [style, 0];
  get("walk").value = 0;
  drawStyle();
  drawEnds();
}

function moveTo(position) {
  state.position = position;
  state.style = styleBetween(state.from, state.to, position);
  get("walk").value = position;
  drawStyle(state.playing);
}

function pause() {
  if (state.playing && cost > FRAME) drawStyle();
  state.playing = false;
  get("play").textContent = "play";
}

function play() {
  state.playing = true;
  get("play").textContent = "pause";
  // The pace is a cosine's, so it slows down at both ends.
  const begun = performance.now() - Math.acos(1 - 2 * state.position) / (2 * Math.PI) * PERIOD;
  const step = time => {
    if (!state.playing) return;
    moveTo((1 - Math.cos(Math.max(time - begun, 0) / PERIOD * 2 * Math.PI)) / 2);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

const sliders = Array.from({length: Math.min(20, model.noiseEntries)}, (_, i) => {
  const label = document.createElement("label"), slider = document.createElement("input");
  const value = document.createElement("output");
  Object.assign(slider,
    {type: "range", min: -model.noiseRange, max: model.noiseRange, step: 0.01});
  slider.setAttribute("aria-label", `entry ${i}`);
  slider.oninput = () =>
    choose(state.style.map((v, k) => k === i ? Number(slider.value) : v));
  label.append(`entry ${i}`, slider, value);
  get("sliders").append(label);
  return {slider, value};
});
get("entries").textContent =
  (sliders.length < model.noiseEntries ? `${sliders.length} of ` : "") + model.noiseEntries;

const buttons = HAS.classes ? names.map((name, label) => {
  const button = document.createElement("button");
  button.textContent = name;
  button.onclick = () => select(label);
  get("classes").append(button);
  return button;
}) : [];

function select(label) {
  state.label = label;
  if (model.fixedNoise) state.style = newNoise(label);
  drawStyle();
  drawEnds();
  if (HAS["new-noise"]) draw.arithmetic();
}

// -- reading what is on the pad ---------------------------------------------------------------
// A reading is given as an answer from this probability on, and if the image that is drawn from
// its code has at least this correlation with it. Of MNIST's test digits 96 % pass with the bundled
// best, and 99 % of those are read as what they are; of 300 scribbles 33 % pass, of photos none.
const SURE = 0.6, ALIKE = 0.72;
const bars = HAS.determinator ? Array.from({length: Math.min(names.length, 10)}, () => {
  const item = document.createElement("li");
  item.innerHTML = '<span class="name"></span>'
    + '<span class="bar" role="meter" aria-valuemin="0" aria-valuemax="100"><span></span></span>'
    + "<output></output>";
  get("bars").append(item);
  get("bars").classList.toggle("short", areDigits);
  const [name, bar, percent] = item.children;
  return {item, name, bar, percent};
}) : [];
const percentOf = p => `${Math.round(100 * p)} %`;
let lastReading = null;  // the image, its reading and its label

function read(picture) {  // as readPicture returns it
  const levels = picture?.levels;
  const image = Float64Array.from(levels ?? [], v => v / 255);
  const reading = levels ? networks.read(image) : {};
  reading.areSeveral = areDigits && picture?.areSeveral;
  const label = levels ? reading.probabilities.indexOf(Math.max(...reading.probabilities)) : -1;
  if (reading.noise) {
    const isOther = label !== state.label;
    state.label = label;
    choose(reading.noise);
    if (isOther) draw.arithmetic();
    reading.reconstruction = imageOf(label);
  } else if (levels && label !== state.label) select(label);
  lastReading = [image, reading, label];
  show(...lastReading);
  if (HAS.discriminator) judge();
}

function show(image, reading, label) {
  const order = names.map((_, i) => i);
  if (names.length > bars.length && reading.probabilities)
    order.sort((a, b) => reading.probabilities[b] - reading.probabilities[a]);
  bars.forEach(({item, name, bar, percent}, i) => {
    const text = reading.probabilities ? percentOf(reading.probabilities[order[i]]) : "–";
    const value = reading.probabilities ? 100 * reading.probabilities[order[i]] : 0;
    item.className = order[i] === label ? "first" : "";
    name.textContent = name.title = names[order[i]];
    bar.setAttribute("aria-label", `${noun} ${names[order[i]]}`);
    bar.setAttribute("aria-valuenow", value.toFixed(1));
    bar.setAttribute("aria-valuetext", text);
    bar.firstChild.style.width = `${value}%`;
    percent.textContent = text;
  });
  const verdict = verdictOf(image, reading, label);
  if (get("verdict").textContent !== verdict) get("verdict").textContent = verdict;
  const blank = new Float64Array(SIDE * SIDE);
  paint(get("seen"), [image.length ? image : blank]);
  if (HAS.code) paint(get("reconstruction"), [reading.reconstruction ?? blank]);
}

function verdictOf(image, {probabilities, reconstruction, areSeveral}, label) {
  if (!probabilities) return `Nothing to read: write a ${noun}.`;
  if (areSeveral) return "More than one digit: show one only.";
  const order = names.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const best = order.filter((c, i) => i < 2 || i < 4 && probabilities[c] >= 0.1);
  const list = best.map(c => `${names[c]} ${percentOf(probabilities[c])}`).join(", ");
  if (probabilities[label] < SURE) return `Not a ${noun} I know: ${list}.`;
  if (reconstruction && likeness(image, reconstruction) < ALIKE)
    return `Not a ${noun} I know. ${list},`
      + ` but the ${names[label]} drawn from its code looks different.`;
  return `${names[label]}, ${percentOf(probabilities[label])} sure.`;
}

// The correlation of two images.
function likeness(first, second) {
  const centred = x => {
    const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
    return x.map(v => v - mean);
  };
  const [a, b] = [centred(first), centred(second)];
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1);
}

// -- what the controls do ---------------------------------------------------------------------
const pad = new Pad(get("pad"), read);
async function open(file) {
  if (!file) return;
  if (!await pad.open(file)) tell(`${file.name}: not a picture that can be read.`);
}
get("undo").onclick = () => pad.undo();
get("clear").onclick = () => pad.clear();
get("file").onchange = event => {
  open(event.target.files[0]);
  event.target.value = "";  // the same file can be opened again
};
document.ondragover = event => event.preventDefault();
document.ondrop = event => {
  event.preventDefault();
  if (HAS.determinator) open(event.dataTransfer.files[0]);
};

get("inverted").checked = matchMedia("(prefers-color-scheme: dark)").matches;
get("inverted").onchange = () => {
  document.body.classList.toggle("inverted", get("inverted").checked);
  drawEverything();
};
get("truncation").oninput = () => {
  document.querySelector("output[for=truncation]").textContent = truncation().toFixed(2);
  drawSheets();
  if (get("own-styles").checked) draw.number();
  keepInLink();
};
const fresh = () => truncated(newNoise(state.label));
get("new-style").textContent = model.fixedNoise ? `the noise of the ${noun}` : "new style";
get("new-style").onclick = () => choose(fresh());
get("zero").onclick = () => choose(state.style.map(() => 0));
get("text").oninput = () => {
  draw.number();
  keepInLink();
};
get("own-styles").onchange = () => {
  document.querySelector("[data-gif=number]").disabled = get("own-styles").checked;  // no walk
  state.own = [];
  draw.number();
  keepInLink();
};
get("play").onclick = () => state.playing ? pause() : play();
get("walk").oninput = () => {
  pause();
  moveTo(Number(get("walk").value));
};
get("walk-start").onclick = () => choose(state.style);
const endAt = style => {
  state.to = style;
  drawEnds();
  if (!state.playing) moveTo(state.position);
};
get("walk-end").onclick = () => {
  pause();
  state.position = 1;
  endAt(state.style);
};
get("walk-elsewhere").onclick = () => endAt(fresh());
for (const [label, name] of [[-1, `all ${areDigits ? "digits" : "classes"}`], ...names.entries()])
  get("sheet-class").append(new Option(name, label));
get("sheet-class").onchange = get("new-sheet").onclick = () => {
  newSheet();
  draw.sheet();
};
get("new-arithmetic").onclick = () => {
  newArithmetic();
  draw.arithmetic();
};
for (const button of document.querySelectorAll("[data-png]"))
  button.onclick = () => savePng(button.dataset.png);
for (const button of document.querySelectorAll("[data-gif]"))
  button.onclick = () => saveGif(button.dataset.gif);

if ("number" in link) get("text").value = link.number;
if (link.label in names) state.label = Number(link.label);
if ("truncation" in link) get("truncation").value = Number(link.truncation);
document.querySelector("output[for=truncation]").textContent = truncation().toFixed(2);
get("own-styles").checked = "own" in link;
document.querySelector("[data-gif=number]").disabled = "own" in link;
state.style = state.from = newNoise(state.label);
const linkStyle = (link.style ?? "").split(",").map(Number);
if (HAS["new-noise"] && linkStyle.length === state.style.length && linkStyle.every(Number.isFinite))
  state.style = state.from = Float64Array.from(linkStyle);
if (HAS["new-noise"]) {
  state.to = newNoise(state.label);
  newSheet();
  newArithmetic();
}
document.body.classList.toggle("inverted", get("inverted").checked);
if (HAS.determinator) read(null);
drawEverything();
if (HAS.training) showTraining(model.training);
// A style from a link stays until the user plays.
if (HAS["new-noise"] && !("style" in link)
  && !matchMedia("(prefers-reduced-motion: reduce)").matches) play();
