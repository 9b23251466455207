// The service worker: keeps the page for when there is no network, and sends the headers that threads need where the host
// does not. Those count from the next load on: hence one reload, at the very first visit, before anything was fetched.
export async function install() {
  if (!navigator.serviceWorker) return false; // not over https, or a browser that keeps nothing
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
  } catch {
    return false;
  }
  const reload = !self.crossOriginIsolated && self.top === self && !sessionStorage.getItem("reloaded");
  if (reload) {
    sessionStorage.setItem("reloaded", "yes");
    location.reload();
    await new Promise(() => {});
  }
  return true;
}

// Fetch what the page may still need, while nobody waits for it; resolves to whether all of it is kept.
export async function keepAll() {
  if (navigator.connection?.saveData) return false;
  const { active } = await navigator.serviceWorker.ready, answer = new MessageChannel();
  active.postMessage("keep all", [answer.port2]);
  return new Promise((resolve) => (answer.port1.onmessage = ({ data }) => resolve(data)));
}
