// Pictures of a digit as MNIST would hold them. This is gan3/demo/digit_reader.py, step by step,
// with Pillow's BOX filter; both give the same pixels.

const FAINT = 25;  // of 255; levels up to this count as blank
const DIGIT_SIDE = 20;  // pixels of the 28 that the longer side of a digit has
const LONGEST = 280;  // pixels of the longer side of a picture; a larger one is scaled down first

// Of RGBA pixels: the 784 levels 0..255, ink 255, and whether it shows more than one digit; null if
// the picture is blank.
function readPicture(rgba, width, height) {
  let ink = inkOf(greyOf(rgba, 255), width, height);
  if (maximum(ink.pixels) <= FAINT)  // white ink may be on a transparent background
    ink = inkOf(greyOf(rgba, 0), width, height);
  if (maximum(ink.pixels) <= FAINT) return null;
  if (width === SIDE && height === SIDE) return {levels: toFullInk(ink.pixels), areSeveral: false};
  const {pixels, areSeveral} = cleaned(ink);
  if (!maximum(pixels)) return null;
  return {levels: normalise(pixels, ink.width, ink.height), areSeveral};
}

function maximum(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i];
  return most;
}

// Grey levels, transparent pixels in the colour of the background.
function greyOf(rgba, background) {
  const grey = new Uint8Array(rgba.length / 4);
  for (let i = 0, k = 0; i < grey.length; i++, k += 4) {
    const alpha = rgba[k + 3];
    let r = rgba[k], g = rgba[k + 1], b = rgba[k + 2];
    if (alpha < 255) {
      const under = background * (255 - alpha);
      [r, g, b] = [r, g, b].map(v => Math.round((v * alpha + under) / 255));
    }
    grey[i] = r * 19595 + g * 38470 + b * 7471 + 32768 >> 16;
  }
  return grey;
}

