import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { memory } from "../../../web/js/account/session.js";
import { forgetUpload, rememberUpload } from "../../../web/js/studio/unfinished.js";
import { element, held, installPage, settled } from "./dom.mjs";
import { MemoryLocks } from "./locks.mjs";

globalThis.localStorage = /** @type {any} */ (memory());
const { bindUploads } = await import("../../../web/js/studio/uploads.js");

const NAME = "Sea.mp4";
const TICKET = { upload_url: "https://blobs.example/film?sig=a", upload_id: "u", blob: NAME, title_id: "sea", replaces: false, existing: null, announced: [] };
const UPLOAD = "0123456789ab-abcdef01";
const HOOKS = "name kind state said bar pause pause-word cancel cancel-word retry replace dismiss own titles title";

/** @type {string[]} the API's paths that were requested */
let asked;
/** @type {MemoryLocks} */
let locks;

beforeEach(() => {
  asked = [];
  locks = new MemoryLocks();
  globalThis.localStorage.setItem("notflix.uploads", "[]");
  installPage((path) => {
    asked.push(path);
    return path === "uploads" ? TICKET : undefined;
  }, { upload: () => element(HOOKS) });
  globalThis.window = /** @type {any} */ (new EventTarget());
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
});

async function openTab() {
  const uploads = bindUploads(element("files drop clear uploads said"), () => {});
  await settled();
  const node = () => uploads.at.uploads.children[0];
  const press = async (/** @type {any} */ button) => {
    button.click();
    await settled();
  };
  return {
    uploads,
    press,
    on: (/** @type {string} */ name) => node().querySelector(`[data-hook="${name}"]`),
    states: () => uploads.items.map(({ state }) => state),
    choose: async () => {
      uploads.add([new File(["film"], NAME)]);
      await settled();
    },
  };
}

/** Upload the film in another tab; return the function that ends it, whether it is complete or its tab was closed. */
function uploadElsewhere() {
  const end = held();
  const ended = locks.request(`notflix.upload/${NAME}`, {}, () => end.promise);
  const remember = (/** @type {number} */ sent) => {
    rememberUpload(globalThis.localStorage, { name: NAME, size: 4, sent, atMs: Date.now(), blob: NAME, upload: UPLOAD });
    globalThis.window.dispatchEvent(new Event("storage"));
  };
  remember(1);
  return {
    remember,
    end: async ({ complete = false } = {}) => {
      if (complete) forgetUpload(globalThis.localStorage, NAME, Date.now());
      end.settle();
      await ended;
      await settled();
    },
  };
}

test("an upload that runs in another tab can be neither dismissed nor sent twice", async () => {
  const other = uploadElsewhere();
  const tab = await openTab();
  assert.deepEqual(tab.states(), ["elsewhere"]);
  assert.match(tab.on("state").textContent, /^Another tab uploads this file, 25 %/);
  assert.deepEqual(["dismiss", "cancel", "pause", "retry"].map((name) => tab.on(name).hidden), [true, true, true, true]);
  assert.equal(tab.uploads.at.clear.hidden, true);
  await tab.choose();
  assert.match(tab.uploads.at.said.textContent, /Another tab uploads Sea\.mp4 already/);
  other.remember(3);
  await settled();
  assert.match(tab.on("state").textContent, /75 %/);
  await other.end({ complete: true });
  assert.deepEqual([tab.states(), asked], [[], []]);
});

test("an upload whose tab was closed is interrupted, and can be dismissed", async () => {
  const other = uploadElsewhere();
  const tab = await openTab();
  await other.end();
  assert.deepEqual(tab.states(), ["interrupted"]);
  await tab.press(tab.on("dismiss"));
  assert.deepEqual([tab.states(), asked], [[], ["uploads/cancel"]]);
});

test("an interrupted upload that another tab has continued is not failed by dismissing it here", async () => {
  rememberUpload(globalThis.localStorage, { name: NAME, size: 4, sent: 1, atMs: Date.now(), blob: NAME, upload: UPLOAD });
  const tab = await openTab();
  assert.deepEqual(tab.states(), ["interrupted"]);
  const dismiss = tab.on("dismiss");
  const other = uploadElsewhere();
  await tab.press(dismiss); // before this tab has learned of it
  assert.deepEqual(asked, []);
  await other.end();
});

test("an interrupted upload that is cleared from the list does not end, because it may continue elsewhere", async () => {
  rememberUpload(globalThis.localStorage, { name: NAME, size: 4, sent: 1, atMs: Date.now(), blob: NAME, upload: UPLOAD });
  const tab = await openTab();
  await tab.press(tab.uploads.at.clear);
  assert.deepEqual([tab.states(), asked], [[], []]);
});

test("a file of which nothing can have been committed is dismissed without a request", async () => {
  rememberUpload(globalThis.localStorage, { name: NAME, size: 4, sent: 1, atMs: Date.now(), blob: NAME });
  const tab = await openTab();
  await tab.press(tab.on("dismiss"));
  assert.deepEqual([tab.states(), asked], [[], []]);
});

test("a file that another tab has begun to upload since is left to it", async () => {
  const tab = await openTab();
  const other = uploadElsewhere();
  await tab.choose();
  assert.deepEqual([tab.states(), asked], [["elsewhere"], []]);
  await other.end();
  assert.deepEqual(tab.states(), ["interrupted"]);
});

test("a tab has the uploads that it sends or has paused, and no longer those that have ended", async () => {
  globalThis.XMLHttpRequest = /** @type {any} */ (class extends EventTarget {
    upload = new EventTarget();
    open() {}
    setRequestHeader() {}
    abort() { this.dispatchEvent(new Event("abort")); }
    send() {}
  });
  const tab = await openTab();
  await tab.choose();
  const second = await openTab();
  assert.deepEqual([tab.states(), second.states()], [["sending"], ["elsewhere"]]);
  await tab.press(tab.on("pause"));
  assert.deepEqual([tab.states(), second.states()], [["paused"], ["elsewhere"]]);
  await tab.press(tab.on("cancel"));
  assert.deepEqual([tab.states(), second.states(), asked.at(-1)], [["cancelled"], [], "uploads/cancel"]);
  assert.equal(locks.held.size, 0);
});
