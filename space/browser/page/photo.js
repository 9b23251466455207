// A visitor's photo: read, reduced, cut. What the browser can decode it decodes; it is upright, and transparency lies over white.
const LEAST = 32; // px of a side

// {name, bitmap} of a file, or of what was fetched. Throws an Error whose words the visitor may read.
export async function read(blob, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new Error(`cannot read ${name} as a picture: use a sound JPEG, PNG or WebP`);
  }
  const { width, height } = bitmap;
  if (Math.min(width, height) < LEAST) throw new Error(`${name} is ${width}×${height} px: both sides must be at least ${LEAST} px`);
  return { name: name.replace(/\.[^.]*$/, ""), bitmap };
}

// With a long side of at most `size` px, never enlarged.
export async function reduce({ bitmap }, size) {
  const scale = Math.min(1, size / Math.max(bitmap.width, bitmap.height));
  const sides = [bitmap.width, bitmap.height].map((side) => Math.max(LEAST, Math.round(side * scale)));
  return scale === 1 ? pixels(bitmap, ...sides) : resized(bitmap, [0, 0, bitmap.width, bitmap.height], ...sides);
}

// The middle, `side` px square.
export function tile({ bitmap }, side) {
  const { width, height } = bitmap, least = Math.min(width, height);
  return resized(bitmap, [(width - least) >> 1, (height - least) >> 1, least, least], side, side);
}

async function resized(bitmap, part, width, height) {
  const small = await createImageBitmap(bitmap, ...part, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  const read = pixels(small, width, height);
  small.close();
  return read;
}

// The pixels of anything that can be drawn, at that size.
export function pixels(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// A JPEG or PNG of pixels.
export function encode(picture, type) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas.convertToBlob({ type, quality: 0.9 });
}
