// The page: what a visitor sets, and what is shown of it. Every change paints the one state anew; of paintings the newest wins.
import * as camera from "./camera.js";
import * as line from "./line.js";
import * as offline from "./offline.js";
import { encode, read, reduce, tile } from "./photo.js";
import { fade, finish } from "./pixels.js";
import { save, saveBoth } from "./save.js";

const TILE = 176, CAMERA = 192; // px
const LIVE = 0.25; // s that a pair of pictures may take while a knob is moved

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const zoo = JSON.parse(find("#zoo").textContent);
const [contrast, strength, keep, info] = ["#contrast-range", "#strength", "#keep-colours", "#info"].map(find);
const chosen = (name) => find(`input[name="${name}"]:checked`).value;

let painter; // once what it needs is loaded
let on; // what it paints on, in words
let style = zoo.styles[0], photo = null, shown = null;
let rate = 512 ** 2 / 2; // pixels of a pair that are painted in a second, as far as is known
let visits = 0; // number of photos so far

const credit = ({ title, by }) => `After ${title}${by ? `, ${by}` : ""}. Painted with Missing Ingredient.`;

// Paint what is set. `size`: a smaller one while a knob is moved.
async function paint(size = Number(chosen("size"))) {
  if (!photo) return;
  line.busy(true);
  try {
    await ready;
    const asked = { style, photo }, picture = fade(await reduce(photo, size), contrast.value / 100);
    const painted = await painter.compare(style, ["batch", "instance"], picture);
    if (!painted) return; // a newer one is on its way
    shown = { ...asked, picture, painted };
    rate = (picture.width * picture.height) / (painted.batch.seconds + painted.instance.seconds);
    show();
    line.busy(false);
  } catch (error) {
    line.busy(false);
    tell(error.message);
  }
}

// Small enough to follow the hand.
const paintLive = () => paint(Math.min(Number(chosen("size")), Math.max(128, 16 * Math.round(Math.sqrt(rate * LIVE) / 16))));

// The two sides as they are shown and saved.
function sides() {
  const { picture, painted } = shown, left = chosen("left");
  const done = (norm) => finish(painted[norm].picture, picture, Number(strength.value), keep.checked);
  return { left, pictures: [left === "photo" ? picture : done("batch"), done("instance")], batch: () => done("batch") };
}

function show() {
  const { left, pictures } = sides(), { painted, picture } = shown;
  line.show(pictures);
  line.leftIs(left === "photo" ? "your photo" : "painted with batch norm");
  find("#captions").innerHTML = zoo.captions[left];
  const times = Object.entries(painted).map(([norm, { seconds }]) => `${norm} norm ${seconds.toFixed(2)} s`);
  info.textContent = [`${picture.width}×${picture.height} px`, ...times, `on your ${on}`].join(" · ");
  find("#about").innerHTML = shown.style.about;
  find("#painting").hidden = !shown.style.painting;
  if (shown.style.painting) find("#painting img").src = shown.style.painting;
  all("#saves button").forEach((button) => (button.disabled = false));
}

