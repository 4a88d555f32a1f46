import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { keep } from "../../../web/js/account/session.js";
import { cacheName } from "../../../web/js/offline/caches.js";
import { showDownload } from "../../../web/js/offline/button.js";
import { addFilm, changeFilm, deleteFilm, readFilm } from "../../../web/js/offline/films.js";
import { element, held, installPage, settled } from "./dom.mjs";
import { ADA, makeFilm, MemoryCaches } from "./films.mjs";
import { MemoryLocks } from "./locks.mjs";

/** @type {any[]} the pages that hear each other's messages */
let channels;
/** @type {MemoryLocks} */
let locks;

beforeEach(() => {
  channels = [];
  locks = new MemoryLocks();
  installPage(() => undefined);
  keep(/** @type {any} */ ({ token: "t", user_id: ADA, email: "ada@example.org" }));
  const scope = /** @type {any} */ (globalThis);
  scope.caches = new MemoryCaches();
  scope.MediaSource = {};
  scope.BroadcastChannel = class extends EventTarget {
    constructor() { super(); channels.push(this); }
  };
  Object.defineProperty(globalThis, "navigator", { value: { locks, serviceWorker: {} }, configurable: true });
});

/** Show the button of a page, while another page downloads the film; `end` ends that download. */
async function makeFollower() {
  const root = element("download-start download-cancel download-progress download-done download-text download-meter download-fill download-said");
  const film = makeFilm({ whole: false });
  await addFilm(film, [], []);
  const other = held();
  const ended = locks.request(cacheName(ADA, "film"), {}, () => other.promise);
  await showDownload(root, "film", { resume: true });
  const tell = (/** @type {number} */ percent) => {
    for (const channel of channels) channel.dispatchEvent(Object.assign(new Event("message"), { data: { title_id: "film", percent, waits: false } }));
  };
  const end = async () => {
    other.settle();
    await ended;
    await settled();
  };
  const find = (/** @type {string} */ name) => root.querySelector(`[data-hook="download-${name}"]`);
  return { film, tell, end, find, shown: () => ["start", "cancel", "done"].filter((name) => !find(name).hidden) };
}

test("a page follows the download of another one, and shows when it has ended", async () => {
  const { film, tell, end, find, shown } = await makeFollower();
  assert.deepEqual(shown(), ["cancel"]);
  tell(37);
  assert.match(find("text").textContent, /37/);
  await changeFilm(film, { whole: true });
  tell(100);
  await end();
  assert.deepEqual(shown(), ["done"]);
});

test("a page offers to continue a download whose page was closed", async () => {
  const { tell, end, shown } = await makeFollower();
  tell(37);
  await end();
  assert.deepEqual(shown(), ["start"]);
});

test("a film that is whole is not deleted by whoever cancels its download", async () => {
  const { film, tell, find, shown } = await makeFollower();
  tell(99);
  await changeFilm(film, { whole: true });
  find("cancel").click();
  await settled();
  assert.ok(await readFilm("film", ADA));
  assert.deepEqual(shown(), ["done"]);
});

test("a download of another page is cancelled, and no longer shown", async () => {
  const { film, tell, find, shown, end } = await makeFollower();
  tell(50);
  find("cancel").click();
  await settled();
  assert.equal(await readFilm("film", ADA), null);
  await end();
  assert.deepEqual(shown(), ["start"]);
  assert.equal(await deleteFilm(film), false);
});
