// Decodes ThumbHash, the few bytes that stand for a picture while it loads.
// The format is described at https://evanw.github.io/thumbhash/: a header with the mean of each
// channel (L, P, Q and perhaps alpha), then the cosine coefficients of each, four bits apiece.

const SIDE = 20;
const BYTES_MIN = 5;

/** `cosines(n)[k * SIDE + i]`: the k-th of n cosines at the middle of pixel i. */
function cosines(terms) {
  const table = new Float32Array(terms * SIDE);
  for (let k = 0; k < terms; k += 1) {
    for (let i = 0; i < SIDE; i += 1) table[k * SIDE + i] = Math.cos((Math.PI / SIDE) * (i + 0.5) * k);
  }
  return table;
}

const COSINES = cosines(8);

/** Reads nibbles, low half first. */
function nibbles(bytes, start) {
  let at = start * 2;
  return () => {
    const byte = bytes[at >> 1] ?? 0;
    const nibble = at & 1 ? byte >> 4 : byte & 15;
    at += 1;
    return nibble;
  };
}

/** Adds the cosines of one channel, an nx by ny triangle without its mean, onto `plane`. */
function addWaves(plane, next, nx, ny, scale) {
  for (let ky = 0; ky < ny; ky += 1) {
    for (let kx = ky === 0 ? 1 : 0; kx * ny < nx * (ny - ky); kx += 1) {
      const weight = (next() / 7.5 - 1) * scale * 2;
      if (weight === 0) continue;
      for (let y = 0; y < SIDE; y += 1) {
        const column = weight * COSINES[ky * SIDE + y];
        for (let x = 0; x < SIDE; x += 1) plane[y * SIDE + x] += column * COSINES[kx * SIDE + x];
      }
    }
  }
}

/** Draws the hash over the whole canvas, whose box has the picture's shape. False if unreadable. */
export function paint(canvas, base64) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return false;
  }
  if (bytes.length < BYTES_MIN) return false;

  const head = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const tail = bytes[3] | (bytes[4] << 8);
  const hasAlpha = head >> 23 === 1;
  const isLandscape = tail >> 15 === 1;
  const long = hasAlpha ? 5 : 7;
  const short = Math.max(3, tail & 7);

  const flat = (mean) => new Float32Array(SIDE * SIDE).fill(mean);
  const light = flat((head & 63) / 63);
  const yellowBlue = flat(((head >> 6) & 63) / 31.5 - 1);
  const redGreen = flat(((head >> 12) & 63) / 31.5 - 1);
  const alpha = flat(hasAlpha ? (bytes[5] & 15) / 15 : 1);

  const next = nibbles(bytes, hasAlpha ? 6 : 5);
  addWaves(light, next, isLandscape ? long : short, isLandscape ? short : long, ((head >> 18) & 31) / 31);
  addWaves(yellowBlue, next, 3, 3, (((tail >> 3) & 63) / 63) * 1.25);
  addWaves(redGreen, next, 3, 3, (((tail >> 9) & 63) / 63) * 1.25);
  if (hasAlpha) addWaves(alpha, next, 5, 5, (bytes[5] >> 4) / 15);

  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const blue = light[i] - (2 / 3) * yellowBlue[i];
    const red = (3 * light[i] - blue + redGreen[i]) / 2;
    image.data[i * 4] = red * 255;
    image.data[i * 4 + 1] = (red - redGreen[i]) * 255;
    image.data[i * 4 + 2] = blue * 255;
    image.data[i * 4 + 3] = alpha[i] * 255;
  }
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return true;
}
