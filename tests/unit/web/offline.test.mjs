import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { cacheName, deleteFilmsOf, filmOf } from "../../../web/js/offline/caches.js";
import { factsOf, obstacleOf, offlineText, spaceText } from "../../../web/js/offline/downloads.js";
import { progressText } from "../../../web/js/offline/button.js";
import { DownloadFailure, requireSpace } from "../../../web/js/offline/downloading.js";
import { addFilm, changeFilm, deleteFilm, fileFrom, filesOfFilm, listFilms, readFile, readFilm, storedBytes } from "../../../web/js/offline/films.js";
import { isExpired, renewLicence } from "../../../web/js/offline/licences.js";
import { filesOf, picturesOf, renditionFor, sizeOf, soundsFor } from "../../../web/js/offline/manifest.js";
import { StoredSession } from "../../../web/js/offline/playing.js";
import { RequestError } from "../../../web/js/net.js";
import { drop, keep } from "../../../web/js/account/session.js";
import { ADA, BOB, FOLDER, makeFilm, MemoryCaches, SITE } from "./films.mjs";

const NOW = new Date("2026-05-01T12:00:00Z");

beforeEach(() => {
  globalThis.caches = /** @type {any} */ (new MemoryCaches());
  globalThis.location = /** @type {any} */ ({ origin: SITE });
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true });
  drop();
});

test("the name of a cache says whose film it is", () => {
  assert.deepEqual(filmOf(cacheName(ADA, "film")), { userId: ADA, titleId: "film" });
  assert.deepEqual(["notflix shell 1", "notflix film", "notflix film x", "notflix film a b c"].map(filmOf), [null, null, null, null]);
});

test("whoever logs out deletes the films of the account, and no others", async () => {
  await addFilm(makeFilm(), [], []);
  await addFilm(makeFilm({ user_id: BOB }), [], []);
  await globalThis.caches.open("notflix shell 1");
  await deleteFilmsOf(undefined);
  assert.equal((await globalThis.caches.keys()).length, 3);
  await deleteFilmsOf(ADA);
  assert.deepEqual((await globalThis.caches.keys()).sort(), [cacheName(BOB, "film"), "notflix shell 1"]);
  await deleteFilmsOf(ADA, undefined);
});

test("a download has stereo, and 5.1 only without it", () => {
  const [stereo, surround, dolby] = [["aac", 2], ["aac", 6], ["ec-3", 6]].map(([mime, channels]) => ({ mime: String(mime), channels: Number(channels) }));
  const canPlay = (mime) => mime === "aac";
  assert.deepEqual(soundsFor([stereo, surround, dolby], canPlay), [stereo]);
  assert.deepEqual(soundsFor([surround, dolby], canPlay), [surround]);
  assert.deepEqual(soundsFor([], canPlay), []);
});

test("a download has the best rendition of at most 720 lines that the browser can play", () => {
  const make = (height, mime = "avc", bandwidth = height * 1000) => ({ height, mime, bandwidth });
  const canPlay = (mime) => mime === "avc";
  const heightFor = (...renditions) => renditionFor(renditions, canPlay)?.height;
  assert.equal(heightFor(make(1080), make(720), make(360)), 720);
  assert.equal(heightFor(make(2160), make(1080)), 1080);
  assert.equal(heightFor(make(720, "hevc"), make(480)), 480);
  assert.equal(heightFor(make(720, "hevc")), undefined);
  assert.equal(renditionFor([make(720, "avc", 9), make(720, "avc", 5)], canPlay)?.bandwidth, 5);
});

test("a download has pictures in HDR only on a screen that shows them", () => {
  const renditions = [{ mime: "avc", height: 720, bandwidth: 9 }, { mime: "av1", height: 720, bandwidth: 5, isHdr: true }];
  assert.equal(renditionFor(renditions, () => true)?.mime, "avc");
  assert.equal(renditionFor(renditions, () => true, true)?.mime, "av1");
  assert.equal(renditionFor(renditions.slice(1), () => true), null);
});

test("the names of segments follow from the timeline of the manifest", () => {
  const template = { initialization: "v/init.mp4", media: "v/s$Number%05d$.m4s", start: 0, repeats: [1, 0] };
  assert.deepEqual(filesOf(template), ["v/init.mp4", "v/s00000.m4s", "v/s00001.m4s", "v/s00002.m4s"]);
  assert.deepEqual(filesOf({ initialization: "i", media: "$Number$.m4s", start: 9, repeats: [1] }), ["i", "9.m4s", "10.m4s"]);
});

test("each sheet of thumbnails is stored once", () => {
  const cue = (name, x) => `00:00:00.000 --> 00:00:10.000\n${name}#xywh=${x},0,10,10\n`;
  const vtt = `WEBVTT\n\n${cue("thumbnails/c0.jpg", 0)}\n${cue("thumbnails/c0.jpg", 10)}\n${cue("thumbnails/c1.jpg", 0)}`;
  assert.deepEqual(picturesOf(vtt), ["thumbnails/c0.jpg", "thumbnails/c1.jpg"]);
});

