import assert from "node:assert/strict";
import { test } from "node:test";
import { canDecrypt, mustPlayNatively, playsAv1, unlock } from "../../../web/js/player/decryption.js";
import { sourceOf } from "../../../web/js/player/native.js";

const KEYS = { ["00".repeat(16)]: "11".repeat(16) };

/**
 * A browser that answers as given when it is asked for a key system; without an answer, it has no key systems.
 * @returns {any}
 */
const browserWith = (answer) => (answer ? { requestMediaKeySystemAccess: answer } : {});
const never = async () => { throw new Error("NotSupportedError"); };

/** A player that notes how it is configured. */
function makePlayer() {
  const made = { options: {}, configure: (name, value) => { made.options[name] = value; } };
  return made;
}

test("a film that is not encrypted plays in every browser", async () => {
  assert.equal(await canDecrypt({ clear_keys: null }, browserWith(never)), true);
  assert.equal(await canDecrypt({}, browserWith()), true);
});

test("an encrypted film plays in a page only if the browser decrypts its scheme with Clear Key", async () => {
  const asked = [];
  assert.equal(await canDecrypt({ clear_keys: KEYS }, browserWith(async (...what) => { asked.push(what); })), true);
  const [[system, [options]]] = asked;
  assert.equal(system, "org.w3.clearkey");
  assert.equal(options.videoCapabilities[0].encryptionScheme, "cbcs");
  assert.equal(await canDecrypt({ clear_keys: KEYS }, browserWith(never)), false);
  assert.equal(await canDecrypt({ clear_keys: KEYS }, browserWith()), false, "there is no such function without a secure connection");
});

test("a browser that cannot decrypt in a page plays natively, if it can and the film is not only on the device", async () => {
  const session = { clear_keys: KEYS };
  /** @type {any[]} */
  const [plays, cannot] = [{ canPlayType: () => "maybe" }, { canPlayType: () => "" }];
  assert.equal(await mustPlayNatively(session, { isStored: false, video: plays }, browserWith(async () => {})), false);
  assert.equal(await mustPlayNatively(session, { isStored: false, video: plays }, browserWith(never)), true);
  await assert.rejects(mustPlayNatively(session, { isStored: false, video: cannot }, browserWith(never)), /unsupported/);
  await assert.rejects(mustPlayNatively(session, { isStored: true, video: plays }, browserWith(never)), /unsupported/);
});

test("a browser plays an encrypted film in AV1 only if it also decrypts AV1", async () => {
  const asked = [];
  const decodes = { isTypeSupported: (type) => type.includes("av01") };
  const scopeWith = (decodingInfo, more = { MediaSource: decodes }) => /** @type {any} */ ({ ...more, navigator: { mediaCapabilities: decodingInfo && { decodingInfo } } });
  const answering = (supported) => async (what) => {
    asked.push(what);
    return { supported };
  };
  const session = { clear_keys: KEYS };
  assert.equal(await playsAv1(session, scopeWith(answering(true))), true);
  const [{ type, video, keySystemConfiguration: keySystem }] = asked;
  assert.deepEqual([type, video.contentType.includes("av01"), keySystem.keySystem, keySystem.video.encryptionScheme], ["media-source", true, "org.w3.clearkey", "cbcs"]);
  assert.equal(await playsAv1(session, scopeWith(answering(false))), false);
  assert.equal(await playsAv1(session, scopeWith(async () => { throw new TypeError("without a secure connection"); })), false);
  assert.equal(await playsAv1(session, scopeWith(null)), false);
  assert.equal(await playsAv1(session, scopeWith(answering(true), { MediaSource: { isTypeSupported: () => false } })), false, "it does not decode AV1");
});

test("a film that is not encrypted plays in AV1 if the browser decodes it", async () => {
  const decodes = { isTypeSupported: (type) => type.includes("av01") };
  const refuses = { mediaCapabilities: { decodingInfo: async () => ({ supported: false }) } };
  const ask = (scope) => playsAv1({ clear_keys: null }, /** @type {any} */ ({ navigator: refuses, ...scope }));
  assert.equal(await ask({ MediaSource: decodes }), true);
  assert.equal(await ask({ ManagedMediaSource: decodes }), true, "as on newer iPhones");
  assert.equal(await ask({ MediaSource: { isTypeSupported: () => false } }), false);
  assert.equal(await ask({}), false);
});

test("the player gets the keys, unless the browser plays natively", () => {
  const player = makePlayer();
  unlock(player, { clear_keys: KEYS });
  assert.deepEqual(player.options, { "drm.clearKeys": KEYS, "streaming.preferNativeHls": false });
  unlock(player, { clear_keys: KEYS }, { native: true });
  assert.deepEqual(player.options, { "drm.clearKeys": undefined, "streaming.preferNativeHls": true });
});

test("the keys of a version of a film that was replaced are forgotten", () => {
  const player = makePlayer();
  unlock(player, { clear_keys: KEYS });
  unlock(player, { clear_keys: null });
  assert.equal(player.options["drm.clearKeys"], undefined);
});

test("an encrypted film plays from its DASH manifest, which states the id of the key", () => {
  const session = { hls_url: "hls", manifest_url: "dash", hls_ticket_url: "" };
  assert.equal(sourceOf(session, { native: false, hls: true }).address, "hls");
  assert.equal(sourceOf({ ...session, clear_keys: KEYS }, { native: false, hls: true }).address, "dash");
});
