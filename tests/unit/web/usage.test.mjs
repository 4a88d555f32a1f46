import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, countdownText } from "../../../web/js/player/next.js";
import { Tally } from "../../../web/js/player/usage.js";

/** @returns {[Tally, { ms: number }]} */
function makeTally() {
  const clock = { ms: 1000 };
  return [new Tally(() => clock.ms), clock];
}

test("the startup time is measured once, from the request to the first picture", () => {
  const [tally, clock] = makeTally();
  clock.ms = 2000;
  tally.asked();
  clock.ms = 2840.4;
  assert.equal(tally.begun, false);
  tally.plays();
  clock.ms = 9000;
  tally.asked();
  tally.plays();
  assert.equal(tally.startupMs, 840);
});

test("played parts count as watched, skipped parts do not", () => {
  const [tally] = makeTally();
  for (const time of [10, 10.25, 10.5, 12]) tally.reaches(time);
  assert.equal(tally.watchedS, 2);
  tally.leaps();
  for (const time of [500, 501]) tally.reaches(time);
  tally.reaches(900); // a jump without an event
  tally.reaches(3); // a jump back
  tally.reaches(4);
  assert.equal(tally.watchedS, 4);
});

test("each stall is counted once with its duration, except before the start and while waiting for the encoder", () => {
  const [tally, clock] = makeTally();
  tally.waits(true);
  tally.waits(false);
  tally.plays();
  tally.waits(true, false);
  tally.waits(false);
  tally.waits(true);
  tally.waits(true);
  clock.ms += 700;
  assert.equal(tally.heartbeat({ ticket: "t", time: 1 }).qoe.rebuffer_ms, 700);
  tally.waits(false);
  tally.waits(false);
  clock.ms += 700;
  const { qoe } = tally.heartbeat({ ticket: "t", time: 1 });
  assert.deepEqual([qoe.rebuffers, qoe.rebuffer_ms], [1, 700]);
});

test("each heartbeat has a higher number and contains the totals of the viewing session", () => {
  const [tally] = makeTally();
  tally.plays();
  tally.reaches(0);
  tally.reaches(1.23456);
  const first = tally.heartbeat({ ticket: "t", time: 1.23456, bitrateKbps: 2800, droppedFrames: 3 });
  assert.deepEqual(first, {
    ticket: "t",
    sequence: 1,
    position_s: 1.235,
    watched_s: 1.235,
    av1: false,
    qoe: { startup_ms: 0, rebuffers: 0, rebuffer_ms: 0, bitrate_kbps: 2800, dropped_frames: 3 },
  });
  assert.equal(tally.heartbeat({ ticket: "t", time: 2 }).sequence, 2);
});

test("the next episode is offered, otherwise the first similar playable film, otherwise nothing", () => {
  const similar = { titles: [{ id: "soon", status: "announced" }, { id: "like", status: "ready" }] };
  assert.deepEqual(choose({ next: { id: "e2" } }, similar), { title: { id: "e2" }, why: "Next episode" });
  assert.deepEqual(choose({ next: null }, similar), { title: similar.titles[1], why: "More like this" });
  assert.equal(choose(null, null), null);
  assert.equal(choose({ next: null }, { titles: [similar.titles[0]] }), null);
});

test("a countdown is shown in words", () => {
  assert.deepEqual([10, 1, 0].map(countdownText), ["Plays in 10 seconds", "Plays in 1 second", "Starting…"]);
});
