// Pictures to keep: PNG, lossless, with the credit inside; both sides as one picture, with the credit below.
import { encode } from "./photo.js";

export async function save(picture, name, credit) {
  download(await signed(await encode(picture, "image/png"), credit), `${name}.png`);
}

// Two pictures of one size beside each other, their titles and the credit on a strip below.
export async function saveBoth([left, right], titles, name, credit) {
  const { width, height } = left, gap = Math.max(2, Math.round(width / 128)), letters = Math.max(11, Math.round(width / 32));
  const canvas = new OffscreenCanvas(2 * width + gap, height + 3.4 * letters), context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.putImageData(left, 0, 0);
  context.putImageData(right, width + gap, 0);
  context.fillStyle = "#292524";
  context.font = `600 ${letters}px system-ui, sans-serif`;
  titles.forEach((title, i) => context.fillText(title, i * (width + gap) + letters / 2, height + 1.4 * letters, width - letters));
  context.fillStyle = "#78716c";
  context.font = `${0.8 * letters}px system-ui, sans-serif`;
  context.fillText(credit, letters / 2, height + 2.8 * letters, canvas.width - letters);
  download(await signed(await canvas.convertToBlob({ type: "image/png" }), credit), `${name}.png`);
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const HEADER = 33; // bytes of a PNG's signature and first chunk, after which its texts may stand

// The same PNG with its description, as UTF-8 (an iTXt chunk).
async function signed(blob, words) {
  const png = new Uint8Array(await blob.arrayBuffer()), text = new TextEncoder();
  const body = [...text.encode("iTXtDescription"), 0, 0, 0, 0, 0, ...text.encode(words)];
  const chunk = new DataView(new ArrayBuffer(body.length + 8));
  chunk.setUint32(0, body.length - 4);
  new Uint8Array(chunk.buffer).set(body, 4);
  chunk.setUint32(body.length + 4, crc(body));
  return new Blob([png.subarray(0, HEADER), chunk.buffer, png.subarray(HEADER)], { type: "image/png" });
}

function crc(bytes) {
  let rest = ~0;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