test("a film that does not fit is refused with both sizes", () => {
  assert.equal(sizeOf(8000, 60), 60_000);
  requireSpace(1000, { quota: 2000, usage: 1000 });
  requireSpace(1000, {});
  const refusal = { name: "Error", message: "There is not enough space: this film needs about 1.2 GB, but only 300 MB is free." };
  assert.throws(() => requireSpace(1.2e9, { quota: 1e9, usage: 7e8 }), (error) => error instanceof DownloadFailure && error.message === refusal.message);
});

test("an interrupted download knows which files are missing, and how much is stored", async () => {
  const film = makeFilm({ whole: false });
  const files = ["a", "b", "c"].map((name) => `${FOLDER}/${name}`);
  const cache = await addFilm(film, files, [[film.session.manifest_url, fileFrom(new Blob(["<MPD/>"]))]]);
  await cache.put(files[1], fileFrom(new Blob(["four"])));
  assert.deepEqual(await filesOfFilm(film), { all: files, missing: [files[0], files[2]] });
  assert.equal(await storedBytes(film), "<MPD/>four".length);
  assert.equal(await (await readFile(film, files[1])).text(), "four");
  assert.equal(await readFile(film, files[0]), null);
});

test("a film that was deleted is not created again by a change", async () => {
  const film = makeFilm();
  await addFilm(film, [], []);
  assert.equal((await changeFilm(film, { place_s: 42 })).place_s, 42);
  await deleteFilm(film);
  assert.equal(await changeFilm(film, { place_s: 50 }), null);
  assert.deepEqual(await globalThis.caches.keys(), []);
});

test("an account sees its own films; without an account, all films of the device are listed", async () => {
  await addFilm(makeFilm({ stored_at: "2026-05-01T10:00:00Z" }), [], []);
  await addFilm(makeFilm({ user_id: BOB, title_id: "other", stored_at: "2026-05-02T10:00:00Z" }), [], []);
  assert.deepEqual((await listFilms(ADA)).map((film) => film.title_id), ["film"]);
  assert.deepEqual((await listFilms(undefined)).map((film) => film.title_id), ["other", "film"]);
  assert.equal(await readFilm("other", ADA), null);
});

test("a profile sees only the downloads of its age, and none of an earlier release, whose age is unknown", async () => {
  await addFilm(makeFilm({ rated: "PG" }), [], []);
  await addFilm(makeFilm({ title_id: "thriller", rated: "R" }), [], []);
  await addFilm(makeFilm({ title_id: "old" }), [], []);
  assert.deepEqual((await listFilms(ADA, 9)).map((film) => film.title_id), ["film"]);
  assert.equal((await listFilms(ADA, null)).length, 3);
});

test("a licence ends at its time, also on a clock that was set back", () => {
  const film = makeFilm();
  const end = Date.parse(film.licence_until);
  assert.deepEqual([end - 1, end].map((now) => isExpired(film, now)), [false, true]);
  assert.equal(isExpired(makeFilm({ seen_at: "2026-06-01T00:00:00Z" }), NOW.getTime()), true);
});

test("without a connection, a licence stays as it is and the time is noted", async () => {
  const film = makeFilm();
  await addFilm(film, [], []);
  const { film: after, refusal } = await renewLicence(film, NOW);
  assert.deepEqual([after.licence_until, after.seen_at, refusal], [film.licence_until, NOW.toISOString(), null]);
  assert.equal((await renewLicence(after, new Date("2026-04-01T00:00:00Z"))).film.seen_at, NOW.toISOString());
});

/**
 * Answer requests to the API with a status and a content, by the end of their paths; return the paths that were asked.
 * @param {Record<string, [status: number, content: object]>} answers
 */
function answerWith(answers) {
  /** @type {string[]} */
  const asked = [];
  Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
  globalThis.document = /** @type {any} */ ({ documentElement: { dataset: { api: "https://api.example" } } });
  globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ address) => {
    asked.push(new URL(address).pathname);
    const [status, content] = Object.entries(answers).find(([path]) => new URL(address).pathname.endsWith(path))?.[1] ?? [500, {}];
    return new Response(JSON.stringify(content), { status, headers: { "content-type": "application/json" } });
  });
  return asked;
}

const REFUSED = /** @type {[number, object]} */ ([403, { error: "age_limited", detail: "This profile cannot play this title." }]);
const CHILD = { id: "c".repeat(32), name: "Kim", colour: "green", age_limit: 6 };

test("a lowered age limit ends a download, and the films above it are no longer shown to the profile", async () => {
  keep(/** @type {any} */ ({ token: "t", user_id: ADA, profile_id: CHILD.id, age_limit: 12 }));
  const film = makeFilm({ rated: "12" });
  await addFilm(film, [], []);
  assert.equal((await listFilms(ADA)).length, 1);
  const title = /** @type {[number, object]} */ ([200, { rated: "12" }]);
  answerWith({ "/licence": REFUSED, "/profiles": [200, { current: CHILD.id, profiles: [CHILD] }], "/titles/film": title });
  const { film: after, refusal } = await renewLicence(film, NOW);
  assert.deepEqual([after?.licence_until, refusal?.code], [NOW.toISOString(), "age_limited"]);
  assert.deepEqual(await listFilms(ADA), []);
  assert.equal((await listFilms(ADA, null)).length, 1, "another profile can renew it");
});

