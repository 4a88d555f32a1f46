/**
 * The service worker of the site. Online, it changes nothing: pages come from the network, and a name with a hash always
 * means the same bytes. Without a network, it answers with the downloads page, and plays downloaded films on the
 * watch page, which it stores when a film is downloaded.
 *
 * The build puts the lists of files before this script (web/offline.py), so a new release is a new service worker.
 */

/** @type {any} the global scope of a service worker, which the types of pages do not contain */
const worker = self;
/**
 * The lists of files, and the pages among them: the downloads page and the watch page in each language, first in the
 * language at the root of the site.
 * @type {{ version: string, shell: string[], player: string[], shells: string[], players: string[] }}
 */
const { version, shell, player, shells, players } = worker.notflixFiles;

const PREFIX = "notflix shell ";
const CURRENT = PREFIX + version;
const PAGES = [...shells, ...players];
/** The end of an asset's name, which contains the hash of its content (web/hashed_names.py); pictures have `?v=`, with the hash of their ETags. */
const HASHED = /\.[0-9a-f]{12}\.[a-z0-9]+$/;

/**
 * Return the downloads page in the language of a page.
 * @param {string} path
 */
const fallbackFor = (path) => shells.slice(1).find((shown) => path.startsWith(shown.slice(0, shown.lastIndexOf("/") + 1))) ?? shells[0];

/**
 * Store files of the site; pages are requested again even if the browser has them.
 * @param {string[]} paths
 */
async function keep(paths) {
  const cache = await caches.open(CURRENT);
  await cache.addAll(paths.map((path) => new Request(path, { cache: PAGES.includes(path) ? "no-cache" : "default" })));
}

/** @param {RequestInfo} file */
const kept = (file) => caches.match(file, { cacheName: CURRENT, ignoreVary: true });

/** Store the files of this release, and the player if the last release had stored it. */
async function install() {
  const plays = await caches.match(players[0]);
  await keep(plays ? [...new Set([...shell, ...player])] : shell);
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CURRENT).map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable();
  await worker.clients.claim();
}

/** @param {any} event */
async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    const { pathname } = new URL(event.request.url);
    return (PAGES.includes(pathname) && (await kept(pathname))) || (await kept(fallbackFor(pathname))) || Response.error();
  }
}

/**
 * Return an asset; without a network, also the picture of a downloaded film.
 * @param {Request} request
 */
async function asset(request) {
  const found = await kept(request);
  if (found) return found;
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request, { ignoreVary: true })) ?? Response.error();
  }
}

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (HASHED.test(pathname) || searchParams.has("v")) event.respondWith(asset(request));
});
worker.addEventListener("message", (/** @type {any} */ event) => {
  const [port] = event.ports;
  if (event.data !== "keep player" || !port) return;
  event.waitUntil(keep(player).then(() => port.postMessage(true), () => port.postMessage(false)));
});
