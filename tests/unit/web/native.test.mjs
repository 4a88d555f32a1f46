import assert from "node:assert/strict";
import { test } from "node:test";
import { Native, playsNatively, replaceAfter } from "../../../web/js/player/native.js";

const NOON = Date.parse("2026-01-01T12:00:00Z");

function makeNative() {
  const made = { replaced: 0, timers: new Map(), next: 1 };
  const later = (work, ms) => { made.timers.set(made.next, { work, ms }); return made.next++; };
  made.native = new Native(() => { made.replaced += 1; }, { later, cancel: (timer) => made.timers.delete(timer) });
  return made;
}

test("a browser plays natively only if it has no form of Media Source", () => {
  assert.equal(playsNatively({}), true);
  assert.equal(playsNatively({ MediaSource: class {} }), false);
  assert.equal(playsNatively({ ManagedMediaSource: class {} }), false);
});

test("an address is replaced a minute before it expires, and not more often than necessary", () => {
  assert.equal(replaceAfter("2026-01-01T13:00:00Z", NOON), 59 * 60_000);
  assert.equal(replaceAfter("2026-01-01T12:00:30Z", NOON), 5000);
  assert.equal(replaceAfter("2026-01-01T11:00:00Z", NOON), 5000);
});

test("each address has one time at which it is replaced", () => {
  const made = makeNative();
  made.native.follow("2026-01-01T13:00:00Z", NOON);
  made.native.follow("2026-01-01T14:00:00Z", NOON);
  assert.deepEqual([...made.timers.values()].map(({ ms }) => ms), [119 * 60_000]);
  [...made.timers.values()][0].work();
  assert.equal(made.replaced, 1);
});

test("a player that gave up gets a new address, but only a limited number of times", () => {
  const { native, ...made } = makeNative();
  assert.deepEqual([1, 2, 3, 4].map(() => native.recovers()), [true, true, true, false]);
  native.moves();
  assert.equal(native.recovers(), true);
  assert.equal(made.timers.size, 0);
});

test("a failure that may pass counts like one that is recovered, until the film plays", () => {
  const { native } = makeNative();
  assert.equal(native.recovers(), true);
  assert.deepEqual([native.mayPass(), native.mayPass(), native.mayPass()], [true, true, false]);
  native.moves();
  assert.equal(native.mayPass(), true);
});
