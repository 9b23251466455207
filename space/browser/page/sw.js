// The page without a network: every file, kept by what it holds (the build fills in which there are). What has not changed
// since the last build is not fetched again, and the new page is there at the next visit.
const FILES = $files;
const HEADERS = $headers;
const CACHE = "missing-ingredient";
const SHELL = Object.keys(FILES).filter((name) => /^[^/]+\.(html|js|css|svg|webmanifest)$$|^opening\//.test(name));

const nameOf = (url) => decodeURI(url.slice(self.registration.scope.length).replace(/[?#].*/, "")) || "index.html";
const keyOf = (name) => `$${self.registration.scope}$${name}?$${FILES[name]}`;

self.addEventListener("install", (event) => event.waitUntil(Promise.all(SHELL.map(get)).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const { url, method } = event.request;
  if (method === "GET" && url.startsWith(self.registration.scope) && nameOf(url) in FILES) event.respondWith(answer(nameOf(url)));
});
self.addEventListener("message", (event) => event.waitUntil(keepAll().then((kept) => event.ports[0].postMessage(kept))));

// A file as it is kept, or else fetched and kept. Past the browser's own cache, which may hold that of an earlier build.
async function get(name) {
  const cache = await caches.open(CACHE), kept = await cache.match(keyOf(name));
  if (kept) return kept;
  const found = await fetch(new URL(name, self.registration.scope), { cache: "no-cache" });
  if (found.ok) await cache.put(keyOf(name), found.clone()).catch(() => {}); // no room: it works on, with a network
  return found;
}

async function answer(name) {
  const { body, status, headers } = await get(name), all = new Headers(headers);
  for (const [key, value] of Object.entries(HEADERS)) all.set(key, value);
  return new Response(body, { status, headers: all });
}

// The runtime was kept when it was used: of its two builds a browser needs one.
async function keepAll() {
  try {
    for (const name of Object.keys(FILES)) if (!name.startsWith("ort/")) await (await get(name)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

async function tidy() {
  const cache = await caches.open(CACHE), wanted = new Set(Object.keys(FILES).map(keyOf));
  for (const { url } of await cache.keys()) if (url.startsWith(self.registration.scope) && !wanted.has(url)) await cache.delete(url);
}
