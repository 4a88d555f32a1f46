import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fetchFile } from "../../../web/js/offline/file.js";

const SILENT_MS = 150;
const PART = "x".repeat(100);

/** @type {import("node:http").Server} */
let server;
let base = "";
let asked = 0;

before(async () => {
  server = createServer(async ({ url }, response) => {
    asked += 1;
    response.writeHead(200, { "content-type": "video/mp4", "content-length": String(8 * PART.length) });
    for (let part = 0; part < (url === "/stuck" ? 3 : 8); part += 1) {
      response.write(PART);
      await new Promise((resolve) => { setTimeout(resolve, 60); });
    }
    if (url === "/lost") response.destroy();
    else if (url !== "/stuck") response.end();
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", () => resolve(null)); });
  base = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const never = () => new AbortController().signal;

test("a file on a slow connection arrives with one request, however long it takes", async () => {
  asked = 0;
  const file = await fetchFile(`${base}/slow`, { signal: never(), silentMs: SILENT_MS });
  assert.deepEqual([file.size, file.type, asked], [8 * PART.length, "video/mp4", 1]);
});

test("a connection that delivers nothing more is given up as a lost one", async () => {
  await assert.rejects(fetchFile(`${base}/stuck`, { signal: never(), silentMs: SILENT_MS }), { status: 0, code: "unreachable" });
});

test("a file that is cancelled ends at once", async () => {
  const cancel = new AbortController();
  setTimeout(() => cancel.abort(), 30);
  await assert.rejects(fetchFile(`${base}/slow`, { signal: cancel.signal, silentMs: SILENT_MS }), { name: "AbortError" });
});