// The outermost pixels; a corner counts for both sides.
function borderOf(pixels, width, height) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(pixels[x], pixels[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(pixels[y * width], pixels[(y + 1) * width - 1]);
  return border;
}

// The distance of each pixel from the paper around it, on the side where the ink is; else 0.
function inkOf(grey, width, height) {
  let pixels = grey;
  const edge = borderOf(pixels, width, height).sort((a, b) => a - b);
  const quarter = Math.floor(edge.length / 4), darkest = pixels.reduce((a, b) => Math.min(a, b));
  const isDark = edge[quarter] - darkest > maximum(pixels) - edge.at(-quarter - 1);
  if (isDark) pixels = pixels.map(v => 255 - v);
  if (Math.max(width, height) > LONGEST) {
    const [columns, rows] = scaledTo(LONGEST, width, height);
    pixels = resize(pixels, width, height, columns, rows);
    [width, height] = [columns, rows];
  }
  if (width === SIDE && height === SIDE) {
    const border = borderOf(pixels, width, height).sort((a, b) => a - b), half = border.length / 2;
    const paper = Math.floor((border[half - 1] + border[half]) / 2);
    return {pixels: pixels.map(v => Math.max(v - paper, 0)), width, height};
  }
  // The paper is the brightest that squares of this side can be, because ink is narrower.
  const side = Math.floor(Math.max(width, height) / 3) | 1;
  const least = filter({pixels, width, height}, side, Math.min);
  const paper = filter(least, side, Math.max).pixels;
  let above = pixels.map((v, i) => v - paper[i]);
  if (isDark && maximum(above) > FAINT)  // ink is less below paper in the shadow than in the light
    above = above.map((v, i) => Math.floor(255 * v / Math.max(255 - paper[i], 1)));
  const noise = above.toSorted()[Math.floor(above.length / 4)];  // of paper
  return {pixels: above.map(v => Math.max(v - 2 * noise, 0)), width, height};
}

// The extreme, Math.min or Math.max, of the square of this odd side around each pixel.
const filter = (image, side, extreme) =>
  turned(filterColumns(turned(filterColumns(image, side, extreme)), side, extreme));

function turned({pixels, width, height}) {
  const result = new pixels.constructor(pixels.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) result[x * height + y] = pixels[i];
  return {pixels: result, width: height, height: width};
}

function filterColumns({pixels, width, height}, side, extreme) {
  const half = side >> 1, last = (height - 1) * width;
  const padded = new Uint8Array((height + side - 1) * width);
  for (let i = 0; i < half; i++) padded.set(pixels.subarray(0, width), i * width);
  padded.set(pixels, half * width);
  for (let i = 0; i < half; i++)
    padded.set(pixels.subarray(last), (half + height + i) * width);
  // Windows of twice the length, as long as they fit.
  for (let length = 1, step; length < side; length += step) {
    step = Math.min(length, side - length);
    for (let i = 0; i + step * width < padded.length; i++)
      padded[i] = extreme(padded[i], padded[i + step * width]);
  }
  return {pixels: padded.slice(0, width * height), width, height};
}

// The ink without lines and specks, and whether it has several parts side by side.
function cleaned({pixels, width, height}) {
  const threshold = Math.floor(maximum(pixels) / 3), longest = Math.max(width, height);
  let strong = {pixels: pixels.map(v => Number(v > threshold)), width, height};
  const run = longest >> 3 | 1;
  for (const _ of ["vertical", "horizontal"]) {  // lines of squared and ruled paper
    const runs = filterColumns(filterColumns(strong, run, Math.min), run, Math.max);
    const labels = partsOf(filter(runs, 3, Math.max));
    const first = new Set(labels.subarray(0, strong.width));
    const both = new Set(labels.subarray(-strong.width).filter(label => label && first.has(label)));
    strong.pixels = strong.pixels.map((v, i) => both.has(labels[i]) ? 0 : v);
    strong = turned(strong);
  }
  const wide = filter(strong, Math.floor(longest / 28) | 1, Math.max);
  const labels = partsOf(wide).map((label, i) => strong.pixels[i] ? label : 0), parts = new Map();
  labels.forEach((label, i) => {
    if (!label) return;
    const x = i % width, y = Math.floor(i / width), isOuter =
      x === 0 || y === 0 || x === width - 1 || y === height - 1;
    const part = parts.get(label) ?? {label, size: 0, left: x, right: x, top: y, bottom: y};
    part.size++;
    [part.left, part.right] = [Math.min(part.left, x), Math.max(part.right, x)];
    part.bottom = y;
    part.isOuter ||= isOuter;
    parts.set(label, part);
  });
  const large = [...parts.values()].filter(({size}) => size >= Math.floor(longest / 14));
  const most = Math.max(0, ...large.map(({size}) => size));
  let kept = large.filter(({size}) => size > Math.floor(most / 20));
  // What reaches the picture's edge is a shadow, or the table.
  if (large.some(({size, isOuter}) => size === most && !isOuter))
    kept = kept.filter(({isOuter}) => !isOuter);
  const tallest = Math.max(0, ...kept.map(({top, bottom}) => bottom - top));
  const high = kept.filter(({top, bottom}) => bottom - top > tallest >> 1)
    .sort((a, b) => a.left - b.left || a.right - b.right);
  const areSeveral = high.some(({left}, i) => i && high[i - 1].right < left);
  const keptLabels = new Set(kept.map(({label}) => label));
  // Faint ink counts next to strong ink.
  const mask = strong.pixels.map((v, i) => Number(keptLabels.has(labels[i])));
  const near = filter({pixels: mask, width, height}, 5, Math.max).pixels;
  return {pixels: pixels.map((v, i) => near[i] ? v : 0), areSeveral};
}

// A number for each connected part of a mask, at its pixels; 0 elsewhere.
function partsOf({pixels, width, height}) {
  const labels = new Int32Array(pixels.length);
  for (let start = 0; start < pixels.length; start++) {
    if (!pixels[start] || labels[start]) continue;
    const open = [start];
    labels[start] = start + 1;
    while (open.length) {
      const i = open.pop(), x = i % width;
      const around = [i - width, i + width, x > 0 ? i - 1 : -1, x < width - 1 ? i + 1 : -1];
      for (const next of around)
        if (pixels[next] && !labels[next]) {
          labels[next] = start + 1;
          open.push(next);
        }
    }
  }
  return labels;
}

function scaledTo(longest, width, height) {
  const scale = longest / Math.max(width, height);
  return [width, height].map(side => Math.max(1, toEven(side * scale)));
}

// Ink scaled and centred as in MNIST.
function normalise(ink, width, height) {
  let left = width, right = -1, top = height, bottom = -1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (ink[y * width + x] > FAINT) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
  const wide = right - left + 1, high = bottom - top + 1;
  const crop = new Uint8Array(wide * high);
  for (let y = 0; y < high; y++)
    crop.set(ink.subarray((top + y) * width + left, (top + y) * width + left + wide), y * wide);
  const [columns, rows] = scaledTo(DIGIT_SIDE, wide, high);
  const small = resize(crop, wide, high, columns, rows);
  let mass = 0, moment = 0, momentDown = 0;
  small.forEach((v, i) => {
    mass += v;
    moment += v * (i % columns);
    momentDown += v * Math.floor(i / columns);
  });
  const place = (centre, extent) => Math.min(Math.max(toEven(14 - centre), 0), SIDE - extent);
  const x = place(moment / mass, columns), y = place(momentDown / mass, rows);
  const full = toFullInk(small), digit = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < rows; row++)
    digit.set(full.subarray(row * columns, (row + 1) * columns), (y + row) * SIDE + x);
  return digit;
}

