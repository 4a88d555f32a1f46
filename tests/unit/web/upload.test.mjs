import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetUpload, rememberUpload, unfinished } from "../../../web/js/studio/unfinished.js";
import { blockList, blockSize, blocksOf, markOf, Meter, PutError, readBlockList, sendFile, Unreadable } from "../../../web/js/studio/upload.js";
import { file, idOf, makeVersions } from "./blobs.mjs";

const MIB = 2 ** 20;

/**
 * A fake of blob storage for a page: it stores blocks and commits block lists; `faults` are raised first, one per call.
 */
function makeStorage({ faults = [], losesListAnswers = 0 } = {}) {
  const blocks = new Map();
  const storage = Object.assign(makeVersions(), { blocks, content: null, most: 0, addresses: [], calls: 0 });
  let running = 0;
  storage.put = async (address, body, { signal, onBytes, headers }) => {
    storage.calls += 1;
    storage.addresses.push(address);
    running += 1;
    storage.most = Math.max(storage.most, running);
    await new Promise(setImmediate);
    running -= 1;
    signal.throwIfAborted();
    const fault = faults.shift();
    if (fault) throw fault;
    if (!address.includes("comp=blocklist")) {
      onBytes(body.size);
      blocks.set(idOf(address), await body.text());
      return null;
    }
    storage.check(headers);
    const listed = [...body.matchAll(/<Uncommitted>([^<]+)</g)].map(([, id]) => id);
    if (!listed.every((id) => blocks.has(id))) throw new PutError(400, "InvalidBlockList");
    storage.content = listed.map((id) => blocks.get(id)).join("");
    blocks.clear();
    const etag = storage.replace(listed);
    if (losesListAnswers) {
      losesListAnswers -= 1;
      throw new PutError(0);
    }
    return etag;
  };
  return storage;
}

const send = (storage, text, more = {}) =>
  sendFile(file(text), {
    put: storage.put,
    stored: async () => new Map([...(storage.blocks ?? [])].map(([id, kept]) => [id, kept.length])),
    committed: storage.listed,
    ticket: async () => "http://blobs.test/uploads/film.mkv?sig=1",
    signal: new AbortController().signal,
    mark: "abcdef01",
    wait: async () => {},
    blockBytes: 3,
    ...more,
  });

test("a file is divided into blocks whose ids have the same length", () => {
  const blocks = blocksOf(20 * MIB, "abcdef01");
  assert.deepEqual(blocks.map(({ from, to }) => [from / MIB, to / MIB]), [[0, 8], [8, 16], [16, 20]]);
  assert.equal(new Set(blocks.map(({ id }) => id.length)).size, 1);
  assert.equal(new Set(blocks.map(({ id }) => id)).size, 3);
  assert.equal(atob(blocks[2].id), "abcdef01-000002");
});

test("a file of any size has at most as many blocks as one list permits", () => {
  assert.equal(blockSize(1), 8 * MIB);
  assert.equal(blockSize(390 * 1000 * MIB), 8 * MIB);
  const size = 3 * 2 ** 40;
  assert.ok(Math.ceil(size / blockSize(size)) <= 50_000);
  assert.equal(blockSize(size) % MIB, 0);
});

test("a file arrives whole, in order, four blocks at a time, and its bytes are counted", async () => {
  const storage = makeStorage();
  const seen = [];
  await send(storage, "abcdefghijklmnopqrstuvwxyz", { onBytes: (bytes) => seen.push(bytes) });
  assert.equal(storage.content, "abcdefghijklmnopqrstuvwxyz");
  assert.equal(storage.most, 4);
  assert.equal(seen.at(-1), 26);
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
});

test("during a lost connection, the upload waits and reports it; only lost blocks are sent again", async () => {
  const storage = makeStorage({ faults: [new PutError(0), new PutError(503), new PutError(500)] });
  const troubles = [];
  const waits = [];
  await send(storage, "abcdefghi", { onTrouble: (error) => troubles.push(error?.status ?? null), wait: async (ms) => waits.push(ms) });
  assert.equal(storage.content, "abcdefghi");
  assert.equal(storage.calls, 3 + 3 + 1);
  assert.deepEqual(troubles.slice(0, 3), [0, 503, 500]);
  assert.equal(troubles.at(-1), null);
  assert.ok(waits.length === 3 && waits.every((ms) => ms > 200));
});

test("an expired ticket is replaced once for all workers, and stored blocks are kept", async () => {
  const storage = makeStorage({ faults: Array.from({ length: 4 }, () => new PutError(403, "AuthenticationFailed")) });
  let tickets = 0;
  await send(storage, "abcdefghijkl", { ticket: async () => `http://blobs.test/uploads/film.mkv?sig=${(tickets += 1)}` });
  assert.equal(storage.content, "abcdefghijkl");
  assert.equal(tickets, 2);
  assert.ok(storage.addresses.at(-1).includes("sig=2"));
});