test("a corrected certificate ends a download, and is remembered", async () => {
  keep(/** @type {any} */ ({ token: "t", user_id: ADA, profile_id: CHILD.id, age_limit: 6 }));
  const film = makeFilm({ rated: "6" });
  await addFilm(film, [], []);
  answerWith({ "/licence": REFUSED, "/profiles": [200, { current: CHILD.id, profiles: [CHILD] }], "/titles/film": [200, { rated: "16" }] });
  const { film: after } = await renewLicence(film, NOW);
  assert.deepEqual([after?.licence_until, after?.rated], [NOW.toISOString(), "16"]);
  assert.deepEqual(await listFilms(ADA), []);
});

test("a download that the profile may not play ends even if nothing else can be learned", async () => {
  keep(/** @type {any} */ ({ token: "t", user_id: ADA, profile_id: CHILD.id, age_limit: 12 }));
  const film = makeFilm({ rated: "12" });
  await addFilm(film, [], []);
  answerWith({ "/licence": REFUSED });
  const { film: after, refusal } = await renewLicence(film, NOW);
  assert.deepEqual([after?.licence_until, after?.rated, refusal?.status], [NOW.toISOString(), "12", 403]);
});

test("a downloaded film opens where its viewer stopped, until its licence ends", async () => {
  const later = new Date(Date.now() + 60_000).toISOString();
  await addFilm(makeFilm({ licence_until: later, place_s: 42 }), [], [[`${FOLDER}/t0.vtt`, fileFrom(new Blob(["WEBVTT"]))]]);
  const session = new StoredSession("film");
  const opened = await session.renew();
  assert.deepEqual([opened.resume_s, opened.expires_at, opened.sas], [42, later, ""]);
  assert.equal(await session.signed(`${FOLDER}/a`), `${FOLDER}/a`);
  assert.equal(await session.text(`${FOLDER}/t0.vtt`), "WEBVTT");
  await assert.rejects(session.text(`${FOLDER}/t1.vtt`), { code: "not_downloaded" });
  await changeFilm(makeFilm(), { licence_until: "2020-01-01T00:00:00Z" });
  await assert.rejects(session.renew(), { code: "licence_expired" });
});

test("a film that is not completely downloaded does not open", async () => {
  await assert.rejects(new StoredSession("film").renew(), { code: "not_downloaded" });
  await addFilm(makeFilm({ whole: false }), [], []);
  await assert.rejects(new StoredSession("film").renew(), { code: "not_downloaded" });
});

test("a browser that refuses caches has no films, and deletes none", async () => {
  const refuse = () => Promise.reject(new DOMException("The operation is insecure.", "SecurityError"));
  globalThis.caches = /** @type {any} */ ({ keys: refuse });
  await deleteFilmsOf(ADA);
  assert.deepEqual(await listFilms(ADA), []);
});

test("the downloads page says what each film is and why it cannot be watched", () => {
  assert.equal(factsOf(makeFilm(), NOW), "720p · 1.2 GB · until 31 May");
  assert.equal(factsOf(makeFilm({ whole: false }), NOW), "720p · about 1.2 GB");
  const expired = makeFilm({ licence_until: "2026-04-30T12:00:00Z" });
  assert.equal(factsOf(expired, NOW), "720p · 1.2 GB");
  assert.equal(obstacleOf(makeFilm(), { now: NOW, online: false }), "");
  assert.match(obstacleOf(expired, { now: NOW, online: false }), /Connect to the internet/);
  assert.match(obstacleOf(expired, { now: NOW, online: true }), /Log in/);
  assert.match(obstacleOf(expired, { now: NOW, online: true, refusal: new RequestError(402, "x", "") }), /access has ended/);
  assert.match(obstacleOf(makeFilm(), { now: NOW, online: true, refusal: new RequestError(403, "age_limited", "") }), /Switch to another profile/);
});

test("the downloads page says what the connection is like and how much space is used", () => {
  assert.equal(offlineText({ isSubstitute: false, online: true }), "");
  assert.match(offlineText({ isSubstitute: false, online: false }), /^You are offline/);
  assert.match(offlineText({ isSubstitute: true, online: true }), /did not load/);
  assert.equal(spaceText({ usage: 2e9, quota: 5e9 }), "Notflix uses 2 GB on this device. 3 GB is free.");
  assert.equal(spaceText({}), "");
  assert.match(progressText({ percent: 42, waits: false }), /42 %\. Keep this page open/);
  assert.match(progressText({ percent: 42, waits: true }), /Waiting for the connection/);
});
