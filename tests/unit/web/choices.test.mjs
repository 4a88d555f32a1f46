import assert from "node:assert/strict";
import { test } from "node:test";
import { Choices, heldHeight, likeChosen } from "../../../web/js/player/choices.js";
import { isDrag, timeForDrag } from "../../../web/js/player/drag.js";
import { LOOKS, lookFrom } from "../../../web/js/player/look.js";
import { remember, remembered } from "../../../web/js/player/remembered.js";
import { imagesOf, positionOf, SystemControls } from "../../../web/js/player/system.js";

/** @param {Record<string, string>} values */
function useStorage(values = {}) {
  const kept = new Map(Object.entries(values));
  globalThis.localStorage = /** @type {any} */ ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
  });
}

test("a chosen height is held in every film: the best that is not higher, otherwise the lowest", () => {
  assert.equal(heldHeight([1080, 720, 360], 720), 720);
  assert.equal(heldHeight([1080, 540, 360], 720), 540);
  assert.equal(heldHeight([1080, 720], 360), 720);
  assert.equal(heldHeight([1080, 720], 0), 0);
  assert.equal(heldHeight([], 720), 0);
  for (const damaged of [null, undefined, "720", {}]) assert.equal(heldHeight([1080, 720], damaged), 0);
});

test("sound is chosen by language and label, then by language, and is left alone in a film without it", () => {
  const tracks = [["en", "English"], ["de", "German"], ["en", "Commentary"]].map(([language, label]) => ({ language, label }));
  assert.equal(likeChosen(tracks, { language: "en", label: "Commentary" }), tracks[2]);
  assert.equal(likeChosen(tracks, { language: "en", label: "English 5.1" }), tracks[0]);
  assert.equal(likeChosen(tracks, { language: "fr", label: "French" }), null);
  assert.equal(likeChosen(tracks, undefined), null);
});

test("5.1 is chosen again in the next film, and only by those who have chosen it", () => {
  const tracks = [
    { language: "en", label: "Feature (5.1)", channelsCount: 6 },
    { language: "en", label: "Feature", channelsCount: 2 },
    { language: "de", label: "German", channelsCount: 2 },
  ];
  assert.equal(likeChosen(tracks, { language: "en", label: "English (5.1)", channels: 6 }), tracks[0]);
  assert.equal(likeChosen(tracks, { language: "en", label: "English", channels: 2 }), tracks[1]);
  assert.equal(likeChosen(tracks, { language: "en", label: "English" }), tracks[1]);
  assert.equal(likeChosen(tracks, { language: "de", label: "German (5.1)", channels: 6 }), tracks[2]);
  useStorage();
  const player = makePlayer();
  new Choices(player, /** @type {any} */ ({})).audio(tracks[0]);
  new Choices(player, /** @type {any} */ ({})).prepare();
  assert.deepEqual(player.preferred, [{ language: "en", channelCount: 6 }, { channelCount: 2 }]);
});

/** The part of Shaka's interface that the choices use, with one active track of each kind. */
function makePlayer() {
  const track = (values, active = false) => ({ ...values, active });
  const player = {
    text: [track({ language: "de" }), track({ language: "en" })],
    sound: [track({ language: "en", label: "English" }, true), track({ language: "de", label: "German" })],
    pictures: [track({ height: 1080 }, true), track({ height: 540 })],
    automatic: true,
    preferred: [],
    getTextTracks: () => player.text,
    getAudioTracks: () => player.sound,
    getVideoTracks: () => player.pictures,
    activate(list, one) {
      for (const each of list) each.active = each === one;
    },
    selectTextTrack: (one) => player.activate(player.text, one),
    selectAudioTrack: (one) => player.activate(player.sound, one),
    selectVideoTrack: (one) => player.activate(player.pictures, one),
    configure(name, value) {
      if (name === "abr.enabled") player.automatic = value;
      else player.preferred = name.preferredAudio;
    },
  };
  return player;
}

