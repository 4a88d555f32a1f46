import assert from "node:assert/strict";
import { test } from "node:test";
import { partAt, Parts, questionOf } from "../../../web/js/player/parts.js";
import { RequestError } from "../../../web/js/net.js";
import { reachable } from "../../../web/js/player/timeline.js";

const FRONT = { from_s: 0, until_s: 60, manifest_url: "https://films.example/t/j/manifest.mpd" };
const LATER = { from_s: 480, until_s: 508, manifest_url: "https://films.example/t/j/from00018.mpd" };
const LONGER = { ...LATER, from_s: 452, manifest_url: "https://films.example/t/j/from00017.mpd", until_s: 536 };
const SESSION = /** @type {any} */ ({ status: "encoding", front_s: 60, duration_s: 600, resume_s: 0 });

test("a position is played from the part that has most of what follows", () => {
  assert.equal(partAt([FRONT, LATER], 59), FRONT);
  assert.equal(partAt([FRONT, LATER], 60), null);
  assert.equal(partAt([FRONT, LATER], 480), LATER);
  assert.equal(partAt([FRONT, LATER, LONGER], 490), LONGER);
  assert.equal(partAt([], 0), null);
});

test("a player asks for what follows its part, and how far a later part has grown", () => {
  assert.equal(questionOf({ time: 2, front: 60, duration: 600, begin: 0 }), null);
  assert.equal(questionOf({ time: 30, front: 60, duration: 600, begin: 0 }), 60);
  assert.equal(questionOf({ time: 490, front: 508, duration: 600, begin: 480 }), 508);
  assert.equal(questionOf({ time: 490, front: 580, duration: 600, begin: 480 }), 490);
  assert.equal(questionOf({ time: 590, front: 599, duration: 600, begin: 480 }), 590);
  assert.equal(questionOf({ time: 590, front: 599, duration: 600, begin: 0 }), null);
});

test("a seek stays inside the part that plays", () => {
  const facts = { duration: 600, front: 508, encoding: true, begin: 480 };
  assert.deepEqual([0, 470, 490, 520].map((target) => reachable(target, facts)), [480, 480, 490, 507]);
  assert.equal(reachable(470, { ...facts, front: 600, encoding: false }), 480);
});

/**
 * Return parts, and what they did. Each answer is used for one request; the last one is repeated.
 * @param {(unknown[] | Error)[]} answers
 */
function makeParts(answers, { running = true } = {}) {
  const seen = { asked: /** @type {number[]} */ ([]), renewed: 0, waits: 0 };
  const parts = new Parts({
    request: async (position) => {
      const answer = answers[Math.min(seen.asked.length, answers.length - 1)];
      seen.asked.push(position);
      if (answer instanceof Error) throw answer;
      return /** @type {any} */ ({ parts: answer });
    },
    renew: async () => { seen.renewed += 1; },
    facts: () => ({ time: 0, front: 60, duration: 600, begin: 0, running: running && seen.asked.length < 9 }),
    onWait: () => { seen.waits += 1; },
    onWithdrawn: () => {},
    wait: async () => {},
    follow: () => () => {},
  });
  return { parts, seen };
}

test("a position within the front is played at once", async () => {
  const { parts, seen } = makeParts([[FRONT]]);
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 30), { address: "m.mpd", time: 30 });
  assert.deepEqual(await parts.open(SESSION, "m.mpd", null), { address: "m.mpd", time: 0 });
  assert.deepEqual(await parts.open({ ...SESSION, status: "ready" }, "m.mpd", 490), { address: "m.mpd", time: 490 });
  assert.deepEqual(seen, { asked: [], renewed: 0, waits: 0 });
});

test("a position beyond the front is awaited and played from its part", async () => {
  const { parts, seen } = makeParts([[FRONT], [FRONT], [FRONT, LATER]]);
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 490), { address: LATER.manifest_url, time: 490 });
  assert.deepEqual(seen, { asked: [490, 490, 490], renewed: 0, waits: 2 });
  assert.equal(parts.playing, LATER);
  assert.equal(parts.awaited, null);
});

