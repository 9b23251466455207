// The page: what a visitor sets, and what is shown of it. Every change paints the one state anew; of paintings the newest wins.
import * as camera from "./camera.js";
import { bring } from "./hub.js";
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
let paintings = 0, visits = 0; // numbers of what was asked for so far: pictures, photos
let pace = []; // in words, of the camera
let moved = false, following = false; // the knob, since it was painted last; the painter, after it

const credit = ({ title, by }) => `After ${title}${by ? `, ${by}` : ""}. Painted with Missing Ingredient.`;

// Paint what is set, unless something newer is asked for meanwhile. `size`: a smaller one while a knob is moved.
async function paint(size = Number(chosen("size"))) {
  const mine = ++paintings, wanted = () => mine === paintings, faded = contrast.value / 100;
  line.busy(!camera.isOn());
  if (!on) info.textContent = "Loading what paints, some 17 MB, this once ...";
  try {
    await ready;
    const asked = { style, photo };
    const picture = fade(await reduce(asked.photo, size), faded);
    const painted = await painter.compare(wanted, asked.style, ["batch", "instance"], picture);
    if (!painted) return;
    shown = { ...asked, picture, painted };
    rate = (picture.width * picture.height) / (painted.batch.seconds + painted.instance.seconds);
    show();
  } catch (error) {
    if (wanted()) tell(error.message);
  }
  if (wanted()) line.busy(false);
}

// While the knob is moved: small enough to follow the hand, and one after the other, or a hand that does not rest would see none.
async function follow() {
  moved = true;
  if (following) return;
  following = true;
  while (moved) {
    moved = false;
    await paint(Math.min(Number(chosen("size")), Math.max(128, 16 * Math.round(Math.sqrt(rate * LIVE) / 16))));
  }
  following = false;
}

function rest() {
  moved = false;
  paint();
}

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
  info.textContent = [`${picture.width}×${picture.height} px`, ...times, ...pace, `on your ${on}`].join(" · ");
  const { about } = shown.style; // ours is HTML, of a style from the Hub it is an element
  typeof about === "string" ? (find("#about").innerHTML = about) : find("#about").replaceChildren(about);
  find("#painting").hidden = !shown.style.painting;
  if (shown.style.painting) find("#painting img").src = shown.style.painting;
  all("#saves button").forEach((button) => (button.disabled = false));
}

const lookUp = () => find("#comparison").scrollIntoView({ behavior: "smooth", block: "nearest" });

// Another photo: seen at once, painted, and then the wall in all styles.
async function take(found, mine) {
  photo = found;
  setContrast(100); // as it is, whatever the last one had lost
  all("#examples button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.photo === found.source));
  put(find("#photo img"), await encode(await reduce(photo, 400), "image/jpeg"));
  lookUp();
  await paint();
  await hang(mine);
}

// The wall on one's own photo, tile by tile, after whatever is asked for meanwhile.
async function hang(mine, styles = zoo.styles) {
  const small = await tile(photo, TILE), wanted = () => mine === visits;
  for (const one of styles) {
    const done = await painter?.paint(wanted, one.generators.instance, small).catch(() => null); // `paint` says why
    if (!wanted()) return;
    if (done) put(find(`[data-style="${one.slug}"] img`), await encode(done.picture, "image/jpeg"));
  }
}

// A style of the Hub, for this visit: the one time that this page asks anybody but its own host.
async function takeShared(given) {
  const note = find("#hub-note"), name = given.trim().replace(`${zoo.hub.address}/`, ""), get = find("#hub button");
  get.disabled = true;
  note.textContent = `Asking ${new URL(zoo.hub.address).host} ...`;
  try {
    await ready;
    let found = zoo.styles.find(({ title }) => title === name);
    if (!found) {
      found = await bring(name, zoo.hub, zoo.runtime);
      zoo.styles.push(found);
      addTile(found);
      hang(visits, [found]);
    }
    note.textContent = `${name} hangs on the wall until you leave this page.`;
    pick(found.slug);
  } catch ({ message }) {
    note.textContent = message;
  }
  get.disabled = false;
}

function addTile({ slug, title }) {
  const added = find("#styles button").cloneNode(true);
  Object.assign(added, { title }).dataset.style = slug;
  added.querySelector("img").removeAttribute("src");
  added.querySelector(".caption-label").textContent = title;
  find("#styles .grid-container").append(added);
}

function put(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

// A photo that is still being read.
async function takeSource(reading) {
  const mine = ++visits;
  stopCamera();
  try {
    const found = await reading;
    if (mine === visits) await take(found, mine);
  } catch (error) {
    tell(error.message);
  }
}

const takeFile = (file) => file && takeSource(read(file, file.name || "the picture"));

async function readExample(source) {
  const answer = await fetch(source);
  return { ...(await read(await answer.blob(), source.split("/").pop())), source };
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

function choose(slug) {
  style = zoo.styles.find((one) => one.slug === slug);
  all("#styles button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.style === slug));
}

function pick(slug) {
  choose(slug);
  lookUp();
  paint();
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
    pace = [`${((1000 * (times.length - 1)) / (times.at(-1) - times[0] || Infinity)).toFixed(1)} frames/s`];
  }
}

function stopCamera() {
  camera.stop();
  pace = [];
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
  contrast.addEventListener("input", () => (mark(contrast), follow()));
  contrast.addEventListener("change", rest);
  find("#whole").addEventListener("click", () => (setContrast(100), rest()));
  const finishAnew = () => (shown ? show() : paint());
  strength.addEventListener("input", () => (mark(strength), finishAnew()));
  [keep, ...all("input[name=left]")].forEach((one) => one.addEventListener("change", finishAnew));
  all("input[name=size]").forEach((one) => one.addEventListener("change", () => paint()));
  find("#styles").addEventListener("click", ({ target }) => {
    const one = target.closest("button");
    if (one) pick(one.dataset.style);
  });
  find("#hub").addEventListener("submit", (event) => (event.preventDefault(), takeShared(find("#hub input").value)));
  all("#examples button").forEach((one) => one.addEventListener("click", () => takeSource(readExample(one.dataset.photo))));
  const input = find("#photo input");
  input.addEventListener("change", () => (takeFile(input.files[0]), (input.value = ""))); // the same one may be chosen again
  addEventListener("paste", (event) => takeFile(event.clipboardData.files[0]));
  addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("dragging")));
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    takeFile(event.dataTransfer.files[0]);
  });
  find("#camera").addEventListener("click", () => (camera.isOn() ? stopCamera() : runCamera().catch((e) => tell(e.message))));
  find("#shoot").addEventListener("click", () => takeSource(camera.frame()));
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
  painter.start(zoo.runtime, zoo.styles[0].generators.instance, new URLSearchParams(location.search).get("on"));
  const { device, threads, error } = await painter.device;
  if (error) throw new Error(`this browser cannot paint: ${error}`);
  on = device === "CPU" && threads > 1 ? `${device}, ${threads} threads` : device;
  photo ??= await readExample(all("#examples button")[0].dataset.photo); // the knobs have something to paint
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
