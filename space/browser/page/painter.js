// What the page asks the worker for: one picture at a time, and of comparisons the newest alone.
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const waiting = new Map(); // id -> what to do with its answer
let ids = 0, newest = 0, last = Promise.resolve();

let told;
export const device = new Promise((resolve) => (told = resolve)); // on what it paints, once that is known: {device, threads}

// Have it try a generator on what there is.
export const start = (builds, generator) => worker.postMessage({ builds, generator });

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

// After all that was asked before; nothing is asked, and null comes, once it is no longer wanted.
function inTurn(wanted, generator, picture) {
  const mine = last.then(() => (wanted() ? ask(generator, picture) : null));
  last = mine.catch(() => {});
  return mine;
}

// A tile of the wall, or null when it is no longer wanted.
export const paintTile = (wanted, generator, picture) => inTurn(wanted, generator, picture);

// The picture by each of the norms, {norm: {picture, seconds}}; null when a newer comparison was asked for meanwhile.
export async function compare(style, norms, picture) {
  const mine = ++newest, done = {};
  for (const norm of norms) {
    done[norm] = await inTurn(() => mine === newest, style.generators[norm], picture);
    if (mine !== newest) return null;
  }
  return done;
}