test("tickets that storage never accepts end the upload with an explanation", async () => {
  const storage = makeStorage({ faults: Array.from({ length: 99 }, () => new PutError(403)) });
  await assert.rejects(send(storage, "abc"), { name: "PutError", message: /Log in again/ });
});

test("a permanent refusal ends the upload", async () => {
  const storage = makeStorage({ faults: [new PutError(400, "InvalidBlobOrBlock")] });
  await assert.rejects(send(storage, "abc"), /uploading a file with this name/);
  await assert.rejects(send(makeStorage({ faults: [new PutError(413)] }), "abc"), /larger than storage accepts/);
  await assert.rejects(send(makeStorage({ faults: [new PutError(409, "Odd")] }), "abc"), /409 \(Odd\)/);
});

test("a block list whose answer was lost is neither a failure nor committed twice", async () => {
  const storage = makeStorage({ losesListAnswers: 1 });
  await send(storage, "abcdef");
  assert.equal(storage.content, "abcdef");
  await assert.rejects(send(makeStorage({ faults: [null, new PutError(400, "InvalidBlockList")] }), "abc"), { code: "InvalidBlockList" });
  const conditional = makeStorage({ losesListAnswers: 1 });
  await send(conditional, "abcdef", { over: null });
  assert.deepEqual([conditional.content, conditional.etag], ["abcdef", '"0x1"']);
});

test("a file is not put in place of one that its owner has not seen", async () => {
  const storage = makeStorage();
  storage.replace(["of another file"]);
  await assert.rejects(send(storage, "abcdef", { over: null }), { isReplaced: true, message: /Another file with this name was uploaded/ });
  assert.equal(storage.content, null);
  const seen = storage.etag;
  storage.replace([]); // another program has written it with one request
  await assert.rejects(send(storage, "abcdef", { over: seen }), { isReplaced: true });
  assert.equal(storage.content, null);
  await send(storage, "abcdef", { over: storage.etag });
  assert.equal(storage.content, "abcdef");
});

test("a file that has disappeared is not retried forever", async () => {
  const gone = { size: 3, slice: () => ({ size: 3, arrayBuffer: async () => { throw new DOMException("gone", "NotReadableError"); } }) };
  const storage = makeStorage({ faults: [new PutError(0)] });
  await assert.rejects(
    sendFile(/** @type {any} */ (gone), { put: storage.put, stored: async () => new Map(), committed: storage.listed, ticket: async () => "http://blobs.test/x?s", signal: new AbortController().signal, mark: "abcdef01", wait: async () => {} }),
    Unreadable,
  );
});

test("a cancelled upload stops at once and creates no blob", async () => {
  const storage = makeStorage();
  const stop = new AbortController();
  await assert.rejects(send(storage, "abcdefghijklmnopqrstuvwxyz", { signal: stop.signal, onBytes: (bytes) => { if (bytes > 6) stop.abort(); } }), { name: "AbortError" });
  assert.equal(storage.content, null);
  assert.ok(storage.calls < 9);
});

test("an upload that was paused or lost with its page continues with the blocks that storage lacks", async () => {
  const storage = makeStorage();
  const stop = new AbortController();
  await assert.rejects(send(storage, "abcdefghijklmnopqrstuvwxyz", { signal: stop.signal, onBytes: (bytes) => { if (bytes > 11) stop.abort(); } }), { name: "AbortError" });
  const kept = storage.blocks.size;
  assert.ok(kept >= 1 && kept < 9);
  storage.calls = 0;
  const seen = [];
  await send(storage, "abcdefghijklmnopqrstuvwxyz", { onBytes: (bytes) => seen.push(bytes) });
  assert.equal(storage.content, "abcdefghijklmnopqrstuvwxyz");
  assert.equal(storage.calls, 9 - kept + 1);
  assert.equal(seen[0], 3, "what storage has counts as sent");
  assert.equal(seen.at(-1), 26);
});

test("blocks of another file, or of another length, are not reused for this file", async () => {
  const storage = makeStorage();
  await send(storage, "abcdefghi", { stored: async () => new Map([[btoa("00000000-000000"), 3], [btoa("abcdef01-000001"), 2]]) });
  assert.equal(storage.content, "abcdefghi");
  assert.equal(storage.calls, 3 + 1);
});

