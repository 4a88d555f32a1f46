import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { fetchFile } from "../../../web/js/offline/file.js";

const ADDRESS = "https://blobs.example/s1.m4s";
const PART = new TextEncoder().encode("x".repeat(100));
const MOST_SILENCE_MS = 60_000;

let asked = 0;
/** @type {ReadableStreamDefaultController<Uint8Array>} */
let connection;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = 0;
  globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ _address, /** @type {{ signal: AbortSignal }} */ { signal }) => {
    asked += 1;
    const body = new ReadableStream({ start: (controller) => { connection = controller; } });
    signal.addEventListener("abort", () => connection.error(signal.reason));
    return new Response(body, { headers: { "content-type": "video/mp4" } });
  });
});

afterEach(() => mock.timers.reset());

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

/** Let time pass before the next part of a file arrives. */
async function partAfter(/** @type {number} */ ms) {
  await turn();
  mock.timers.tick(ms);
  connection.enqueue(PART);
  await turn();
}

const never = () => new AbortController().signal;

test("a file on a slow connection arrives with one request, however long it takes", async () => {
  const file = fetchFile(ADDRESS, { signal: never() });
  for (let part = 0; part < 10; part += 1) await partAfter(MOST_SILENCE_MS - 1000);
  connection.close();
  const { size, type } = await file;
  assert.deepEqual([size, type, asked], [1000, "video/mp4", 1]);
});

test("a connection that delivers nothing more is given up as a lost one", async () => {
  const file = fetchFile(ADDRESS, { signal: never() });
  const fails = assert.rejects(file, { status: 0, code: "unreachable" });
  await partAfter(1000);
  mock.timers.tick(MOST_SILENCE_MS + 1);
  await fails;
});

test("a file that is cancelled ends at once", async () => {
  const cancel = new AbortController();
  const file = fetchFile(ADDRESS, { signal: cancel.signal });
  const fails = assert.rejects(file, { name: "AbortError" });
  await partAfter(1000);
  cancel.abort();
  await fails;
});
