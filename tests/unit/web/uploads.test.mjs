import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { memory } from "../../../web/js/account/session.js";
import { forgetUpload, rememberUpload } from "../../../web/js/studio/unfinished.js";
import { element, held, installPage, settled, until } from "./dom.mjs";
import { MemoryLocks } from "./locks.mjs";

globalThis.localStorage = /** @type {any} */ (memory());
const { bindUploads } = await import("../../../web/js/studio/uploads.js");

const NAME = "Sea.mp4";
const TICKET = { upload_url: "https://blobs.example/film?sig=a", upload_id: "u", blob: NAME, title_id: "sea", version: null, replaces: false, existing: null, announced: [] };
const UPLOAD = "0123456789ab-abcdef01";
const HOOKS = "name kind state said bar pause pause-word cancel cancel-word retry replace dismiss own titles title";

/** @type {string[]} the API's paths that were requested */
let asked;
/** @type {MemoryLocks} */
let locks;
/** @type {typeof TICKET | object} what the API answers about an upload */
let ticket;

beforeEach(() => {
  [asked, ticket] = [[], TICKET];
  locks = new MemoryLocks();
  globalThis.localStorage.setItem("notflix.uploads", "[]");
  installPage((path) => {
    asked.push(path);
    return path === "uploads" ? ticket : undefined;
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
    reaches: (/** @type {string} */ state) => until(() => uploads.items[0].state === state),
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
  assert.match(tab.on("state").textContent, /^This file is being uploaded in another tab, 25 %/);
  assert.deepEqual(["dismiss", "cancel", "pause", "retry"].map((name) => tab.on(name).hidden), [true, true, true, true]);
  assert.equal(tab.uploads.at.clear.hidden, true);
  await tab.choose();
  assert.match(tab.uploads.at.said.textContent, /Sea\.mp4 is already being uploaded in another tab/);
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
  await tab.reaches("sending");
  const second = await openTab();
  assert.deepEqual([tab.states(), second.states()], [["sending"], ["elsewhere"]]);
  await tab.press(tab.on("pause"));
  await tab.reaches("paused");
  assert.deepEqual([tab.states(), second.states()], [["paused"], ["elsewhere"]]);
  await tab.press(tab.on("cancel"));
  await until(() => asked.at(-1) === "uploads/cancel");
  assert.deepEqual([tab.states(), second.states()], [["cancelled"], []]);
  assert.equal(locks.held.size, 0);
});

test("a film that has become whole meanwhile is replaced only if its owner says so", async () => {
  const version = '"0x8D1"';
  /** @type {Record<string, string>[]} the headers of the lists of blocks */
  const lists = [];
  globalThis.XMLHttpRequest = /** @type {any} */ (class extends EventTarget {
    upload = new EventTarget();
    status = 201;
    responseText = "";
    address = "";
    /** @type {Record<string, string>} */
    headers = {};
    open(/** @type {string} */ _method, /** @type {string} */ address) { this.address = address; }
    setRequestHeader(/** @type {string} */ name, /** @type {string} */ value) { this.headers[name] = value; }
    getAllResponseHeaders() { return 'date: today\r\netag: "0x8D2"\r\n'; }
    abort() { this.dispatchEvent(new Event("abort")); }
    send() {
      if (this.address.includes("comp=blocklist")) {
        lists.push(this.headers);
        if (this.headers["If-Match"] !== version) Object.assign(this, { status: 409, responseText: "<Error><Code>BlobAlreadyExists</Code></Error>" });
      }
      queueMicrotask(() => this.dispatchEvent(new Event("load")));
    }
  });
  const api = globalThis.fetch;
  globalThis.fetch = /** @type {any} */ (async (/** @type {any} */ address, /** @type {any} */ init) =>
    String(address).startsWith("https://blobs.example/")
      ? new Response("<BlockList><CommittedBlocks><Block><Name>QQ==</Name><Size>9</Size></Block></CommittedBlocks></BlockList>", { headers: { ETag: version } })
      : api(address, init));
  const tab = await openTab();
  await tab.choose();
  await tab.reaches("failed");
  assert.match(tab.on("said").textContent, /Another file with this name was uploaded/);
  ticket = { ...TICKET, upload_id: "", version, replaces: true };
  await tab.press(tab.on("retry"));
  await tab.reaches("confirm");
  await tab.press(tab.on("replace"));
  await tab.reaches("done");
  assert.deepEqual(lists.map((headers) => [headers["If-None-Match"], headers["If-Match"]]), [["*", undefined], [undefined, version]]);
});

test("an owner who has agreed to replace a film is asked again if it has changed since", async () => {
  ticket = { ...TICKET, upload_id: "", version: '"0x8D1"', replaces: true };
  globalThis.XMLHttpRequest = /** @type {any} */ (class extends EventTarget {
    upload = new EventTarget();
    status = 412;
    responseText = "<Error><Code>ConditionNotMet</Code></Error>";
    open() {}
    setRequestHeader() {}
    send() { queueMicrotask(() => this.dispatchEvent(new Event("load"))); }
  });
  const api = globalThis.fetch;
  globalThis.fetch = /** @type {any} */ (async (/** @type {any} */ address, /** @type {any} */ init) =>
    String(address).startsWith("https://blobs.example/") ? new Response("<BlockList></BlockList>") : api(address, init));
  const tab = await openTab();
  await tab.choose();
  await tab.reaches("confirm");
  await tab.press(tab.on("replace"));
  await tab.reaches("failed");
  await tab.press(tab.on("retry"));
  await tab.reaches("confirm");
});