test("what a viewer chose in one film holds in the next one", () => {
  useStorage();
  const first = makePlayer();
  const chosen = new Choices(first, /** @type {any} */ ({ playbackRate: 1 }));
  chosen.text(first.text[0]);
  chosen.audio(first.sound[1]);
  chosen.quality(720);
  chosen.speed(1.25);
  const next = makePlayer();
  const video = { playbackRate: 1 };
  const again = new Choices(next, /** @type {any} */ (video));
  again.prepare();
  again.restore();
  assert.deepEqual(next.preferred, [{ language: "de", channelCount: 2 }, { channelCount: 2 }]);
  assert.deepEqual([next.text, next.sound, next.pictures].map((list) => list.findIndex(({ active }) => active)), [0, 1, 1]);
  assert.deepEqual([next.automatic, video.playbackRate], [false, 1.25]);
  again.quality(0);
  assert.equal(next.automatic, true);
  assert.equal(remembered().quality, 0);
});

test("damaged choices change nothing", () => {
  useStorage({ "notflix.player": JSON.stringify({ audio: 7, quality: "all", speed: "fast", look: [3], subtitles: {} }) });
  const player = makePlayer();
  const video = { playbackRate: 1 };
  const chosen = new Choices(player, /** @type {any} */ (video));
  chosen.prepare();
  chosen.restore();
  assert.deepEqual([player.automatic, video.playbackRate, player.sound[0].active, player.preferred], [true, 1, true, []]);
  assert.deepEqual(lookFrom(remembered().look), lookFrom({}));
  useStorage({ "notflix.player": "null" });
  remember({ volume: 0.5 });
  assert.deepEqual(remembered(), { volume: 0.5 });
});

test("a look is complete, and only what the dialog offers", () => {
  assert.deepEqual(lookFrom({ size: "huge", color: "url(x)" }), { size: "huge", color: "white", ground: "shade", place: "bottom" });
  assert.deepEqual(Object.keys(lookFrom(null)), Object.keys(LOOKS));
});

test("a drag over the whole width moves by three minutes, or by the whole of a shorter film", () => {
  assert.equal(timeForDrag({ from: 600, by: 195, width: 390, duration: 7200 }), 690);
  assert.equal(timeForDrag({ from: 30, by: -390, width: 390, duration: 7200 }), 0);
  assert.equal(timeForDrag({ from: 10, by: 195, width: 390, duration: 20 }), 20);
});

test("a tap that trembles and a swipe up are no drags", () => {
  assert.deepEqual([isDrag(8, 0), isDrag(40, 30), isDrag(-40, 5), isDrag(16, 0)], [false, false, true, true]);
});

/** A session that refuses actions it does not know, as browsers do. */
function makeSession() {
  const handlers = new Map();
  const known = new Set(["play", "pause", "seekbackward", "seekforward", "seekto", "previoustrack", "nexttrack"]);
  return {
    handlers,
    playbackState: "none",
    position: null,
    setActionHandler(action, handler) {
      if (!known.has(action)) throw new TypeError(action);
      handlers.set(action, handler);
    },
    setPositionState(state) {
      if (state.position > state.duration) throw new TypeError("The position is after the end.");
      this.position = state;
    },
  };
}

test("the system's controls seek within the film and know where it is", () => {
  const session = makeSession();
  const video = Object.assign(new EventTarget(), { paused: false, playbackRate: 1.5 });
  const sought = [];
  new SystemControls(/** @type {any} */ (session)).bind(/** @type {any} */ (video), { seek: (time) => sought.push(time), facts: () => ({ time: 50, duration: 100 }), isCovered: () => false });
  const press = (action, details = {}) => session.handlers.get(action)({ action, ...details });
  press("seekbackward");
  press("seekforward", { seekOffset: 30 });
  press("seekto", { seekTime: 7 });
  press("previoustrack");
  assert.deepEqual(sought, [40, 80, 7, 0]);
  video.dispatchEvent(new Event("seeked"));
  assert.deepEqual(session.position, { duration: 100, position: 50, playbackRate: 1.5 });
  assert.equal(session.playbackState, "playing");
});

test("a position beyond the end or without a length is not told to the system", () => {
  assert.equal(positionOf({ duration: NaN, time: 0, rate: 1 }), null);
  assert.deepEqual(positionOf({ duration: 10, time: 10.2, rate: 0 }), { duration: 10, position: 10, playbackRate: 1 });
});

test("the system is shown the pictures that the title has", () => {
  assert.deepEqual(imagesOf({ poster: null, card: "art/a/card.jpg?v=1", backdrop: null }), [{ src: "/art/a/card.jpg?v=1", sizes: "480x270", type: "image/jpeg" }]);
  assert.deepEqual(imagesOf(undefined), []);
});