function toFullInk(ink) {
  const factor = 255 / maximum(ink);
  return ink.map(v => toEven(v * factor));
}

// To the nearest whole number, halves to the even one, as Python rounds.
function toEven(x) {
  const floor = Math.floor(x), rest = x - floor;
  return rest < 0.5 || rest === 0.5 && floor % 2 === 0 ? floor : floor + 1;
}

// For each of `after` places, the first of the `before` pixels that it is the mean of, and their
// weight in 22 bits after the point, with which Pillow computes.
function boxes(before, after) {
  const scale = before / after, stretch = Math.max(scale, 1), support = stretch / 2;
  return Array.from({length: after}, (_, place) => {
    const centre = (place + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), before);
    const inside = [];
    for (let i = start; i < end; i++) {
      const distance = (i - centre + 0.5) * (1 / stretch);  // rounded as Pillow does
      if (distance > -0.5 && distance <= 0.5) inside.push(i);
    }
    return {inside, weight: Math.floor(0.5 + 2 ** 22 / inside.length)};
  });
}

const boxMean = (sum, weight) => Math.min(Math.floor((2 ** 21 + sum * weight) / 2 ** 22), 255);

// Pillow 13 begins with the rows of a picture that is more than twice as high as wide. Both passes
// round, so the order can make a difference of a level or two.
function resize(pixels, width, height, columns, rows) {
  if (height > 2 * width && rows < height)
    return resizeColumns(resizeRows(pixels, width, height, rows), width, rows, columns);
  return resizeRows(resizeColumns(pixels, width, height, columns), columns, height, rows);
}

function resizeColumns(pixels, width, height, columns) {
  if (width === columns) return pixels;
  const result = new Uint8Array(columns * height);
  boxes(width, columns).forEach(({inside, weight}, column) => {
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (const x of inside) sum += pixels[y * width + x];
      result[y * columns + column] = boxMean(sum, weight);
    }
  });
  return result;
}

function resizeRows(pixels, width, height, rows) {
  const columns = resizeColumns(turned({pixels, width, height}).pixels, height, width, rows);
  return turned({pixels: columns, width: rows, height: width}).pixels;
}
