import assert from "node:assert/strict";
import { test } from "node:test";
import { actForKey, skipForTap, unlessCovered } from "../../../web/js/player/controls.js";
import { progressed } from "../../../web/js/player/encode.js";
import { chapterAt, chaptersOf, placeIn, SETTINGS, startTime } from "../../../web/js/player/engine.js";
import { heightsOf, preferredTrack } from "../../../web/js/player/choices.js";
import { trackLabel } from "../../../web/js/player/menus.js";
import { endingFor, problemFor } from "../../../web/js/player/messages.js";
import { SystemControls } from "../../../web/js/player/system.js";
import { Stream } from "../../../web/js/player/stream.js";
import { streamPlace } from "../../../web/js/streams.js";
import { memory } from "../../../web/js/account/session.js";
import { renewAfter, Session, sign } from "../../../web/js/player/session.js";
import { RequestError } from "../../../web/js/net.js";
import { atFront, bufferedEnd, previewLeft, reachable } from "../../../web/js/player/timeline.js";

const BLOB = "https://films.example";

test("the key is sent to the store of the films and nowhere else", () => {
  assert.equal(sign(`${BLOB}/t/s1.m4s`, "?sig=a", BLOB), `${BLOB}/t/s1.m4s?sig=a`);
  assert.equal(sign(`${BLOB}/t/s1.m4s?x=1`, "sig=a", BLOB), `${BLOB}/t/s1.m4s?x=1&sig=a`);
  assert.equal(sign("https://elsewhere.example/s1.m4s", "sig=a", BLOB), "https://elsewhere.example/s1.m4s");
  assert.equal(sign("data:text/plain,x", "sig=a", BLOB), "data:text/plain,x");
});

test("the key is added once, before the fragment", () => {
  assert.equal(sign(`${BLOB}/s?sig=old`, "sig=a", BLOB), `${BLOB}/s?sig=old`);
  assert.equal(sign(`${BLOB}/t.jpg#xywh=0,0,160,90`, "sig=a", BLOB), `${BLOB}/t.jpg?sig=a#xywh=0,0,160,90`);
});