test("the list of stored blocks is requested again while storage does not answer, and with a new ticket", async () => {
  const storage = makeStorage();
  const faults = [new PutError(0), new PutError(503), new PutError(403)];
  let tickets = 0;
  const stored = async (address) => {
    const fault = faults.shift();
    if (fault) throw fault;
    assert.match(address, /sig=2&comp=blocklist&blocklisttype=uncommitted$/);
    return new Map();
  };
  await send(storage, "abcdef", { stored, ticket: async () => `http://blobs.test/uploads/film.mkv?sig=${(tickets += 1)}` });
  assert.equal(storage.content, "abcdef");
  await assert.rejects(send(storage, "abc", { stored: async () => { throw new PutError(400, "Odd"); } }), /400 \(Odd\)/);
});

test("the list of stored blocks is parsed in the format of storage", () => {
  const text = '\ufeff<?xml version="1.0" encoding="utf-8"?><BlockList><CommittedBlocks /><UncommittedBlocks><Block><Name>QQ==</Name><Size>8388608</Size></Block><Block>\n<Name>Qg==</Name><Size>5</Size></Block></UncommittedBlocks></BlockList>';
  assert.deepEqual([...readBlockList(text)], [["QQ==", 8388608], ["Qg==", 5]]);
  assert.equal(readBlockList("<BlockList><UncommittedBlocks /></BlockList>").size, 0);
});

test("a file has the same mark whenever it is chosen, and another one after any change", async () => {
  const at = (text, lastModified = 1) => new File([text], "film.mkv", { lastModified });
  const mark = await markOf(at("abc"));
  assert.match(mark, /^[0-9a-f]{8}$/);
  assert.equal(await markOf(at("abc")), mark);
  const large = "x".repeat(3 * MIB);
  const others = await Promise.all([at("abd"), at("abc", 2), at("abcd"), at(large), at(`y${large.slice(1)}`), at(`${large.slice(1)}y`)].map(markOf));
  assert.equal(new Set([mark, ...others]).size, 7);
  const gone = { size: 3, slice: () => ({ arrayBuffer: async () => { throw new DOMException("gone", "NotReadableError"); } }) };
  await assert.rejects(markOf(/** @type {any} */ (gone)), Unreadable);
});

test("unfinished uploads are remembered for the week in which storage keeps their blocks", () => {
  const kept = new Map();
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
  const day = 24 * 3600_000;
  rememberUpload(store, { name: "a.mkv", size: 10, sent: 3, atMs: 0 });
  rememberUpload(store, { name: "b.mkv", size: 20, sent: 0, atMs: day });
  rememberUpload(store, { name: "a.mkv", size: 10, sent: 6, atMs: 2 * day });
  assert.deepEqual(unfinished(store, 3 * day).map(({ name, sent }) => [name, sent]), [["b.mkv", 0], ["a.mkv", 6]]);
  assert.deepEqual(unfinished(store, 8 * day).map(({ name }) => name), ["a.mkv"]);
  forgetUpload(store, "a.mkv", 3 * day);
  assert.deepEqual(unfinished(store, 3 * day).map(({ name }) => name), ["b.mkv"]);
  for (const text of ["", "{", "{}", "[1, null]", '[{"name": "a", "size": "1", "sent": 0, "atMs": 0}]']) {
    kept.set("notflix.uploads", text);
    assert.deepEqual(unfinished(store, 0), []);
  }
  const refusing = { getItem: () => null, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  rememberUpload(refusing, { name: "a.mkv", size: 10, sent: 3, atMs: 0 });
});

test("a block list refers only to uncommitted blocks", () => {
  assert.equal(blockList([{ id: "QQ==" }]), '<?xml version="1.0" encoding="utf-8"?><BlockList><Uncommitted>QQ==</Uncommitted></BlockList>');
});

test("the speed is that of the last seconds, and unknown at first", () => {
  const meter = new Meter(4000);
  assert.equal(meter.rate, 0);
  meter.note(0, 0);
  assert.equal(meter.rate, 0);
  for (let second = 1; second <= 10; second += 1) meter.note(second * 1e6, second * 1000);
  assert.equal(Math.round(meter.rate), 1e6);
  for (let second = 11; second <= 16; second += 1) meter.note(10e6, second * 1000);
  assert.equal(meter.rate, 0);
});

test("an upload reports that it continues as soon as bytes are sent again", async () => {
  const troubles = [];
  let calls = 0;
  const put = async (_address, _body, { onBytes }) => {
    calls += 1;
    if (calls === 1) throw new PutError(0);
    onBytes(1);
    troubles.push("moved");
  };
  await send({ put }, "abc", { onTrouble: (error) => troubles.push(error?.status ?? null) });
  assert.deepEqual(troubles.slice(0, 3), [0, null, "moved"]);
});
