// Paints, in a thread of its own. First it is told where the runtime is, what to try it on, what the visitor wants it to paint
// on (cpu, gpu or whatever is faster) and how many threads it may have, {builds, generator, wanted, threads}, and answers {on}:
// what it paints on. Then {id, generator, picture} is answered by {id, picture, seconds} or {id, error}, one at a time.
import { toPicture, toPlanes } from "./pixels.js";

const KEPT = 8; // generators in memory, those used last
const PROBE = 128; // px
const sessions = new Map();
let ort, provider = "wasm";

async function start({ builds, generator, wanted, threads }) {
  // Of the runtime there is one build for processors and one for graphics cards, too, which asks for more of the browser.
  const adapter = "Suspending" in WebAssembly && (await navigator.gpu?.requestAdapter().catch(() => null));
  const gpu = adapter && (wanted ? wanted === "gpu" : !adapter.info?.isFallbackAdapter); // which is a processor, pretending
  const [api, wasm] = builds[gpu ? "gpu" : "cpu"];
  const address = (suffix) => new URL(`ort/${wasm}.${suffix}`, import.meta.url).href;
  ort = await import(`./ort/${api}`);
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = { mjs: address("mjs"), wasm: address("wasm") };
  ort.env.wasm.numThreads = threads;
  const processor = await probe(generator);
  if (gpu) {
    provider = "webgpu";
    const card = await probe(generator).catch(() => Infinity);
    if (card === Infinity || (wanted !== "gpu" && card > processor)) provider = "wasm"; // small generators may be slower there
    sessions.clear();
  }
  return { device: provider === "wasm" ? "CPU" : "GPU", threads };
}

// Seconds that a small picture takes, once everything is warm.
async function probe(generator) {
  sessions.clear();
  const picture = new ImageData(PROBE, PROBE);
  await paint({ generator, picture });
  return (await paint({ generator, picture })).seconds;
}

async function session(generator) {
  let found = sessions.get(generator);
  if (!found) {
    const answer = await fetch(generator);
    if (!answer.ok) throw new Error(`${generator} is not to be had (${answer.status})`);
    // No arena, which would keep what the largest picture took; no warnings of shapes that are computed beside a graphics card.
    const options = { executionProviders: [provider], enableCpuMemArena: false, logSeverityLevel: 3 };
    found = await ort.InferenceSession.create(new Uint8Array(await answer.arrayBuffer()), options);
  }
  sessions.delete(generator);
  sessions.set(generator, found); // now the last that was used
  if (sessions.size > KEPT) {
    const [oldest, old] = sessions.entries().next().value;
    sessions.delete(oldest);
    await old.release();
  }
  return found;
}

const isLight = (value) => value > -0.01 && value < 1.01; // no NaN is

async function paint({ generator, picture }) {
  const model = await session(generator), { width, height } = picture;
  const photo = new ort.Tensor("float32", toPlanes(picture), [1, 3, height, width]);
  const began = performance.now();
  const { painted } = await model.run({ photo });
  const seconds = (performance.now() - began) / 1000;
  if (String(painted?.dims) !== String(photo.dims) || !painted.data.every(isLight)) throw new Error("what it gives is no picture");
  return { picture: toPicture(painted.data, width, height), seconds };
}

self.onmessage = async ({ data }) => {
  const answer = async () => (data.builds ? { on: await start(data) } : { id: data.id, ...(await paint(data)) });
  try {
    self.postMessage(await answer());
  } catch (error) {
    const words = { error: String(error?.message ?? error) };
    self.postMessage(data.builds ? { on: words } : { id: data.id, ...words });
  }
};
