/** Shaka, set up for films in blob storage that may still be growing. */
import { bufferedEnd } from "./timeline.js";

/** Shaka's own quick retries of one request; lasting failures are for recovery.js. */
const RETRY = { maxAttempts: 4, baseDelay: 500, backoffFactor: 1.7, fuzzFactor: 0.4, timeout: 20_000, stallTimeout: 8000, connectionTimeout: 8000 };

export const SETTINGS = {
  manifest: {
    retryParameters: RETRY,
    // A growing film is a recording that began in 1970: the clock says nothing about how far it is.
    dash: { autoCorrectDrift: false },
  },
  streaming: { retryParameters: RETRY, bufferingGoal: 30, bufferBehind: 60, rebufferingGoal: 2 },
  abr: { restrictToElementSize: true },
};

/**
 * Make a player on `video`, its captions in `stage`, every request signed by `session`. `recovery` is told of failures
 * of the network and of what arrives; `onFatal(error)` of everything that the film cannot survive.
 */
export async function createPlayer(shaka, { video, stage, session, recovery, onFatal }) {
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Error("unsupported");
  const player = new shaka.Player(null, stage);
  await player.attach(video);
  player.configure(SETTINGS);
  player.configure("streaming.failureCallback", (_error) => {}); // Shaka's own would retry growing films beside `recovery`
  player.addEventListener("error", ({ detail }) => {
    if (detail.severity !== shaka.util.Error.Severity.CRITICAL) return;
    if (detail.category === shaka.util.Error.Category.NETWORK) recovery.failed(detail, shaka.util.Error);
    else onFatal(detail);
  });
  const loadedTo = () => bufferedEnd(video.buffered, video.currentTime);
  for (const name of ["progress", "timeupdate"]) video.addEventListener(name, () => recovery.reaches(loadedTo()));
  video.addEventListener("seeking", () => recovery.leaps(loadedTo()));
  window.addEventListener("offline", () => recovery.offline());
  window.addEventListener("online", () => recovery.online());
  if (!navigator.onLine) recovery.offline();
  player.getNetworkingEngine().registerRequestFilter(async (type, request) => {
    request.uris = await Promise.all(request.uris.map((uri) => session.signed(uri)));
  });
  return player;
}

/**
 * Where to begin: where the person wants to, else where they stopped, which the API gives as 0 at the end; short of what
 * is not there yet.
 */
export function startTime({ resume_s: resume = 0, duration_s: duration = 0, front_s: front = 0, status }, wanted = null) {
  const there = status === "encoding" ? front - 4 : duration;
  return Math.max(0, Math.min(wanted ?? resume, there));
}

/** The place that the page's address asks for in seconds (`&from=0` starts over); null where it does not. */
export function placeIn(query) {
  const from = new URLSearchParams(query).get("from");
  return /^\d+(\.\d+)?$/.test(from ?? "") ? Number(from) : null;
}

/** Add the thumbnails and those subtitles that the manifest does not list; return the thumbnails' track. */
export async function addExtras(player, { thumbnails_url: thumbnails, subtitles = [] }) {
  const known = new Set(player.getTextTracks().map((track) => track.label || track.language));
  for (const { url, language, label } of subtitles) {
    if (!known.has(label || language)) await player.addTextTrackAsync(url, language, "subtitles", "text/vtt", "", label);
  }
  return thumbnails ? player.addThumbnailsTrack(thumbnails, "text/vtt") : null;
}
