// Pictures as numbers, as zoo/images.py and zoo/finish.py have them. A picture is an ImageData whose alpha is 255; what is
// written into its Uint8ClampedArray is clamped and rounded to the nearest level, half to even, as torch rounds.

// Scale the contrast about the mean colour: 1 leaves the picture, 0 would make it flat.
export function fade(picture, contrast) {
  if (contrast === 1) return picture;
  const { data, width, height } = picture, mean = meanColour(data), faded = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) {
    const c = i & 3;
    faded.data[i] = c === 3 ? 255 : mean[c] + contrast * (data[i] - mean[c]);
  }
  return faded;
}

function meanColour(data) {
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
  return sum.map((s) => (s * 4) / data.length);
}

// 3×H×W floats in [0, 1], red plane first.
export function toPlanes({ data, width, height }) {
  const pixels = width * height, planes = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < pixels; i++) planes[c * pixels + i] = data[4 * i + c] / 255;
  return planes;
}

// The picture of such planes.
export function toPicture(planes, width, height) {
  const pixels = width * height, picture = new ImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) picture.data[4 * i + c] = 255 * planes[c * pixels + i];
    picture.data[4 * i + 3] = 255;
  }
  return picture;
}

// Between the photo, at strength 0, and what was painted of it, at 1. With keepColours the light and dark alone are the
// painting's, luma in YCbCr (ITU-R BT.601): every colour moves by the same step along the greys.
export function finish(painted, photo, strength, keepColours) {
  if (strength === 1 && !keepColours) return painted;
  const { width, height } = painted, done = new ImageData(width, height), a = painted.data, b = photo.data;
  for (let i = 0; i < a.length; i += 4) {
    const step = keepColours ? luma(a, i) - luma(b, i) : 0;
    for (let c = 0; c < 3; c++) {
      const goal = keepColours ? Math.min(255, Math.max(0, b[i + c] + step)) : a[i + c];
      done.data[i + c] = b[i + c] + strength * (goal - b[i + c]);
    }
    done.data[i + 3] = 255;
  }
  return done;
}

const luma = (data, i) => 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
