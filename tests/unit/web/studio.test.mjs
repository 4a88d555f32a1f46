import assert from "node:assert/strict";
import { test } from "node:test";
import { grantEntry, subscriptionEntry } from "../../../web/js/studio/people.js";
import { tabAfter } from "../../../web/js/studio/studio.js";
import { titleFacts } from "../../../web/js/studio/titles.js";
import { blockList, blockSize, blocksOf, Meter, PutError, sendFile, Unreadable } from "../../../web/js/studio/upload.js";
import * as words from "../../../web/js/studio/words.js";

const MIB = 2 ** 20;
const file = (text) => new Blob([text]);
const idOf = (address) => new URL(address).searchParams.get("blockid");

/**
 * A fake of blob storage for a page: it stores blocks and commits block lists; `faults` are raised first, one per call.
 */
function makeStorage({ faults = [], losesListAnswers = 0 } = {}) {
  const blocks = new Map();
  const storage = { blocks, content: null, most: 0, addresses: [], calls: 0 };
  let running = 0;
  storage.put = async (address, body, { signal, onBytes }) => {
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
      return;
    }
    const listed = [...body.matchAll(/<Uncommitted>([^<]+)</g)].map(([, id]) => id);
    if (!listed.every((id) => blocks.has(id))) throw new PutError(400, "InvalidBlockList");
    storage.content = listed.map((id) => blocks.get(id)).join("");
    blocks.clear();
    if (losesListAnswers) {
      losesListAnswers -= 1;
      throw new PutError(0);
    }
  };
  return storage;
}

const send = (storage, text, more = {}) =>
  sendFile(file(text), {
    put: storage.put,
    ticket: async () => "http://blobs.test/uploads/film.mkv?sig=1",
    signal: new AbortController().signal,
    mark: "abcdef01",
    wait: async () => {},
    blockBytes: 3,
    ...more,
  });

test("a file is cut into blocks that make it up, under ids of one length", () => {
  const blocks = blocksOf(20 * MIB, "abcdef01");
  assert.deepEqual(blocks.map(({ from, to }) => [from / MIB, to / MIB]), [[0, 8], [8, 16], [16, 20]]);
  assert.equal(new Set(blocks.map(({ id }) => id.length)).size, 1);
  assert.equal(new Set(blocks.map(({ id }) => id)).size, 3);
  assert.equal(atob(blocks[2].id), "abcdef01-000002");
});

