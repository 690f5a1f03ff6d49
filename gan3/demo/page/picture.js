// Pictures of a digit as MNIST would hold them. This is gan3/demo/digit_reader.py, step by step,
// with Pillow's BOX filter; both give the same pixels.

const FAINT = 25;  // of 255; levels up to this count as blank
const DIGIT_SIDE = 20;  // pixels of the 28 that the longer side of a digit has

// 784 levels 0..255 of RGBA pixels, ink 255; null if the picture is blank.
function readPicture(rgba, width, height) {
  let ink = inkOf(greyOf(rgba, 255), width, height), most = maximum(ink);
  if (most <= FAINT) {  // white ink may be on a transparent background
    ink = inkOf(greyOf(rgba, 0), width, height);
    most = maximum(ink);
  }
  if (most <= FAINT) return null;
  return width === SIDE && height === SIDE ? toFullInk(ink) : normalise(ink, width, height);
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

// The distance of each pixel from the background, on the side where the ink is; else 0.
function inkOf(grey, width, height) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(grey[x], grey[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(grey[y * width], grey[(y + 1) * width - 1]);
  border.sort((a, b) => a - b);
  const middle = border.length / 2;  // their number is even
  const background = Math.floor((border[middle - 1] + border[middle]) / 2);
  let darkest = 255;
  for (let i = 0; i < grey.length; i++) if (grey[i] < darkest) darkest = grey[i];
  const sign = background - darkest > maximum(grey) - background ? -1 : 1;  // -1: dark on light
  return grey.map(v => Math.max(sign * (v - background), 0));
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
  const scale = DIGIT_SIDE / Math.max(wide, high);
  const columns = Math.max(1, toEven(wide * scale)), rows = Math.max(1, toEven(high * scale));
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
  if (height === rows) return pixels;
  const result = new Uint8Array(width * rows);
  boxes(height, rows).forEach(({inside, weight}, row) => {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const y of inside) sum += pixels[y * width + x];
      result[row * width + x] = boxMean(sum, weight);
    }
  });
  return result;
}
