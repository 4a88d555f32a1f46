/** Shaka, set up for films in blob storage that may still be growing. */

const RETRY = { maxAttempts: 6, baseDelay: 500, backoffFactor: 1.7, fuzzFactor: 0.4, timeout: 20_000, stallTimeout: 8000, connectionTimeout: 8000 };

export const SETTINGS = {
  manifest: {
    retryParameters: RETRY,
    // A growing film is a recording that began in 1970: the clock says nothing about how far it is.
    dash: { autoCorrectDrift: false },
  },
  streaming: { retryParameters: RETRY, bufferingGoal: 30, bufferBehind: 60, rebufferingGoal: 2 },
  abr: { restrictToElementSize: true },
};

const MOST_RESUMPTIONS = 20;

/** What to do after streaming failed: ask for a new SAS, just go on, or give up. */
export function remedy({ category, code, data = [] }, { Category, Code }, resumptions) {
  if (category !== Category.NETWORK || resumptions >= MOST_RESUMPTIONS) return "give up";
  if (code === Code.HTTP_ERROR || code === Code.TIMEOUT) return "go on";
  if (code !== Code.BAD_HTTP_STATUS) return "give up";
  const status = data[1];
  if (status === 401 || status === 403) return "renew";
  return status === 408 || status === 429 || status >= 500 ? "go on" : "give up";
}

/** Make a player on `video`, its captions in `stage`, every request signed by `session`. */
export async function createPlayer(shaka, { video, stage, session, onTrouble, onFatal }) {
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Error("unsupported");
  const player = new shaka.Player(null, stage);
  await player.attach(video);
  player.configure(SETTINGS);

  let resumptions = 0;
  video.addEventListener("timeupdate", () => { resumptions = 0; }); // it plays: what was is forgotten
  player.configure("streaming.failureCallback", (error) => {
    const does = remedy(error, shaka.util.Error, resumptions);
    if (does === "give up") return;
    resumptions += 1;
    error.severity = shaka.util.Error.Severity.RECOVERABLE;
    onTrouble();
    const goOn = () => player.retryStreaming(Math.min(8, 0.5 * resumptions));
    if (does === "renew") session.renew().then(goOn, goOn); // without a new SAS the next failure comes back here
    else goOn();
  });
  player.addEventListener("error", ({ detail }) => {
    if (detail.severity === shaka.util.Error.Severity.CRITICAL) onFatal(detail);
  });
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