test("however large a file is, its blocks are as many as one list takes", () => {
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

test("a lost connection is waited for, told, and only what was lost is sent again", async () => {
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

test("a ticket that has run out is replaced once for all, and the blocks that are there stay", async () => {
  const storage = makeStorage({ faults: Array.from({ length: 4 }, () => new PutError(403, "AuthenticationFailed")) });
  let tickets = 0;
  await send(storage, "abcdefghijkl", { ticket: async () => `http://blobs.test/uploads/film.mkv?sig=${(tickets += 1)}` });
  assert.equal(storage.content, "abcdefghijkl");
  assert.equal(tickets, 2);
  assert.ok(storage.addresses.at(-1).includes("sig=2"));
});

test("tickets that the storage never takes end the upload with a sentence", async () => {
  const storage = makeStorage({ faults: Array.from({ length: 99 }, () => new PutError(403)) });
  await assert.rejects(send(storage, "abc"), { name: "PutError", message: /Log in again/ });
});

test("a refusal that waiting does not heal ends the upload", async () => {
  const storage = makeStorage({ faults: [new PutError(400, "InvalidBlobOrBlock")] });
  await assert.rejects(send(storage, "abc"), /uploading a file of this name/);
  await assert.rejects(send(makeStorage({ faults: [new PutError(413)] }), "abc"), /larger than storage accepts/);
  await assert.rejects(send(makeStorage({ faults: [new PutError(409, "Odd")] }), "abc"), /409 \(Odd\)/);
});

test("a list whose answer was lost is not taken for a failure, nor committed twice", async () => {
  const storage = makeStorage({ losesListAnswers: 1 });
  await send(storage, "abcdef");
  assert.equal(storage.content, "abcdef");
  await assert.rejects(send(makeStorage({ faults: [null, new PutError(400, "InvalidBlockList")] }), "abc"), { code: "InvalidBlockList" });
});

test("a file that went away is not sent for ever", async () => {
  const gone = { size: 3, slice: () => ({ size: 3, arrayBuffer: async () => { throw new DOMException("gone", "NotReadableError"); } }) };
  const storage = makeStorage({ faults: [new PutError(0)] });
  await assert.rejects(
    sendFile(/** @type {any} */ (gone), { put: storage.put, ticket: async () => "http://blobs.test/x?s", signal: new AbortController().signal, mark: "abcdef01", wait: async () => {} }),
    Unreadable,
  );
});

test("a cancelled upload stops at once and becomes no blob", async () => {
  const storage = makeStorage();
  const stop = new AbortController();
  await assert.rejects(send(storage, "abcdefghijklmnopqrstuvwxyz", { signal: stop.signal, onBytes: (bytes) => { if (bytes > 6) stop.abort(); } }), { name: "AbortError" });
  assert.equal(storage.content, null);
  assert.ok(storage.calls < 9);
});

test("a list of blocks names only new ones", () => {
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

test("sizes and progress are put as people read them", () => {
  assert.deepEqual([0, 999, 1000, 1_440_000, 99_960_000, 2.5e9, 999_600].map(words.bytesText), ["0 bytes", "999 bytes", "1 kB", "1.4 MB", "100 MB", "2.5 GB", "1 MB"]);
  assert.equal(words.sendingText({ sent: 5e8, size: 2e9, rate: 1.25e7 }), "25 % of 2 GB, 13 MB/s, about 2 minutes left");
  assert.equal(words.sendingText({ sent: 0, size: 10, rate: 0 }), "0 % of 10 bytes");
  assert.equal(words.sendingText({ sent: 10, size: 10, rate: 1e6 }), "100 % of 10 bytes, 1.0 MB/s");
});

test("what belongs to a film goes before it, one file at a time", () => {
  const film = { kind: "film", state: "waiting" };
  const subtitles = { kind: "subtitles", state: "waiting" };
  assert.equal(words.nextUpload([film, subtitles]), subtitles);
  assert.equal(words.nextUpload([film, { ...subtitles, state: "asking" }]), null);
  assert.equal(words.nextUpload([film, { ...subtitles, state: "failed" }]), film);
  assert.equal(words.nextUpload([film, { kind: "film", state: "sending" }]), null);
  assert.equal(words.nextUpload([{ ...film, state: "confirm" }, film]), film);
  assert.equal(words.nextUpload([]), null);
});

test("an encode says where it stands, and only the newest of a title is retried or watched", () => {
  const job = (status, more = {}) => ({ title_id: "a", title_name: "A", status, percent: 34.4, eta_s: 125, manifest_url: null, ...more });
  assert.equal(words.jobText(job("encoding")), "Encoding, 34 %, about 2 minutes left");
  assert.equal(words.jobText(job("encoding", { eta_s: null })), "Encoding, 34 %");
  assert.equal(words.jobText(job("queued")), "Waiting for an encoder");
  const jobs = [job("ready", { manifest_url: "m" }), job("failed"), job("failed", { title_id: "b", manifest_url: "m" }), job("encoding", { title_id: "c", manifest_url: "m" })];
  assert.deepEqual(words.offers(jobs).map(({ retry, watch }) => [retry, watch]), [[false, true], [false, false], [true, false], [false, true]]);
  assert.deepEqual(words.offers([job("failed", { title_name: null }), job("ready", { title_name: null, manifest_url: "m" })]).map(({ retry, watch }) => [retry, watch]), [[false, false], [false, false]]);
  assert.equal(words.countText(jobs), "1 in progress, 2 failed, 1 ready");
  assert.equal(words.countText([]), "");
});

test("an encode that goes on says nothing, one that is kept says by what, one that failed says why", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  const job = (status, more = {}) => ({ status, reason: null, fault: null, updated_at: "2026-11-24T11:59:00Z", ...more });
  assert.equal(words.troubleText(job("encoding"), now), "");
  assert.equal(words.troubleText(job("failed", { reason: "It is text.", fault: "x" }), now), "It is text.");
  assert.equal(words.troubleText(job("encoding", { fault: "A store failed." }), now), "A step failed and will be retried: A store failed.");
  const old = { updated_at: "2026-11-24T11:50:00Z" };
  assert.match(words.troubleText(job("queued", old), now), /^No progress for about 10 minutes\. Other films/);
  assert.match(words.troubleText(job("encoding", old), now), /^No progress for about 10 minutes\. Check that/);
});

test("encodes are looked at often while they move, and ever less while nothing answers", () => {
  assert.ok(words.lookAfter({ moving: true, failures: 0 }) <= 2000);
  assert.ok(words.lookAfter({ moving: false, failures: 0 }) >= 10_000);
  assert.deepEqual([1, 2, 3, 9].map((failures) => words.lookAfter({ moving: true, failures })), [4000, 8000, 16_000, 60_000]);
});

test("an edit sends what it changes, and clears what is emptied", () => {
  const title = { name: "Sea", year: 1999, plot: null };
  assert.deepEqual(words.changesOf(title, { name: " Sea ", year: "1999", plot: "" }), {});
  assert.deepEqual(words.changesOf(title, { name: "The Sea", year: "", plot: " Waves. " }), { name: "The Sea", year: null, plot: "Waves." });
  assert.deepEqual(["", "1999", "1870", "2200"].map(words.yearFault), ["", "", "", ""]);
  assert.ok(["99", "1869", "2201", "20x4"].every(words.yearFault));
});

test("days are whole numbers of at least one", () => {
  assert.deepEqual(["1", " 30 ", "36500"].map(words.daysFault), ["", "", ""]);
  assert.ok(["", "0", "1.5", "-3", "36501", "ten"].every(words.daysFault));
});

test("events, subscriptions and titles are put into words", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  assert.equal(words.eventText("PAYMENT.SALE.COMPLETED"), "Payment sale completed");
  const one = { user_id: "0123456789abcdef0123", plan_id: "P-1", state: "active", state_since: new Date(2026, 10, 24, 9, 5).toISOString(), next_charge_at: new Date(2026, 11, 24).toISOString(), paid_through: null };
  assert.deepEqual(subscriptionEntry(one, now, new Map([["P-1", "Monthly"]])), {
    head: "Monthly",
    facts: ["account 0123456789ab…", "since today, 09:05", "next charge 24 December", ""],
    state: "Active",
    kind: "good",
  });
  assert.equal(titleFacts({ year: 1999, status: "failed" }), "1999 · Not available");
  assert.equal(titleFacts({ year: null, status: "ready" }), "Year unknown");
});

test("a subscription or a grant of a deleted account is listed", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  const at = new Date(2026, 10, 24, 9, 5).toISOString();
  const one = { user_id: null, plan_id: "P-1", state: "cancelled", state_since: at, next_charge_at: null, paid_through: null };
  assert.equal(subscriptionEntry(one, now).facts[0], "deleted account");
  const grant = grantEntry({ user_id: null, until: at, granted_at: at, granted_by: null }, now);
  assert.deepEqual([grant.head, grant.facts[1]], ["Deleted account", "by deleted account"]);
});

test("an upload says that it goes on as soon as bytes move again", async () => {
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

test("arrow keys walk round the tabs", () => {
  assert.deepEqual(["ArrowRight", "ArrowLeft", "Home", "End", "a"].map((key) => tabAfter(key, 3, 4)), [0, 2, 0, 3, null]);
  assert.equal(tabAfter("ArrowLeft", 0, 4), 3);
});
