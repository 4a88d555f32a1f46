import assert from "node:assert/strict";
import { test } from "node:test";
import { actForKey, skipForTap } from "../../../web/js/player/controls.js";
import { progressed } from "../../../web/js/player/encode.js";
import { placeIn, SETTINGS, startTime } from "../../../web/js/player/engine.js";
import { heightsOf, preferredTrack, trackLabel } from "../../../web/js/player/menus.js";
import { problemFor } from "../../../web/js/player/messages.js";
import { renewAfter, Session, sign } from "../../../web/js/player/session.js";
import { RequestError } from "../../../web/js/net.js";
import { bufferedEnd, previewLeft, reachable } from "../../../web/js/player/timeline.js";
import { atFront } from "../../../web/js/watch.js";

const BLOB = "https://films.example";

test("the key goes to the films' store and nowhere else", () => {
  assert.equal(sign(`${BLOB}/t/s1.m4s`, "?sig=a", BLOB), `${BLOB}/t/s1.m4s?sig=a`);
  assert.equal(sign(`${BLOB}/t/s1.m4s?x=1`, "sig=a", BLOB), `${BLOB}/t/s1.m4s?x=1&sig=a`);
  assert.equal(sign("https://elsewhere.example/s1.m4s", "sig=a", BLOB), "https://elsewhere.example/s1.m4s");
  assert.equal(sign("data:text/plain,x", "sig=a", BLOB), "data:text/plain,x");
});

test("the key is added once, and before the name of a piece", () => {
  assert.equal(sign(`${BLOB}/s?sig=old`, "sig=a", BLOB), `${BLOB}/s?sig=old`);
  assert.equal(sign(`${BLOB}/t.jpg#xywh=0,0,160,90`, "sig=a", BLOB), `${BLOB}/t.jpg?sig=a#xywh=0,0,160,90`);
});

test("a key is renewed within its life, and every five minutes at the latest", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(renewAfter("2026-01-01T00:01:00Z", now), 45_000);
  assert.equal(renewAfter("2026-01-01T10:00:00Z", now), 5 * 60_000);
  assert.equal(renewAfter("2025-01-01T00:00:00Z", now), 5000);
});

/** @returns {[Session, { ticks: number, now: number, asked: number }]} */
function makeSession(answers) {
  const clock = { ticks: 0, now: Date.parse("2026-01-01T00:00:00Z"), asked: 0 };
  const open = async () => {
    const answer = answers[Math.min(clock.asked, answers.length - 1)];
    clock.asked += 1;
    if (answer instanceof Error) throw answer;
    return { manifest_url: `${BLOB}/m.mpd`, expires_at: new Date(clock.now + 60_000).toISOString(), sas: answer };
  };
  return [new Session(/** @type {any} */ (open), { ticks: () => clock.ticks, now: () => clock.now }), clock];
}

test("many requests at once share one renewal", async () => {
  const [session, clock] = makeSession(["sig=1", "sig=2"]);
  await session.renew();
  clock.ticks = 46_000;
  const signed = await Promise.all([1, 2, 3].map((n) => session.signed(`${BLOB}/${n}`)));
  assert.deepEqual(signed, [`${BLOB}/1?sig=2`, `${BLOB}/2?sig=2`, `${BLOB}/3?sig=2`]);
  assert.equal(clock.asked, 2);
});

test("a renewal that fails leaves the old key in use while it lasts", async () => {
  const [session, clock] = makeSession(["sig=1", new Error("away")]);
  await session.renew();
  clock.ticks = 46_000;
  clock.now += 46_000;
  assert.equal(await session.signed(`${BLOB}/1`), `${BLOB}/1?sig=1`);
  clock.ticks = 61_000;
  clock.now += 15_000;
  await assert.rejects(session.signed(`${BLOB}/1`), /away/);
});

test("a growing film is never corrected by the clock", () => {
  assert.equal(SETTINGS.manifest.dash.autoCorrectDrift, false);
});

test("a film begins where one stopped, or where one wants to, short of what is not there yet", () => {
  assert.equal(startTime({ resume_s: 0, duration_s: 100, status: "ready" }), 0);
  assert.equal(startTime({ resume_s: 40, duration_s: 100, status: "ready" }), 40);
  assert.equal(startTime({ resume_s: 40, duration_s: 100, status: "ready" }, 0), 0);
  assert.equal(startTime({ resume_s: 40, duration_s: 30, status: "ready" }), 30);
  assert.equal(startTime({ resume_s: 80, duration_s: 200, front_s: 20, status: "encoding" }), 16);
  assert.equal(startTime({ resume_s: 80, duration_s: 200, front_s: 0, status: "encoding" }), 0);
});

