import assert from "node:assert/strict";
import { test } from "node:test";
import { commitsOf, indexPosition } from "../../../web/js/studio/commits.js";
import { blocksOf, PutError, sendFile } from "../../../web/js/studio/upload.js";
import { file, idOf, makeVersions } from "./blobs.mjs";

const MIB = 2 ** 20;

/** A fake of blob storage that also keeps committed blocks; a list discards the uncommitted blocks that it lacks. */
function makeGrowing({ losesAnswers = 0 } = {}) {
  const uncommitted = new Map();
  const storage = Object.assign(makeVersions(), { committed: new Map(), uncommitted, versions: [], calls: 0, running: 0, order: [] });
  storage.put = async (address, body, { signal, onBytes, headers = /** @type {Record<string, string>} */ ({}) }) => {
    storage.calls += 1;
    storage.running += 1;
    await new Promise(setImmediate);
    storage.running -= 1;
    signal.throwIfAborted();
    if (!address.includes("comp=blocklist")) {
      onBytes(body.size);
      storage.order.push(atob(idOf(address)).slice(-2));
      uncommitted.set(idOf(address), await body.text());
      return null;
    }
    storage.check(headers);
    assert.equal(storage.running, 0, "a list is sent only when no block is on its way");
    const listed = [...body.matchAll(/<Latest>([^<]+)</g)].map(([, id]) => id);
    const found = listed.map((id) => uncommitted.get(id) ?? storage.committed.get(id));
    if (found.includes(undefined)) throw new PutError(400, "InvalidBlockList");
    storage.committed = new Map(listed.map((id, index) => [id, found[index]]));
    uncommitted.clear();
    const notes = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("If-")));
    storage.versions.push({ content: found.join(""), headers: notes });
    const etag = storage.replace(listed);
    if (losesAnswers) {
      losesAnswers -= 1;
      throw new PutError(0);
    }
    return etag;
  };
  storage.stored = async (address) => {
    assert.match(address, /blocklisttype=all$/);
    return new Map([...storage.committed, ...uncommitted].map(([id, kept]) => [id, kept.length]));
  };
  return storage;
}

const sendGrowing = (storage, content, more = {}) =>
  sendFile(content instanceof Blob ? content : file(content), {
    put: storage.put,
    stored: storage.stored,
    committed: storage.listed,
    over: null,
    ticket: async () => "http://blobs.test/uploads/film.mkv?sig=1",
    signal: new AbortController().signal,
    mark: "abcdef01",
    upload: "0123456789ab-abcdef01",
    wait: async () => {},
    blockBytes: 3,
    commitBytes: 6,
    ...more,
  });

test("an upload with an id is committed while it runs, and its last list says that it is whole", async () => {
  const storage = makeGrowing();
  await sendGrowing(storage, "abcdefghijklmnopqrst");
  const upload = { "x-ms-meta-upload": "0123456789ab-abcdef01" };
  assert.deepEqual(storage.versions, [
    { content: "abcdef", headers: { ...upload, "x-ms-meta-front": "6", "x-ms-meta-whole": "20" } },
    { content: "abcdefghijkl", headers: { ...upload, "x-ms-meta-front": "12", "x-ms-meta-whole": "20" } },
    { content: "abcdefghijklmnopqr", headers: { ...upload, "x-ms-meta-front": "18", "x-ms-meta-whole": "20" } },
    { content: "abcdefghijklmnopqrst", headers: upload },
  ]);
});

test("a list whose answer was lost is sent again and changes nothing", async () => {
  const storage = makeGrowing({ losesAnswers: 1 });
  await sendGrowing(storage, "abcdefgh");
  assert.deepEqual(storage.versions.map(({ content }) => content), ["abcdef", "abcdef", "abcdefgh"]);
});

test("an upload that was interrupted between two commits keeps the blocks of both", async () => {
  const storage = makeGrowing();
  const stop = new AbortController();
  await assert.rejects(sendGrowing(storage, "abcdefghijklmnopqrst", { signal: stop.signal, onBytes: (bytes) => { if (bytes >= 9) stop.abort(); } }), { name: "AbortError" });
  assert.equal(storage.versions.length, 1);
  const kept = storage.committed.size + storage.uncommitted.size;
  storage.calls = 0;
  await sendGrowing(storage, "abcdefghijklmnopqrst", { over: storage.etag });
  assert.equal(storage.versions.at(-1).content, "abcdefghijklmnopqrst");
  const lists = storage.versions.length - 1;
  assert.equal(storage.calls, 7 - kept + lists, "no block is sent twice");
});