test("a key is renewed before it expires, and at least every two minutes", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(renewAfter("2026-01-01T00:01:00Z", now), 45_000);
  assert.equal(renewAfter("2026-01-01T10:00:00Z", now), 2 * 60_000);
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

test("concurrent requests share one renewal", async () => {
  const [session, clock] = makeSession(["sig=1", "sig=2"]);
  await session.renew();
  clock.ticks = 46_000;
  const signed = await Promise.all([1, 2, 3].map((n) => session.signed(`${BLOB}/${n}`)));
  assert.deepEqual(signed, [`${BLOB}/1?sig=2`, `${BLOB}/2?sig=2`, `${BLOB}/3?sig=2`]);
  assert.equal(clock.asked, 2);
});

test("a text file of the film is requested with the key, and again after a temporary failure", async (run) => {
  const [session] = makeSession(["sig=1"]);
  const answers = [new Response("busy", { status: 503 }), new Response("WEBVTT"), new Response("", { status: 404 })];
  const { mock } = run.mock.method(globalThis, "fetch", async () => /** @type {Response} */ (answers.shift()));
  assert.equal(await session.text(`${BLOB}/t0.vtt`), "WEBVTT");
  assert.deepEqual(mock.calls.map((call) => call.arguments[0]), [`${BLOB}/t0.vtt?sig=1`, `${BLOB}/t0.vtt?sig=1`]);
  await assert.rejects(session.text(`${BLOB}/t1.vtt`), { status: 404 });
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

test("a refusal is reported with the remaining time, checked again later, and withdrawn if access returns", async () => {
  const told = [];
  const clock = { ticks: 0, now: Date.parse("2026-01-01T00:00:00Z"), asked: 0 };
  const answers = ["sig=1", new RequestError(402, "entitlement_required", "Subscribe."), "sig=2"];
  const open = async () => {
    const answer = answers[clock.asked];
    clock.asked += 1;
    if (answer instanceof Error) throw answer;
    return { manifest_url: `${BLOB}/m.mpd`, expires_at: new Date(clock.now + 60_000).toISOString(), sas: answer };
  };
  const onRefused = (error, leftMs) => told.push([error?.status ?? null, leftMs]);
  const session = new Session(/** @type {any} */ (open), { ticks: () => clock.ticks, now: () => clock.now, onRefused });
  const forward = (ms) => { clock.ticks += ms; clock.now += ms; };
  await session.renew();
  forward(46_000);
  assert.equal(await session.signed(`${BLOB}/1`), `${BLOB}/1?sig=1`);
  forward(6000);
  await session.signed(`${BLOB}/1`);
  assert.deepEqual([told, clock.asked], [[[402, 14_000]], 2]);
  await session.renew();
  assert.deepEqual(told, [[402, 14_000], [null, 0]]);
});

/**
 * Return a session whose first key lasts 15 minutes, and its clock; `later` answers from the second request on.
 * @param {() => Promise<any>} later
 * @param {(error: any, leftMs: number) => void} [onRefused]
 */
function makeLongSession(later, onRefused) {
  const clock = { ticks: 0, now: Date.parse("2026-01-01T00:00:00Z"), asked: 0 };
  const open = () => {
    clock.asked += 1;
    if (clock.asked > 1) return later();
    return Promise.resolve({ manifest_url: `${BLOB}/m.mpd`, expires_at: new Date(clock.now + 15 * 60_000).toISOString(), sas: "sig=1" });
  };
  const session = new Session(/** @type {any} */ (open), { ticks: () => clock.ticks, now: () => clock.now, onRefused });
  const forward = (minutes) => { clock.ticks += minutes * 60_000; clock.now += minutes * 60_000; };
  return { session, clock, forward };
}

const inTime = (/** @type {Promise<string>} */ signed) => Promise.race([signed, new Promise((resolve) => { setTimeout(() => resolve("blocked"), 50); })]);

test("a film whose renewal is never answered plays with its old key as long as that is valid", async () => {
  const { session, clock, forward } = makeLongSession(() => new Promise(() => {}));
  await session.renew();
  forward(2);
  assert.equal(await inTime(session.signed(`${BLOB}/1`)), `${BLOB}/1?sig=1`);
  forward(11);
  assert.equal(await inTime(session.signed(`${BLOB}/2`)), `${BLOB}/2?sig=1`);
  assert.equal(clock.asked, 2);
  forward(3);
  assert.equal(await inTime(session.signed(`${BLOB}/3`)), "blocked");
});

test("a refusal that arrives while the film plays is reported once, and one after the end of the key stops nothing else", async () => {
  const told = [];
  const answers = [];
  const { session, forward } = makeLongSession(() => new Promise((_resolve, reject) => { answers.push(reject); }), (error, leftMs) => { told.push([error?.status, leftMs]); });
  await session.renew();
  forward(2);
  const signed = await Promise.all([1, 2, 3].map((n) => inTime(session.signed(`${BLOB}/${n}`))));
  assert.deepEqual(signed, [1, 2, 3].map((n) => `${BLOB}/${n}?sig=1`));
  answers[0](new RequestError(402, "entitlement_required", "Subscribe."));
  await inTime(new Promise(() => {}));
  assert.deepEqual(told, [[402, 13 * 60_000]]);
  forward(1);
  await session.signed(`${BLOB}/4`);
  forward(13);
  answers[1](new RequestError(402, "entitlement_required", "Subscribe.")); // nobody waits for it
  await inTime(new Promise(() => {}));
  assert.equal(told.length, 1);
});

test("the notice over an ending film says why it ends, and how long it still plays", () => {
  assert.equal(endingFor({ status: 402 }, 7.9 * 60_000), "Your access has ended. You can watch for another 7 minutes.");
  assert.equal(endingFor({ status: 402 }, 60_000), "Your access has ended. You can watch for another minute.");
  assert.equal(endingFor({ status: 402 }, 0), "Your access has ended. You can watch the part that is loaded.");
  assert.match(endingFor({ status: 402, suspended: true }, 600_000), /payment failed.*10 minutes/);
  assert.match(endingFor({ status: 404 }, 600_000), /removed.*loaded/);
});

test("too many devices, a stopped device and a film in preparation have different messages", () => {
  const full = problemFor(new RequestError(409, "too_many_streams", "You can watch on 3 devices."));
  assert.deepEqual([full.streams, full.again], [true, true]);
  const stopped = problemFor(new RequestError(409, "stream_stopped", "Playback here was stopped from another device (Chrome on Android)."));
  assert.match(stopped.text, /Chrome on Android/);
  assert.deepEqual([stopped.retry, stopped.streams], ["Watch here", undefined]);
  assert.match(problemFor({ status: 402, lapsed: true }).heading, /ended/);
});

test("a page keeps its stream, and gives it up when it is closed", () => {
  const kept = memory();
  const sent = [];
  const stream = new Stream({ kept, send: (address, text) => sent.push([address, JSON.parse(text)]) });
  globalThis.document = /** @type {any} */ ({ documentElement: { dataset: { api: "https://api.example" } } });
  stream.leave();
  stream.keep("first");
  stream.keep("second");
  assert.equal(new Stream({ kept }).ticket, "second");
  stream.leave();
  assert.deepEqual(sent, [["https://api.example/api/streams/left", { stream_ticket: "second" }]]);
  assert.equal(stream.ticket, "second");
  stream.forget();
  assert.equal(stream.ticket, null);
  delete globalThis.document;
});

test("a device is listed with the time at which it began to play", () => {
  const now = new Date(2026, 10, 24, 20, 15);
  const since = new Date(2026, 10, 24, 19, 5).toISOString();
  assert.match(streamPlace({ device: "Firefox on Linux", since, here: false }, now), /^Firefox on Linux · since today, /);
  assert.match(streamPlace({ device: "Chrome on Android", since, here: true }, now), /this device/);
});

test("a growing film is never corrected by the clock", () => {
  assert.equal(SETTINGS.manifest.dash.autoCorrectDrift, false);
});

test("a film begins where the viewer stopped or at the requested position, within the available part", () => {
  assert.equal(startTime({ resume_s: 0, duration_s: 100, status: "ready" }), 0);
  assert.equal(startTime({ resume_s: 40, duration_s: 100, status: "ready" }), 40);
  assert.equal(startTime({ resume_s: 40, duration_s: 100, status: "ready" }, 0), 0);
  assert.equal(startTime({ resume_s: 40, duration_s: 30, status: "ready" }), 30);
  assert.equal(startTime({ resume_s: 80, duration_s: 200, front_s: 20, status: "encoding" }), 16);
  assert.equal(startTime({ resume_s: 80, duration_s: 200, front_s: 0, status: "encoding" }), 0);
});

test("only a valid position in the address is used as the start", () => {
  assert.deepEqual(["?id=a&from=0", "?from=12.5", "?from=-3", "?from=x", "?from=", "?id=a"].map(placeIn), [0, 12.5, null, null, null, null]);
});

test("a seek stays inside the film and its encoded part", () => {
  const ready = { duration: 100, front: 100, encoding: false };
  assert.deepEqual([-5, 50, 200].map((target) => reachable(target, ready)), [0, 50, 100]);
  assert.equal(reachable(90, { duration: 100, front: 42, encoding: true }), 41);
  assert.equal(reachable(90, { duration: 100, front: 0, encoding: true }), 0);
});

test("the buffered end is that of the range at the current position", () => {
  const ranges = { length: 2, start: (n) => [0, 50][n], end: (n) => [10, 60][n] };
  assert.deepEqual([5, 20, 55].map((time) => bufferedEnd(ranges, time)), [10, 20, 60]);
});

test("a preview stays inside the bar", () => {
  assert.deepEqual([0, 300, 1000].map((at) => previewLeft(at, 160, 1000)), [80, 300, 920]);
});

test("waiting for the encoder is not a stall", () => {
  assert.equal(atFront({ encoding: true, time: 41, front: 42 }), true);
  assert.equal(atFront({ encoding: true, time: 35, front: 42 }), false);
  assert.equal(atFront({ encoding: false, time: 42, front: 42 }), false);
});

test("progress never decreases, and the job determines the end", () => {
  const state = { status: "encoding", percent: 40, uploaded: null, front: 16, duration: 60 };
  assert.deepEqual(progressed(state, { status: "encoding", progress: { percent: 38, front_s: 20 } }), { ...state, front: 20 });
  assert.deepEqual(progressed(state, { status: "ready", progress: null }), { status: "ready", percent: 100, uploaded: null, front: 60, duration: 60 });
  assert.equal(progressed(state, { status: "failed", progress: null }).status, "failed");
  assert.equal(progressed(state, { status: "encoding", progress: { status: "failed" } }).status, "failed");
  const arriving = progressed(state, { status: "encoding", progress: { percent: 0, uploaded_percent: 71.6, front_s: 20 } });
  assert.deepEqual(arriving, { ...state, uploaded: 71, front: 20 });
  assert.equal(progressed(arriving, { status: "encoding", progress: { percent: 0, uploaded_percent: null } }).uploaded, null);
});

test("keys do what the list of shortcuts says, and the browser's own shortcuts still work", () => {
  const press = (key, more = {}) => actForKey({ key, ...more });
  assert.deepEqual([" ", "K", "ArrowLeft", "7", "?"].map((key) => press(key)), [["play"], ["play"], ["skip", -10], ["tenth", 7], ["help"]]);
  assert.equal(press("f", { ctrlKey: true }), null);
  assert.equal(press("Tab"), null);
});

test("while a message covers the film, keys and buttons do not reach it, and work again afterwards", () => {
  const done = [];
  let isCovered = true;
  const act = (/** @type {string} */ name) => (/** @type {any} */ argument) => { done.push([name, argument]); };
  const acts = unlessCovered({ play: act("play"), skip: act("skip"), tenth: act("tenth"), full: act("full"), help: act("help") }, () => isCovered);
  for (const name of ["play", "skip", "tenth", "full", "help"]) acts[name](1);
  assert.deepEqual(done.map(([name]) => name), ["full", "help"]);
  isCovered = false;
  acts.skip(-10);
  assert.deepEqual(done.at(-1), ["skip", -10]);
});

test("while a message covers the film, the system's media controls do not reach it", () => {
  const handlers = new Map();
  const session = /** @type {any} */ ({ setActionHandler: (/** @type {string} */ action, /** @type {any} */ handler) => handlers.set(action, handler) });
  const done = [];
  const video = /** @type {any} */ ({ addEventListener: () => {}, play: () => done.push("play"), pause: () => done.push("pause") });
  let isCovered = true;
  new SystemControls(session).bind(video, { seek: (time) => { done.push(time); }, facts: () => ({ time: 30, duration: 100 }), isCovered: () => isCovered });
  for (const handler of handlers.values()) handler({ seekTime: 5 });
  assert.deepEqual(done, []);
  isCovered = false;
  for (const action of ["play", "seekforward", "seekto", "pause"]) handlers.get(action)({ seekTime: 5 });
  assert.deepEqual(done, ["play", 40, 5, "pause"]);
});

test("menus list each height once and name tracks", () => {
  assert.deepEqual(heightsOf([{ height: 360 }, { height: 1080 }, { height: 360 }, { height: null }]), [1080, 360]);
  assert.equal(trackLabel({ label: "", language: "de" }), "German");
  assert.equal(trackLabel({ label: "Director", language: "en" }), "Director");
  assert.equal(trackLabel({ label: "English (automatic)", language: "en-US" }), "American English (automatic)");
});

test("subtitles are chosen in the viewer's language, then in the browser's, with or without its region", () => {
  const tracks = ["de", "en", "pt-BR"].map((language) => ({ language }));
  const language = (...languages) => preferredTrack(tracks, languages)?.language;
  assert.equal(language("en-US", "en"), "en");
  assert.equal(language("pt-PT", "en"), "pt-BR");
  assert.equal(language("fr", "EN"), "en");
  assert.equal(language("fr"), "de");
  assert.equal(preferredTrack([], ["en"]), null);
});

test("a second tap skips at the sides, but not in the middle", () => {
  assert.deepEqual([10, 129, 195, 261, 380].map((x) => skipForTap(x, 390)), [-10, -10, 0, 10, 10]);
});

test("every problem says what to do", () => {
  assert.equal(problemFor({ status: 404 }).again, false);
  assert.match(problemFor({ code: "announced", status: 409 }).heading, /coming soon/);
  assert.match(problemFor(new RequestError(0, "unreachable", "")).text, /network/);
  assert.match(problemFor({ code: 1002, unreachable: true }).text, /network/);
  assert.equal(problemFor(new Error("anything")).again, true);
});

test("a film's chapters are added once, and named by their times", async () => {
  /** @type {string[]} */
  const tracks = [];
  const chapters = [{ title: "The harbour", startTime: 0, endTime: 60 }, { title: "The storm", startTime: 60, endTime: 90 }];
  const player = {
    getChaptersTracks: () => tracks,
    addChaptersTrack: async (url) => tracks.push(url),
    getChaptersAsync: async () => chapters,
  };
  const session = { chapters_url: "https://blobs/title/job/chapters.vtt" };
  assert.deepEqual(await chaptersOf(player, session), chapters);
  await chaptersOf(player, session);
  assert.deepEqual(tracks, [session.chapters_url]);
  assert.deepEqual(await chaptersOf(player, { chapters_url: null }), []);
  assert.equal(chapterAt(chapters, 59.9), "The harbour");
  assert.equal(chapterAt(chapters, 60), "The storm");
  assert.equal(chapterAt(chapters, 90), "");
});
