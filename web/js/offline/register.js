/** The service worker of the site, registered once the page has loaded. It shows the downloads if there is no network. */

const ADDRESS = "/sw.js";
const PATIENCE_MS = 60_000;

/** Register the service worker; browsers without one, or that refuse it, show their own page when they are offline. */
const register = () => navigator.serviceWorker.register(ADDRESS).catch(() => null);

/**
 * Make sure that the watch page works without a network; return whether it does.
 * @returns {Promise<boolean>}
 */
export async function keepPlayer() {
  if (!(await register())) return false;
  const asked = navigator.serviceWorker.ready.then(({ active }) => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", ({ data }) => resolve(data === true));
    port1.start();
    active?.postMessage("keep player", [port2]);
  }));
  return Promise.race([asked, new Promise((resolve) => { setTimeout(() => resolve(false), PATIENCE_MS); })]);
}

if (globalThis.document && navigator.serviceWorker) {
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register, { once: true });
}
