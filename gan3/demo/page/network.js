// The networks: their weights, and the forward passes that gan3 computes in NumPy and TensorFlow.
// Images are arrays of 784 pixels in 0..1, ink 1. A row is one example's Float64Array.

const SIDE = 28;

// The arrays that Python wrote one after the other, as Float32Arrays: vectors are float32, matrices
// and kernels are float16, all little-endian, in base64.
class Arrays {
  constructor(base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.view = new DataView(bytes.buffer);
    this.offset = 0;
    this.values = Float32Array.from({length: 65536}, (_, half) => halfToFloat(half));
  }

  take(shape) {
    const {view, values} = this;
    const array = new Float32Array(shape.reduce((product, length) => product * length, 1));
    let offset = this.offset;
    for (let i = 0; i < array.length; i++) {
      if (shape.length === 1) array[i] = view.getFloat32(offset, true);
      else array[i] = values[view.getUint16(offset, true)];
      offset += shape.length === 1 ? 4 : 2;
    }
    this.offset = offset;
    return array;
  }
}

function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// A layer with its arrays, of which Python gives the shapes.
function withArrays(layer, arrays) {
  const entries = Object.entries(layer).map(([field, value]) =>
    [field, Array.isArray(value) ? arrays.take(value) : value]);
  return {...Object.fromEntries(entries), shape: layer.w ?? layer.rows ?? layer.scale};
}

const ACTIVATIONS = {
  none: x => x,
  elu: x => x > 0 ? x : Math.expm1(x),
  relu: x => Math.max(x, 0),
  leaky_relu: x => x > 0 ? x : 0.2 * x,
  slight_leak: x => x > 0 ? x : 0.02 * x,
  sigmoid: x => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

// y += x w, for y of `count` entries from `start` on. Four entries of x at a time: the inner loop
// then reads and writes y a quarter as often, and a blank part of an image costs nothing.
function addProduct(x, w, y, start, count) {
  let i = 0, k = 0;
  for (; i + 3 < x.length; i += 4, k += 4 * count) {
    const a = x[i], b = x[i + 1], c = x[i + 2], d = x[i + 3];
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    const second = k + count, third = second + count, fourth = third + count;
    for (let j = 0; j < count; j++)
      y[start + j] += a * w[k + j] + b * w[second + j] + c * w[third + j] + d * w[fourth + j];
  }
  for (; i < x.length; i++, k += count)
    if (x[i]) for (let j = 0; j < count; j++) y[start + j] += x[i] * w[k + j];
}

// activation(x w + b), then layer normalisation if the layer has it.
function dense({w, b, activation, scale, shift}, x) {
  let y = Float64Array.from(b);
  addProduct(x, w, y, 0, y.length);
  y = y.map(ACTIVATIONS[activation]);
  if (!scale) return y;
  const mean = y.reduce((sum, v) => sum + v, 0) / y.length;
  const variance = y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / y.length;
  return y.map((v, j) => (v - mean) / Math.sqrt(variance + 1e-5) * scale[j] + shift[j]);
}

// Convolution of x [side, side, inputs] with w [kernel, kernel, inputs, outputs], then a 2 x 2
// max-pool if the layer has one, then the activation. SAME padding puts the odd zero at the end, as
// TensorFlow does.
function conv({w, b, shape, stride, pool, zero_padding, activation}, x) {
  const [kernel, , inputs, outputs] = shape;
  const side = Math.sqrt(x.length / inputs), isSame = zero_padding === null;
  const rows = isSame ? Math.ceil(side / stride)
    : Math.floor((side + 2 * zero_padding - kernel) / stride) + 1;
  const before = isSame ? Math.max((rows - 1) * stride + kernel - side, 0) >> 1 : zero_padding;
  let y = new Float64Array(rows * rows * outputs);
  const patch = new Float64Array(kernel * kernel * inputs);
  for (let top = 0, start = 0; top < rows; top++)
    for (let left = 0; left < rows; left++, start += outputs) {
      patch.fill(0);
      for (let i = 0; i < kernel; i++) {
        const row = top * stride - before + i;
        if (row < 0 || row >= side) continue;
        for (let j = 0; j < kernel; j++) {
          const column = left * stride - before + j;
          if (column < 0 || column >= side) continue;
          const from = (row * side + column) * inputs, to = (i * kernel + j) * inputs;
          for (let c = 0; c < inputs; c++) patch[to + c] = x[from + c];
        }
      }
      y.set(b, start);
      addProduct(patch, w, y, start, outputs);
    }
  if (pool) y = maxPool(y, rows, outputs);
  return y.map(ACTIVATIONS[activation]);
}

function maxPool(x, side, channels) {
  const half = Math.ceil(side / 2), y = new Float64Array(half * half * channels).fill(-Infinity);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const from = (row * side + column) * channels;
      const to = ((row >> 1) * half + (column >> 1)) * channels;
      for (let c = 0; c < channels; c++) y[to + c] = Math.max(y[to + c], x[from + c]);
    }
  return y;
}

