// Animations as GIF files: grey levels, compressed by LZW, repeated for ever.

// frames: Uint8Arrays of width x height grey levels; delay: of each, in hundredths of a second.
function encodeGif(frames, width, height, delay) {
  const bytes = [];
  const put = (...values) => { for (const value of values) bytes.push(value & 255); };
  const putShort = value => put(value, value >> 8);
  put(...[..."GIF89a"].map(c => c.charCodeAt(0)));
  putShort(width);
  putShort(height);
  put(0xf7, 0, 0);  // a palette of 256 colours
  for (let level = 0; level < 256; level++) put(level, level, level);
  put(0x21, 0xff, 11, ...[..."NETSCAPE2.0"].map(c => c.charCodeAt(0)), 3, 1, 0, 0, 0);
  for (const frame of frames) {
    put(0x21, 0xf9, 4, 4);
    putShort(delay);
    put(0, 0, 0x2c, 0, 0, 0, 0);
    putShort(width);
    putShort(height);
    put(0, 8);
    const codes = compress(frame);
    for (let i = 0; i < codes.length; i += 255) {
      const block = codes.subarray(i, i + 255);
      put(block.length, ...block);
    }
    put(0);
  }
  put(0x3b);
  return Uint8Array.from(bytes);
}

// LZW of bytes: codes of 9 to 12 bits, the lowest bit first.
function compress(pixels) {
  const CLEAR = 256, END = 257, codes = [];
  let held = 0, count = 0, size = 9, table = new Map(), next = 258, prefix = pixels[0];
  const emit = code => {
    held |= code << count;
    for (count += size; count >= 8; count -= 8, held >>>= 8) codes.push(held & 255);
  };
  emit(CLEAR);
  for (let i = 1; i < pixels.length; i++) {
    const key = prefix << 8 | pixels[i], known = table.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    emit(prefix);
    if (next < 4096) {
      table.set(key, next);
      if (next++ === 1 << size) size++;
    } else {
      emit(CLEAR);
      [size, next, table] = [9, 258, new Map()];
    }
    prefix = pixels[i];
  }
  emit(prefix);
  emit(END);
  if (count) codes.push(held & 255);
  return Uint8Array.from(codes);
}