test("an address may name a place in the film, and nothing else is taken for one", () => {
  assert.deepEqual(["?id=a&from=0", "?from=12.5", "?from=-3", "?from=x", "?from=", "?id=a"].map(placeIn), [0, 12.5, null, null, null, null]);
});

test("a seek stays inside the film and short of what is not encoded", () => {
  const ready = { duration: 100, front: 100, encoding: false };
  assert.deepEqual([-5, 50, 200].map((target) => reachable(target, ready)), [0, 50, 100]);
  assert.equal(reachable(90, { duration: 100, front: 42, encoding: true }), 41);
  assert.equal(reachable(90, { duration: 100, front: 0, encoding: true }), 0);
});

test("what is buffered is told for where one is", () => {
  const ranges = { length: 2, start: (n) => [0, 50][n], end: (n) => [10, 60][n] };
  assert.deepEqual([5, 20, 55].map((time) => bufferedEnd(ranges, time)), [10, 20, 60]);
});

test("a preview never leaves the bar", () => {
  assert.deepEqual([0, 300, 1000].map((at) => previewLeft(at, 160, 1000)), [80, 300, 920]);
});

test("waiting at the front is not a stall", () => {
  assert.equal(atFront({ encoding: true, time: 41, front: 42 }), true);
  assert.equal(atFront({ encoding: true, time: 35, front: 42 }), false);
  assert.equal(atFront({ encoding: false, time: 42, front: 42 }), false);
});

test("progress never goes back, and the job decides how it ends", () => {
  const state = { status: "encoding", percent: 40, front: 16, duration: 60 };
  assert.deepEqual(progressed(state, { status: "encoding", progress: { percent: 38, front_s: 20 } }), { ...state, front: 20 });
  assert.deepEqual(progressed(state, { status: "ready", progress: null }), { status: "ready", percent: 100, front: 60, duration: 60 });
  assert.equal(progressed(state, { status: "failed", progress: null }).status, "failed");
  assert.equal(progressed(state, { status: "encoding", progress: { status: "failed" } }).status, "failed");
});

test("keys do what the list of shortcuts says, and leave the browser's own alone", () => {
  const press = (key, more = {}) => actForKey({ key, ...more });
  assert.deepEqual([" ", "K", "ArrowLeft", "7", "?"].map((key) => press(key)), [["play"], ["play"], ["skip", -10], ["tenth", 7], ["help"]]);
  assert.equal(press("f", { ctrlKey: true }), null);
  assert.equal(press("Tab"), null);
});

test("menus list each height once and name tracks", () => {
  assert.deepEqual(heightsOf([{ height: 360 }, { height: 1080 }, { height: 360 }, { height: null }]), [1080, 360]);
  assert.equal(trackLabel({ label: "", language: "de" }), "German");
  assert.equal(trackLabel({ label: "Director", language: "en" }), "Director");
});

test("subtitles come on in the language of the viewer, then of the browser, exactly or but for its region", () => {
  const tracks = ["de", "en", "pt-BR"].map((language) => ({ language }));
  const language = (...languages) => preferredTrack(tracks, languages)?.language;
  assert.equal(language("en-US", "en"), "en");
  assert.equal(language("pt-PT", "en"), "pt-BR");
  assert.equal(language("fr", "EN"), "en");
  assert.equal(language("fr"), "de");
  assert.equal(preferredTrack([], ["en"]), null);
});

test("a second tap at a side skips, between the sides it does not", () => {
  assert.deepEqual([10, 129, 195, 261, 380].map((x) => skipForTap(x, 390)), [-10, -10, 0, 10, 10]);
});

test("every problem says what to do", () => {
  assert.equal(problemFor({ status: 404 }).again, false);
  assert.match(problemFor({ code: "announced", status: 409 }).heading, /coming soon/);
  assert.match(problemFor(new RequestError(0, "unreachable", "")).text, /network/);
  assert.match(problemFor({ code: 1002, unreachable: true }).text, /network/);
  assert.equal(problemFor(new Error("anything")).again, true);
});
