import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../../../web/js/net.js";
import { Recovery, remedy } from "../../../web/js/player/recovery.js";

const KINDS = { Category: { NETWORK: 1, MEDIA: 3 }, Code: { BAD_HTTP_STATUS: 1001, HTTP_ERROR: 1002, TIMEOUT: 1003, REQUEST_FILTER_ERROR: 1006 } };
const status = (code) => ({ category: 1, code: 1001, data: ["", code] });
const DROPPED = { category: 1, code: 1002, data: [] };
const refusedByApi = (code) => ({ category: 1, code: 1006, data: [new RequestError(code, "x", "")] });

function makeRecovery({ renew = async () => {} } = {}) {
  const made = { retries: 0, reloads: 0, troubles: [], stops: [], timers: new Map(), next: 1 };
  made.run = (ms) => {
    for (const [timer, one] of [...made.timers]) {
      if (one.ms > ms) continue;
      made.timers.delete(timer);
      one.work();
    }
  };
  made.recovery = new Recovery({
    retry: () => { made.retries += 1; },
    reload: () => { made.reloads += 1; },
    renew,
    onTrouble: (trouble) => made.troubles.push(trouble),
    onStop: (error) => made.stops.push(error),
    later: (work, ms) => { made.timers.set(made.next, { work, ms }); return made.next++; },
    cancel: (timer) => made.timers.delete(timer),
  });
  return made;
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });

test("temporary errors are retried, refusals request a new SAS, other errors stop the film", () => {
  const does = (error) => remedy(error, KINDS);
  assert.deepEqual([503, 500, 429, 408].map((code) => does(status(code))), ["retry", "retry", "retry", "retry"]);
  assert.deepEqual([401, 403, 404, 410].map((code) => does(status(code))), ["renew", "renew", "renew", "renew"]);
  assert.deepEqual([does(DROPPED), does({ category: 1, code: 1003 })], ["retry", "retry"]);
  assert.deepEqual([does(status(400)), does({ category: 3, code: 3016 })], ["stop", "stop"]);
  assert.deepEqual([does(refusedByApi(0)), does(refusedByApi(503)), does(refusedByApi(402))], ["retry", "retry", "stop"]);
});

test("a lost connection is retried at increasing intervals, and never stops the film", () => {
  const made = makeRecovery();
  for (let turn = 0; turn < 500; turn += 1) {
    made.recovery.failed(DROPPED, KINDS);
    made.run(12_000);
  }
  assert.equal(made.retries, 500);
  assert.deepEqual([made.troubles, made.stops], [["failing"], []]);
});

test("a pending retry runs at once when the browser is online again", () => {
  const made = makeRecovery();
  made.recovery.offline();
  made.recovery.failed(DROPPED, KINDS);
  made.recovery.online();
  assert.equal(made.retries, 1);
  assert.deepEqual(made.troubles, ["offline", "failing"]);
});

test("a lost connection during which nothing was fetched is reported, but needs no retry", () => {
  const made = makeRecovery();
  made.recovery.offline();
  made.recovery.online();
  assert.deepEqual([made.troubles, made.retries], [["offline", ""], 0]);
});

test("only new data shows that the connection is back", () => {
  const made = makeRecovery();
  made.recovery.reaches(30);
  made.recovery.failed(DROPPED, KINDS);
  made.recovery.reaches(30);
  made.recovery.leaps(12);
  made.recovery.reaches(12);
  assert.deepEqual(made.troubles, ["failing"]);
  made.recovery.reaches(14);
  assert.deepEqual(made.troubles, ["failing", ""]);
});

test("a refused SAS is replaced silently, and reported only if that did not help", async () => {
  const made = makeRecovery();
  made.recovery.failed(status(403), KINDS);
  await settled();
  made.run(12_000);
  assert.deepEqual([made.troubles, made.retries], [[], 1]);
  made.recovery.failed(status(403), KINDS);
  assert.deepEqual(made.troubles, ["failing"]);
});

test("a film that is permanently refused stops with the API's reason", async () => {
  const lapsed = new RequestError(402, "no_subscription", "");
  const made = makeRecovery({ renew: async () => { throw lapsed; } });
  made.recovery.failed(status(403), KINDS);
  await settled();
  assert.deepEqual(made.stops, [lapsed]);
  const expired = refusedByApi(402);
  made.recovery.failed(expired, KINDS);
  assert.equal(made.stops[1], expired.data[0]);
});

test("a renewal without a connection is tried again", async () => {
  const made = makeRecovery({ renew: async () => { throw new RequestError(0, "unreachable", ""); } });
  made.recovery.failed(status(403), KINDS);
  await settled();
  made.run(12_000);
  assert.deepEqual([made.retries, made.stops], [1, []]);
});

test("segments that are still missing or refused with a new SAS stop the film", async () => {
  for (const [code, attempts] of [[404, 3], [403, 21]]) {
    const made = makeRecovery();
    for (let turn = 0; turn < attempts; turn += 1) {
      assert.deepEqual(made.stops, []);
      made.recovery.failed(status(code), KINDS);
      await settled();
      made.run(12_000);
    }
    assert.equal(made.stops.length, 1);
  }
});

test("a retry without data or an error opens the film again", () => {
  const made = makeRecovery();
  made.recovery.failed(DROPPED, KINDS);
  made.run(12_000);
  made.run(60_000);
  assert.equal(made.reloads, 1);
});
