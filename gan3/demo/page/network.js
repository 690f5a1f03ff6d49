// The networks: their weights, and the forward passes that gan3 computes in NumPy and TensorFlow.
// Images are arrays of 784 pixels in 0..1, ink 1. A row is one example's Float64Array.

const SIDE = 28;

// The weights, float16 and little-endian in base64, as float32.
function decodeWeights(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const view = new DataView(bytes.buffer), weights = new Float32Array(bytes.length / 2);
  const values = Float32Array.from({length: 65536}, (_, half) => halfToFloat(half));
  for (let i = 0; i < weights.length; i++) weights[i] = values[view.getUint16(2 * i, true)];
  return weights;
}

function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// The layers of a network with their weights, which `take(count)` hands out in order.
function withWeights(layers, take) {
  return layers.map(layer => {
    const taps = layer.kind === "conv" ? layer.kernel ** 2 * layer.inputs : layer.inputs;
    return {
      ...layer,
      w: take(taps * layer.outputs),
      b: take(layer.outputs),
      scale: layer.normalised && take(layer.outputs),
      shift: layer.normalised && take(layer.outputs),
    };
  });
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

// SAME convolution of x [side, side, inputs] with w [kernel, kernel, inputs, outputs], then a 2 x 2
// max-pool if the layer has one, then the activation. TensorFlow puts the odd zero at the end.
function conv({w, b, kernel, inputs, outputs, stride, pool, activation}, x) {
  const side = Math.sqrt(x.length / inputs), rows = Math.ceil(side / stride);
  const before = Math.max((rows - 1) * stride + kernel - side, 0) >> 1;
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
          for (let channel = 0; channel < inputs; channel++) patch[to + channel] = x[from + channel];
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

const forward = (layers, x) =>
  layers.reduce((x, layer) => layer.kind === "conv" ? conv(layer, x) : dense(layer, x), x);

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
    const weights = decodeWeights(model.weights);
    let offset = 0;
    const take = count => weights.subarray(offset, offset += count);
    this.generator = withWeights(model.generator, take);
    const reader = model.determinator;
    if (!reader) return;
    this.features = withWeights(reader.features, take);
    this.logits = withWeights([reader.logits], take);
    if (reader.code) this.code = withWeights([reader.code], take);
  }

  // The image of a class with this noise. Each class owns entries of the latent.
  draw(label, noise) {
    const {classConditional, classNames, noiseEntries, pixelMin} = this.model;
    let latent = Float64Array.from(noise);
    if (classConditional) {
      latent = new Float64Array(classNames.length * noiseEntries);
      latent.set(noise, label * noiseEntries);
    }
    return forward(this.generator, latent).map(v => (v - pixelMin) / (1 - pixelMin));
  }

  // What the determinator reads: the probability of each class, and the noise that it encodes the
  // handwriting as, in -1..1, if it has an encoder. Its code is normal, the noise uniform.
  read(image) {
    const features = forward(this.features, image);
    const probabilities = softmax(forward(this.logits, features));
    if (!this.code) return {probabilities};
    const mean = forward(this.code, features).subarray(0, this.model.noiseEntries);
    return {probabilities, noise: mean.map(v => erf(v / Math.SQRT2))};
  }
}