test("a list that is being sent is not aborted, because storage might still commit it", async () => {
  const storage = makeGrowing();
  const stop = new AbortController();
  const stopAtLists = (address, body, how) => {
    if (address.includes("comp=blocklist")) stop.abort();
    return storage.put(address, body, how);
  };
  await assert.rejects(sendGrowing(storage, "abcdefghijklmnopqrst", { put: stopAtLists, signal: stop.signal }), { name: "AbortError" });
  assert.deepEqual(storage.versions.map(({ content }) => content), ["abcdef"]);
  const last = new AbortController();
  const stopAtLast = (address, body, how) => {
    if (address.includes("comp=blocklist") && !how.headers["x-ms-meta-front"]) last.abort();
    return storage.put(address, body, how);
  };
  await sendGrowing(storage, "abcdefghijklmnopqrst", { put: stopAtLast, signal: last.signal });
  assert.equal(storage.versions.at(-1).content, "abcdefghijklmnopqrst");
});

test("an upload in steps does not go on over a film that has become whole meanwhile", async () => {
  const storage = makeGrowing();
  const seen = [];
  const elsewhere = async (address, body, how) => {
    if (seen.length === 1 && address.includes("comp=blocklist")) storage.replace(["of another file"]);
    return storage.put(address, body, how);
  };
  const sent = sendGrowing(storage, "abcdefghijklmnopqrst", { put: elsewhere, onCommitted: (etag) => seen.push(etag) });
  await assert.rejects(sent, { isReplaced: true });
  assert.deepEqual([storage.ids, seen], [["of another file"], ['"0x1"']]);
  assert.deepEqual(storage.versions.map(({ content }) => content), ["abcdef"]);
});

test("an upload in steps that is paused during a commit continues over its own version", async () => {
  const storage = makeGrowing({ losesAnswers: 1 });
  const stop = new AbortController();
  let over = null;
  const onCommitted = (etag) => { over = etag; };
  const pause = async () => stop.abort();
  await assert.rejects(sendGrowing(storage, "abcdefghijklmnopqrst", { signal: stop.signal, wait: pause, onCommitted }), { name: "AbortError" });
  assert.deepEqual([storage.versions.length, over], [1, null]);
  await sendGrowing(storage, "abcdefghijklmnopqrst", { over, onCommitted });
  assert.equal(storage.versions.at(-1).content, "abcdefghijklmnopqrst");
  assert.equal(over, storage.etag);
});

test("a file that another browser has uploaded meanwhile is not committed again", async () => {
  const storage = makeGrowing();
  await sendGrowing(storage, "abcdefgh");
  const commits = storage.versions.length;
  await sendGrowing(storage, "abcdefgh", { stored: async () => new Map(), over: null });
  assert.equal(storage.versions.length, commits);
});

/** @param {[string, number][]} boxes */
const mp4 = (boxes) =>
  new Blob(boxes.map(([kind, length]) => {
    const bytes = new Uint8Array(length).fill(46);
    new DataView(bytes.buffer).setUint32(0, length);
    bytes.set(new TextEncoder().encode(kind), 4);
    return bytes;
  }));

test("the index at the end of an MP4 is sent first, and every list ends with it", async () => {
  const film = mp4([["ftyp", 16], ["mdat", 48], ["moov", 17]]);
  const storage = makeGrowing();
  await sendGrowing(storage, film, { blockBytes: 8, commitBytes: 24 });
  const whole = await film.text();
  assert.deepEqual(storage.versions.map(({ content, headers }) => [content, headers["x-ms-meta-front"]]), [
    [whole.slice(0, 24) + whole.slice(64), "24"],
    [whole.slice(0, 48) + whole.slice(64), "48"],
    [whole, undefined],
  ]);
});

test("the position of an index is found only behind the media of an MP4", async () => {
  assert.equal(await indexPosition(mp4([["ftyp", 16], ["mdat", 48], ["moov", 17]])), 64);
  assert.equal(await indexPosition(mp4([["ftyp", 16], ["moov", 17], ["mdat", 48]])), null);
  assert.equal(await indexPosition(mp4([["ftyp", 16], ["mdat", 48]])), null);
  assert.equal(await indexPosition(file("not a film, but long enough for a head")), null);
  assert.equal(await indexPosition(file("")), null);
});

test("a film of any size is committed some dozens of times, and once if it is small", () => {
  const none = { indexAt: null, arrived: new Set() };
  const large = commitsOf(blocksOf(100 * 1024 * MIB, "abcdef01"), none);
  assert.ok(large.length > 20 && large.length < 60, `${large.length} commits`);
  assert.equal(large[0].front, 16 * MIB);
  assert.equal(large.at(-1).front, null);
  assert.equal(commitsOf(blocksOf(15 * MIB, "abcdef01"), none).length, 1);
});