// Another photo: seen at once, painted, and then the wall in all styles.
async function take(found, own = true) {
  const mine = ++visits;
  photo = found;
  if (own) setContrast(100);
  all("#examples button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.photo === found.source));
  put(find("#photo img"), await encode(await reduce(photo, 400), "image/jpeg"));
  await paint();
  await hang(mine);
}

// The wall on one's own photo, tile by tile, after whatever is asked for meanwhile.
async function hang(mine) {
  const small = await tile(photo, TILE), wanted = () => mine === visits;
  for (const one of zoo.styles) {
    const done = await painter?.paintTile(wanted, one.generators.instance, small).catch(() => null); // `paint` says why
    if (!wanted()) return;
    if (done) put(find(`[data-style="${one.slug}"] img`), await encode(done.picture, "image/jpeg"));
  }
}

function put(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

async function takeFile(file) {
  if (!file) return;
  stopCamera();
  try {
    await take(await read(file, file.name || "the picture"));
  } catch (error) {
    tell(error.message);
  }
}

async function takeExample(source, own) {
  const answer = await fetch(source);
  await take({ ...(await read(await answer.blob(), source.split("/").pop())), source }, own);
}

function setContrast(percent) {
  contrast.value = percent;
  mark(contrast);
}

// The number beside a slider, and how far it is filled.
function mark(range) {
  const { min, max, value, parentElement } = range;
  parentElement.querySelector("output").textContent = value;
  range.style.setProperty("--filled", `${(100 * (value - min)) / (max - min)}%`);
}

// A visitor who starts with the knobs starts with the zoo's own photo.
const change = async (paintIt) => (photo ? paintIt() : takeExample(all("#examples button")[0].dataset.photo, false));

function choose(slug) {
  style = zoo.styles.find((one) => one.slug === slug);
  all("#styles button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.style === slug));
}

async function runCamera() {
  await camera.start();
  find("#camera").textContent = "Stop";
  find("#shoot").hidden = false;
  visits++; // the wall waits
  for (let times = []; camera.isOn(); ) {
    photo = await camera.frame();
    await paint(CAMERA);
    times = [...times.slice(-9), performance.now()];
    const seconds = (times.at(-1) - times[0]) / 1000;
    if (camera.isOn() && seconds) info.textContent += ` · ${((times.length - 1) / seconds).toFixed(1)} frames/s`;
  }
}

function stopCamera() {
  camera.stop();
  find("#camera").textContent = "Camera";
  find("#shoot").hidden = true;
}

function tell(words) {
  const message = find("#message");
  message.textContent = words;
  message.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (message.hidden = true), 8000);
}

function wire() {
  contrast.addEventListener("input", () => (mark(contrast), change(paintLive)));
  contrast.addEventListener("change", () => change(paint));
  find("#whole").addEventListener("click", () => (setContrast(100), change(paint)));
  strength.addEventListener("input", () => (mark(strength), shown ? show() : change(paint)));
  [keep, ...all("input[name=left]")].forEach((one) => one.addEventListener("change", () => (shown ? show() : change(paint))));
  all("input[name=size]").forEach((one) => one.addEventListener("change", () => change(paint)));
  all("#styles button").forEach((one) => one.addEventListener("click", () => (choose(one.dataset.style), change(paint))));
  all("#examples button").forEach((one) => one.addEventListener("click", () => (stopCamera(), takeExample(one.dataset.photo))));
  const input = find("#photo input");
  input.addEventListener("change", () => takeFile(input.files[0]).then(() => (input.value = "")));
  addEventListener("paste", (event) => takeFile(event.clipboardData.files[0]));
  addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("dragging")));
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    takeFile(event.dataTransfer.files[0]);
  });
  find("#camera").addEventListener("click", () => (camera.isOn() ? stopCamera() : runCamera().catch((e) => tell(e.message))));
  find("#shoot").addEventListener("click", async () => {
    const seen = await camera.frame();
    stopCamera();
    await take(seen);
  });
  const name = (...words) => [shown.photo.name, shown.style.slug, ...words].join("-");
  for (const [i, norm] of ["batch", "instance"].entries())
    find(`#save-${norm}`).addEventListener("click", () =>
      save(i ? sides().pictures[1] : sides().batch(), name(norm), credit(shown.style)));
  find("#save-both").addEventListener("click", () => {
    const { left, pictures } = sides();
    saveBoth(pictures, [left === "photo" ? "The photo" : "Batch norm", "Instance norm"], name(left, "instance"), credit(shown.style));
  });
}

// Everything that the first photo needs, before there is one.
async function load() {
  const kept = await offline.install();
  painter = await import("./painter.js");
  painter.start(zoo.runtime, zoo.styles[0].generators.instance);
  const { device, threads, error } = await painter.device;
  if (error) throw new Error(`this browser cannot paint: ${error}`);
  on = device === "CPU" && threads > 1 ? `${device}, ${threads} threads` : device;
  document.body.dataset.on = device;
  if (kept) offline.keepAll().then(sayKept);
}

function sayKept(everything) {
  if (everything) find("#offline").textContent = "All of this page is kept on your device: it works offline.";
}

choose(style.slug);
[contrast, strength].forEach(mark);
await line.open(["batch", "instance"].map((norm) => `opening/${norm}.jpg`));
const ready = load();
wire();
await ready.catch(({ message }) => tell(message));
