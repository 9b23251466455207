// The line between two pictures: dragged, tapped, or moved by the arrow keys.
const box = document.querySelector("#comparison");
const [left, right] = box.querySelectorAll("canvas");
const range = box.querySelector("input");

const place = (percent) => {
  range.value = percent;
  box.style.setProperty("--line", `${percent}%`);
};
const follow = (event) => {
  const { x, width } = box.getBoundingClientRect();
  place(Math.min(100, Math.max(0, (100 * (event.clientX - x)) / width)));
};

range.addEventListener("input", () => place(range.value));
box.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  box.setPointerCapture(event.pointerId);
  follow(event);
});
box.addEventListener("pointermove", (event) => box.hasPointerCapture(event.pointerId) && follow(event));

// Two pictures of one size.
export function show(pictures) {
  const { width, height } = pictures[0];
  box.style.setProperty("--width", width);
  box.style.setProperty("--height", height);
  [left, right].forEach((canvas, i) => draw(canvas, pictures[i]));
}

export function draw(canvas, picture) {
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

// Pictures that were painted in advance, by their addresses.
export async function open(addresses) {
  await Promise.all(
    [left, right].map(async (canvas, i) => {
      const picture = new Image();
      picture.src = addresses[i];
      await picture.decode();
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    }),
  );
}

export const busy = (is) => {
  box.setAttribute("aria-busy", is);
  box.querySelector("progress").hidden = !is;
};
export const leftIs = (words) => left.setAttribute("aria-label", words);
