/** Which files of a film are downloaded: one rendition, every audio track in mono or stereo, and the subtitles. */

/** A download has at most this many lines: more would fill a phone without looking better on it. */
const MOST_LINES = 720;

/** The stereo track beside a track in 5.1 has the same sound. */
const MOST_CHANNELS = 2;

/** @typedef {{ mime: string, height: number, bandwidth: number, isHdr?: boolean }} Rendition `mime` with codecs, `bandwidth` in bit/s */

/** How a manifest says which function maps code values to light; both listed values are those of HDR (PQ and HLG). */
const TRANSFER_SCHEME = /^urn:mpeg:mpegB:cicp:TransferCharacteristics$/i;
const HDR_TRANSFERS = ["16", "18"];

/**
 * Return the rendition to download: of those that the browser can play, the best one with at most 720 lines, otherwise
 * the smallest one; null if it can play none. Renditions in HDR are only for screens that show it.
 * @template {Rendition} T
 * @param {T[]} renditions
 * @param {(mime: string) => boolean} canPlay
 * @param {boolean} showsHdr
 * @returns {T | null}
 */
export function renditionFor(renditions, canPlay, showsHdr = false) {
  const playable = renditions.filter(({ mime, isHdr }) => canPlay(mime) && (showsHdr || !isHdr));
  const best = playable.sort((a, b) => b.height - a.height || a.bandwidth - b.bandwidth);
  return best.find(({ height }) => height <= MOST_LINES) ?? best.at(-1) ?? null;
}

/**
 * Return the audio tracks to download: those in mono or stereo that the browser can play, or all if there are none.
 * @template {{ mime: string, channels: number }} T
 * @param {T[]} sounds
 * @param {(mime: string) => boolean} canPlay
 */
export function soundsFor(sounds, canPlay) {
  const playable = sounds.filter(({ mime }) => canPlay(mime));
  const plain = playable.filter(({ channels }) => channels <= MOST_CHANNELS);
  return plain.length ? plain : playable;
}

/**
 * Return the names of the files of a track, as a DASH SegmentTemplate with a SegmentTimeline describes them.
 * @param {{ initialization: string, media: string, start: number, repeats: number[] }} template `repeats` has the
 *   attribute `r` of each entry of the timeline
 */
export function filesOf({ initialization, media, start, repeats }) {
  const count = repeats.reduce((sum, repeat) => sum + 1 + repeat, 0);
  const named = (/** @type {number} */ number) =>
    media.replace(/\$Number(?:%0(\d+)d)?\$/, (_, digits) => String(number).padStart(Number(digits ?? 1), "0"));
  return [initialization, ...Array.from({ length: count }, (_, index) => named(start + index))];
}

/**
 * Return the names of the pictures in a WebVTT file of thumbnails; each has several cues, such as `c00000.jpg#xywh=…`.
 * @param {string} vtt
 */
export function picturesOf(vtt) {
  const lines = vtt.split(/\r?\n/).filter((line) => /^[^\s#]+\.jpg(#|$)/.test(line));
  return [...new Set(lines.map((line) => line.split("#")[0]))];
}

/**
 * Return the approximate size of a download in bytes.
 * @param {number} bandwidth of all its tracks, in bit/s
 * @param {number} durationS
 */
export const sizeOf = (bandwidth, durationS) => Math.round((bandwidth * durationS) / 8);

/** @param {Element} property */
const isHdrTransfer = (property) =>
  TRANSFER_SCHEME.test(property.getAttribute("schemeIdUri") ?? "") && HDR_TRANSFERS.includes(property.getAttribute("value") ?? "");

/** @param {Element} representation */
function renditionOf(representation) {
  const set = /** @type {Element} */ (representation.parentElement);
  const codecs = representation.getAttribute("codecs");
  return {
    representation,
    kind: set.getAttribute("contentType"),
    mime: `${set.getAttribute("mimeType")}${codecs ? `; codecs="${codecs}"` : ""}`,
    height: Number(representation.getAttribute("height")),
    bandwidth: Number(representation.getAttribute("bandwidth")),
    channels: Number(representation.getElementsByTagName("AudioChannelConfiguration")[0]?.getAttribute("value")),
    isHdr: [...set.getElementsByTagName("EssentialProperty")].some(isHdrTransfer),
  };
}

/** @param {Element} representation */
function namesIn(representation) {
  const [template] = representation.getElementsByTagName("SegmentTemplate");
  if (!template) return [...representation.getElementsByTagName("BaseURL")].map((address) => address.textContent?.trim() ?? "");
  return filesOf({
    initialization: template.getAttribute("initialization") ?? "",
    media: template.getAttribute("media") ?? "",
    start: Number(template.getAttribute("startNumber") ?? 1),
    repeats: [...template.getElementsByTagName("S")].map((entry) => Number(entry.getAttribute("r") ?? 0)),
  });
}

/**
 * Return the manifest of a download, which lists only what is stored, and the names of its files; null if the browser
 * can play no rendition.
 * @param {string} text a static MPD
 * @param {(mime: string) => boolean} canPlay
 * @param {boolean} showsHdr whether the screen shows pictures in HDR
 */
export function reduced(text, canPlay, showsHdr = false) {
  const mpd = new DOMParser().parseFromString(text, "application/xml");
  const all = [...mpd.getElementsByTagName("Representation")].map(renditionOf);
  const video = renditionFor(all.filter(({ kind }) => kind === "video"), canPlay, showsHdr);
  if (!video) return null;
  const sounds = soundsFor(all.filter(({ kind }) => kind === "audio"), canPlay);
  const kept = all.filter((one) => one === video || one.kind === "text" || sounds.includes(one));
  for (const one of all) if (!kept.includes(one)) one.representation.remove();
  for (const set of [...mpd.getElementsByTagName("AdaptationSet")]) if (!set.getElementsByTagName("Representation").length) set.remove();
  return {
    manifest: new XMLSerializer().serializeToString(mpd),
    names: kept.flatMap(({ representation }) => namesIn(representation)),
    height: video.height,
    bandwidth: kept.reduce((sum, { bandwidth }) => sum + bandwidth, 0),
  };
}
