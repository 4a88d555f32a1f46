/**
 * Encrypted films: the playback session has their keys, and the browser decrypts them with Clear Key, which is part of
 * Encrypted Media Extensions. A browser without it plays HLS natively, and gets the key from the API.
 */

import { HLS } from "./native.js";

/** @import { PlaybackSession } from "../types.js" */

const CLEAR_KEY = "org.w3.clearkey";
const FORMAT = { contentType: 'video/mp4; codecs="avc1.64001f"', encryptionScheme: "cbcs" };
const AV1 = { contentType: 'video/mp4; codecs="av01.0.08M.08"', width: 1920, height: 1080, bitrate: 3_000_000, framerate: 25 };

/**
 * Return whether the page can play a film: it is not encrypted, or the browser can decrypt it.
 * @param {Pick<PlaybackSession, "clear_keys">} session
 * @param {Pick<Navigator, "requestMediaKeySystemAccess">} browser
 */
export async function canDecrypt({ clear_keys: keys }, browser = navigator) {
  if (!keys) return true;
  try {
    await browser.requestMediaKeySystemAccess(CLEAR_KEY, [{ initDataTypes: ["keyids"], videoCapabilities: [FORMAT] }]);
    return true;
  } catch {
    return false; // also without a secure connection, where browsers do not offer it
  }
}

/**
 * Return whether the page could play a film in AV1: the browser decodes it and, if the film is encrypted, decrypts it
 * too. Shaka asks the same question about each rendition; without Media Capabilities, it plays H.264.
 * @param {Pick<PlaybackSession, "clear_keys">} session
 * @param {any} scope
 */
export async function playsAv1({ clear_keys: keys }, scope = globalThis) {
  const decoder = scope.MediaSource ?? scope.ManagedMediaSource;
  if (!decoder?.isTypeSupported(AV1.contentType)) return false;
  if (!keys) return true;
  const keySystemConfiguration = { keySystem: CLEAR_KEY, initDataType: "keyids", video: { encryptionScheme: FORMAT.encryptionScheme } };
  try {
    return (await scope.navigator.mediaCapabilities.decodingInfo({ type: "media-source", video: AV1, keySystemConfiguration })).supported;
  } catch {
    return false;
  }
}

/**
 * Return whether a film has to be played natively, because the page cannot decrypt it. Raises Error if the browser
 * cannot play it at all, or it is a download, which is on this device only.
 * @param {Pick<PlaybackSession, "clear_keys">} session
 * @param {{ isStored: boolean, video: Pick<HTMLVideoElement, "canPlayType"> }} how
 * @param {Pick<Navigator, "requestMediaKeySystemAccess">} browser
 */
export async function mustPlayNatively(session, { isStored, video }, browser = navigator) {
  if (await canDecrypt(session, browser)) return false;
  if (isStored || !video.canPlayType(HLS)) throw new Error("unsupported");
  return true;
}

/**
 * Give the keys of a film to the player; a native player gets them from the API.
 * @param {any} player
 * @param {Pick<PlaybackSession, "clear_keys">} session
 * @param {{ native?: boolean }} how
 */
export function unlock(player, { clear_keys: keys }, { native = false } = {}) {
  player.configure("drm.clearKeys", undefined); // those of a version of the film that was replaced
  if (keys && !native) player.configure("drm.clearKeys", keys);
  player.configure("streaming.preferNativeHls", native);
}