// Transposed convolution of x [side, side, inputs]: every pixel adds its patch of the result.
function convTranspose({w, b, shape, stride, padding, activation}, x) {
  const [kernel, , inputs, outputs] = shape;
  const side = Math.sqrt(x.length / inputs);
  const rows = padding === "SAME" ? side * stride : (side - 1) * stride + kernel;
  const before = ((side - 1) * stride + kernel - rows) >> 1, tap = inputs * outputs;
  const y = new Float64Array(rows * rows * outputs);
  for (let start = 0; start < y.length; start += outputs) y.set(b, start);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const inside = x.subarray(pixel * inputs, (pixel + 1) * inputs);
    const top = Math.floor(pixel / side) * stride - before, left = pixel % side * stride - before;
    for (let i = 0; i < kernel; i++)
      for (let j = 0; j < kernel; j++) {
        const row = top + i, column = left + j, k = (i * kernel + j) * tap;
        if (row < 0 || row >= rows || column < 0 || column >= rows) continue;
        addProduct(inside, w.subarray(k, k + tap), y, (row * rows + column) * outputs, outputs);
      }
  }
  return y.map(ACTIVATIONS[activation]);
}

function scale({scale, shift, activation}, x) {
  const activate = ACTIVATIONS[activation];
  return x.map((v, i) => activate(v * scale[i % scale.length] + shift[i % scale.length]));
}

// Twice the side: the pixels, and the mean of two between them. `channels` are those of x.
function upsample(x, channels) {
  const side = Math.sqrt(x.length / channels), y = new Float64Array(4 * x.length);
  const at = (row, column, c) =>
    x[(Math.min(row, side - 1) * side + Math.min(column, side - 1)) * channels + c];
  for (let row = 0, i = 0; row < 2 * side; row++)
    for (let column = 0; column < 2 * side; column++)
      for (let c = 0; c < channels; c++, i++) {
        const [top, left, down, right] = [row >> 1, column >> 1, row & 1, column & 1];
        const upper = (at(top, left, c) + at(top, left + right, c)) / 2;
        const lower = (at(top + down, left, c) + at(top + down, left + right, c)) / 2;
        y[i] = (upper + lower) / 2;
      }
  return y;
}

// The means of 2 x 2 pixels, of an even side.
function averagePool(x, channels) {
  const side = Math.sqrt(x.length / channels), half = side / 2;
  const y = new Float64Array(half * half * channels);
  for (let i = 0; i < x.length; i++) {
    const pixel = Math.floor(i / channels), row = Math.floor(pixel / side), column = pixel % side;
    y[((row >> 1) * half + (column >> 1)) * channels + i % channels] += x[i] / 4;
  }
  return y;
}

function forward(layers, x) {
  let channels = 1;
  for (const layer of layers) {
    if (layer.kind === "upsample") x = upsample(x, channels);
    else if (layer.kind === "averagePool") x = averagePool(x, channels);
    else x = {dense, conv, convTranspose, scale}[layer.kind](layer, x);
    if (layer.b) channels = layer.b.length;
  }
  return x;
}

function softmax(logits) {
  const largest = Math.max(...logits), powers = logits.map(v => Math.exp(v - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map(v => v / sum);
}

// Abramowitz & Stegun 7.1.26: wrong by at most 1.5e-7.
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const factors = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const series = factors.reduce((sum, factor) => (sum + factor) * t, 0);
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

class Networks {
  constructor(model) {
    this.model = model;
    const arrays = new Arrays(model.weights);
    const layers = model.generator.map(layer => withArrays(layer, arrays));
    this.labels = layers[0].kind === "label" ? layers.shift() : null;
    this.generator = layers;
    const reader = model.determinator;
    this.features = reader?.features.map(layer => withArrays(layer, arrays));
    if (reader) this.logits = [withArrays(reader.logits, arrays)];
    if (reader?.encoder) this.encoder = [withArrays(reader.encoder, arrays)];
    this.discriminator = model.discriminator?.map(layer => withArrays(layer, arrays));
  }

  // The probability that the discriminator gives an image of being real. If it is given the class,
  // its layers have biases for each.
  realness(image, label) {
    const layers = this.discriminator.map(layer => {
      const width = layer.b && layer.shape.at(-1);
      if (!layer.b || layer.b.length === width) return layer;
      return {...layer, b: layer.b.subarray(label * width, (label + 1) * width)};
    });
    return 1 / (1 + Math.exp(-forward(layers, image)[0]));
  }

  // The image of a class with this noise.
  draw(label, noise) {
    const {pixelMin} = this.model;
    return forward(this.generator, this.latent(label, noise))
      .map(v => (v - pixelMin) / (1 - pixelMin));
  }

  // In the three networks each class owns entries of the latent. In others it has a row of numbers.
  latent(label, noise) {
    const {classConditional, classNames, labelEntry} = this.model;
    if (!classConditional) return Float64Array.from(noise);
    if (!this.labels) {
      const own = labelEntry ? [...noise, 1] : noise;
      const latent = new Float64Array(classNames.length * own.length);
      latent.set(own, label * own.length);
      return latent;
    }
    const {rows, multiplies, shape: [, width]} = this.labels;
    const row = rows.subarray(label * width, (label + 1) * width);
    return multiplies ? Float64Array.from(noise, (v, i) => v * row[i])
      : Float64Array.from([...noise, ...row]);
  }

  // What the determinator reads: the probability of each class, and the noise that it encodes the
  // handwriting as, in -1..1, if it has an encoder. Its code is normalised by class and normal, the
  // noise is uniform.
  read(image) {
    const {pixelMin, codeMeans, codeScales} = this.model.determinator;
    const features = forward(this.features, image.map(v => v * (1 - pixelMin) + pixelMin));
    const probabilities = softmax(forward(this.logits, features));
    if (!this.encoder) return {probabilities};
    const label = probabilities.indexOf(Math.max(...probabilities));
    const code = forward(this.encoder, features)
      .map((v, i) => (v - codeMeans[label][i]) * codeScales[label][i]);
    return {probabilities, noise: code.map(v => erf(v / Math.SQRT2))};
  }
}