test("a position that the front has reached is played from the start's manifest", async () => {
  const { parts } = makeParts([[FRONT], [{ ...FRONT, until_s: 80 }]]);
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 70), { address: "m.mpd", time: 70 });
  assert.equal(parts.playing, null);
});

test("the end of the film is a position in its last seconds", async () => {
  const { parts, seen } = makeParts([[FRONT, { ...LATER, until_s: 600 }]]);
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 600), { address: LATER.manifest_url, time: 598 });
  assert.deepEqual(seen.asked, [598]);
});

test("another position replaces the one that is awaited", async () => {
  const { parts } = makeParts([[FRONT], [FRONT], [FRONT, LATER]]);
  const first = parts.open(SESSION, "m.mpd", 300);
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 490), { address: LATER.manifest_url, time: 490 });
  assert.equal(await first, null);
  assert.equal(parts.playing, LATER);
});

test("if the encode ends without the position, the film plays as far as it is encoded", async () => {
  const { parts, seen } = makeParts([[FRONT]], { running: false });
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 490), { address: "m.mpd", time: 56 });
  assert.equal(seen.waits, 0);
});

test("a film that becomes complete meanwhile is played from the position", async () => {
  const seen = { asked: 0 };
  const complete = { ...FRONT, until_s: 600 };
  const parts = new Parts({
    request: async () => { seen.asked += 1; return { parts: seen.asked < 2 ? [FRONT] : [complete] }; },
    renew: async () => {},
    facts: () => ({ time: 0, front: 60, duration: 600, begin: 0, running: seen.asked < 1 }),
    onWait: () => {},
    onWithdrawn: () => {},
    wait: async () => {},
    follow: () => () => {},
  });
  assert.deepEqual(await parts.open(SESSION, "m.mpd", 490), { address: "m.mpd", time: 490 });
});

test("temporary failures are repeated, and a stream that has ended is renewed", async () => {
  const answers = [new RequestError(503, "store_unavailable", "Later."), new RequestError(401, "unauthenticated", "Ended."), [FRONT, LATER]];
  const { parts, seen } = makeParts(answers);
  assert.equal((await parts.open(SESSION, "m.mpd", 490))?.address, LATER.manifest_url);
  assert.equal(seen.renewed, 1);
  const refused = makeParts([new TypeError("a defect")]);
  await assert.rejects(refused.parts.open(SESSION, "m.mpd", 490), TypeError);
});

test("while a part plays, its end follows what the API says", async () => {
  /** @type {(() => Promise<void>)[]} */
  const turns = [];
  const grown = { ...LATER, until_s: 536 };
  const answers = [[FRONT, LATER], [FRONT, grown], [FRONT], [FRONT, { ...LATER, until_s: 0 }]];
  const asked = /** @type {number[]} */ ([]);
  let withdrawn = 0;
  const parts = new Parts({
    request: async (position) => ({ parts: /** @type {any} */ (answers[asked.push(position) - 1]) }),
    renew: async () => {},
    facts: () => ({ time: 490, front: parts.playing?.until_s ?? 60, duration: 600, begin: 480, running: true }),
    onWait: () => {},
    onWithdrawn: () => { withdrawn += 1; },
    wait: async () => {},
    follow: (turn) => { turns.push(/** @type {any} */ (turn)); return () => {}; },
  });
  await parts.open(SESSION, "m.mpd", 490);
  await turns.at(-1)?.();
  assert.deepEqual(parts.playing, grown);
  await turns.at(-1)?.();
  assert.deepEqual(parts.playing, grown);
  assert.equal(withdrawn, 0);
  await turns.at(-1)?.();
  assert.equal(withdrawn, 1, "the part is damaged, and is encoded again");
  assert.deepEqual(asked, [490, 508, 490, 490]);
});
