/** Shaka, set up for films in blob storage that may still be growing. */
import { bufferedEnd } from "./timeline.js";

/** @import { PlaybackSession } from "../types.js" */
/** @import { Recovery } from "./recovery.js" */
/** @import { AnySession } from "./opening.js" */

/** Shaka's own quick retries of one request; recovery.js handles lasting failures. */
const RETRY = { maxAttempts: 4, baseDelay: 500, backoffFactor: 1.7, fuzzFactor: 0.4, timeout: 20_000, stallTimeout: 8000, connectionTimeout: 8000 };

export const SETTINGS = {
  manifest: {
    retryParameters: RETRY,
    // A growing film is a live stream that began in 1970, so the current time does not give its length.
    dash: { autoCorrectDrift: false },
  },
  // Without prefetching: a seek during a change of quality can abort a prefetched initialization segment, which Shaka
  // 5.2 then requests for ever, so the film does not continue (shaka-player#10569).
  streaming: { retryParameters: RETRY, bufferingGoal: 30, bufferBehind: 60, rebufferingGoal: 2, segmentPrefetchLimit: 0 },
  abr: { restrictToElementSize: true },
};

const ENCODER_MARGIN_S = 4;

/**
 * Create a player for `video` with its captions in `stage`; `session` signs every request. `recovery` receives network
 * failures and the buffered end; `onFatal(error)` receives errors after which the film cannot continue.
 * @param {any} shaka
 * @param {{
 *   video: HTMLVideoElement, stage: HTMLElement, session: AnySession, recovery: Recovery, onFatal: (error: any) => void,
 * }} parts
 */
export async function createPlayer(shaka, { video, stage, session, recovery, onFatal }) {
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Error("unsupported");
  const player = new shaka.Player(null, stage);
  await player.attach(video);
  player.configure(SETTINGS);
  player.configure("streaming.failureCallback", (/** @type {any} */ _error) => {}); // the default retries live films
  player.addEventListener("error", (/** @type {any} */ { detail }) => {
    if (detail.severity !== shaka.util.Error.Severity.CRITICAL) return;
    if (detail.category === shaka.util.Error.Category.NETWORK) recovery.failed(detail, shaka.util.Error);
    else onFatal(detail);
  });
  const loadedTo = () => bufferedEnd(video.buffered, video.currentTime);
  for (const name of ["progress", "timeupdate"]) video.addEventListener(name, () => recovery.reaches(loadedTo()));
  video.addEventListener("seeking", () => recovery.leaps(loadedTo()));
  if (!session.isStored) {
    window.addEventListener("offline", () => recovery.offline());
    window.addEventListener("online", () => recovery.online());
    if (!navigator.onLine) recovery.offline();
  }
  player.getNetworkingEngine().registerRequestFilter(async (/** @type {any} */ _type, /** @type {{ uris: string[] }} */ request) => {
    request.uris = await Promise.all(request.uris.map((uri) => session.signed(uri)));
  });
  return player;
}

/**
 * Return the start position in seconds: the requested position, otherwise the position where the viewer stopped,
 * limited to the encoded part. For a finished film, the API returns 0 as the position where the viewer stopped.
 * @param {Pick<PlaybackSession, "resume_s" | "duration_s" | "front_s" | "status">} session
 * @param {number | null} wanted
 */
export function startTime({ resume_s: resume = 0, duration_s: duration = 0, front_s: front = 0, status }, wanted = null) {
  const last = status === "encoding" ? front - ENCODER_MARGIN_S : duration;
  return Math.max(0, Math.min(wanted ?? resume, last));
}

/**
 * Return the position in seconds that the page's address requests (`&from=0` starts over); null if there is none.
 * @param {string} query
 */
export function placeIn(query) {
  const from = new URLSearchParams(query).get("from") ?? "";
  return /^\d+(\.\d+)?$/.test(from) ? Number(from) : null;
}

/**
 * Return the current bitrate in kbit/s; null if the player does not know it.
 * @param {any} player
 */
export function bitrateOf(player) {
  const { streamBandwidth } = player?.getStats() ?? {};
  return Number.isFinite(streamBandwidth) && streamBandwidth > 0 ? Math.round(streamBandwidth / 1000) : null;
}

/**
 * Add the thumbnails, and the subtitles that the manifest does not list; return the thumbnail track or null.
 * @param {any} player
 * @param {Pick<PlaybackSession, "thumbnails_url" | "subtitles">} session
 */
export async function addExtras(player, { thumbnails_url: thumbnails, subtitles = [] }) {
  const known = new Set(player.getTextTracks().map((/** @type {any} */ track) => track.label || track.language));
  for (const { url, language, label } of subtitles) {
    if (!known.has(label || language)) await player.addTextTrackAsync(url, language, "subtitles", "text/vtt", "", label);
  }
  return thumbnails ? player.addThumbnailsTrack(thumbnails, "text/vtt") : null;
}

const ANY_LANGUAGE = "und";

/**
 * Return the chapters of a film, in order; none if it has none.
 * @param {any} player
 * @param {Pick<PlaybackSession, "chapters_url">} session
 * @returns {Promise<Chapter[]>}
 */
export async function chaptersOf(player, { chapters_url: chapters = null }) {
  if (!chapters) return [];
  if (!player.getChaptersTracks().length) await player.addChaptersTrack(chapters, ANY_LANGUAGE, "text/vtt");
  return player.getChaptersAsync(ANY_LANGUAGE);
}

/** @typedef {{ title: string, startTime: number, endTime: number }} Chapter times in seconds */

/**
 * Return the title of the chapter at a time in seconds; "" if there is none.
 * @param {Chapter[]} chapters
 * @param {number} time
 */
export const chapterAt = (chapters, time) => chapters.find((chapter) => chapter.startTime <= time && time < chapter.endTime)?.title ?? "";
