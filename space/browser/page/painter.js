// What the page asks the worker for: one picture at a time, and none that is no longer wanted when its turn comes.
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const waiting = new Map(); // id -> what to do with its answer
let ids = 0, last = Promise.resolve();

let told;
export const device = new Promise((resolve) => (told = resolve)); // on what it paints, once that is known: {device, threads}

// Have it try a generator on what there is, or on what is wanted; with threads where the page may share memory with them.
export const start = (builds, generator, wanted) =>
  worker.postMessage({ builds, generator, wanted, threads: crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1 });

worker.onmessage = ({ data }) => {
  if (data.on) return told(data.on);
  const { resolve, reject } = waiting.get(data.id);
  waiting.delete(data.id);
  data.error ? reject(new Error(data.error)) : resolve(data);
};
worker.onerror = (event) => told({ error: event.message || "the painter does not start" });

function ask(generator, picture) {
  const id = ++ids;
  worker.postMessage({ id, generator, picture });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

// A picture, after all that was asked for before; null, and nothing is painted, when by then it is no longer wanted.
export function paint(wanted, generator, picture) {
  const mine = last.then(() => (wanted() ? ask(generator, picture) : null));
  last = mine.catch(() => {});
  return mine;
}

// The picture by each of the norms, {norm: {picture, seconds}}; null when it is no longer wanted.
export async function compare(wanted, style, norms, picture) {
  const done = {};
  for (const norm of norms) done[norm] = await paint(wanted, style.generators[norm], picture);
  return wanted() ? done : null;
}
