/** The viewer's choice of subtitles, sound, quality and speed: applied to every film, and remembered on this device. */
import { remember, remembered } from "./remembered.js";

/** @typedef {{ label?: string | null, language: string, active?: boolean, id?: number, channelsCount?: number | null }} Track */
/** @typedef {{ height: number | null, active?: boolean }} VideoTrack */

/** Sound with more channels than this costs more data, so it is played only to viewers who have chosen it. */
const STEREO = 2;

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/**
 * Return the selectable heights, best first, without duplicates.
 * @param {VideoTrack[]} tracks
 */
export const heightsOf = (tracks) => [...new Set(tracks.map((track) => track.height ?? 0).filter(Boolean))].sort((a, b) => b - a);

/**
 * Return which of a film's `heights` (best first) to hold, given the height that was chosen in an earlier film: the
 * best one that is not higher, otherwise the lowest; 0 for automatic.
 * @param {number[]} heights
 * @param {unknown} chosen
 */
export const heldHeight = (heights, chosen) => (typeof chosen === "number" && chosen > 0 ? (heights.find((height) => height <= chosen) ?? heights.at(-1) ?? 0) : 0);

/** @param {string} tag */
const baseOf = (tag) => tag.split("-")[0].toLowerCase();

/**
 * Return the track that matches the earliest possible language in `languages`, exactly or ignoring the region ("pt" for
 * "pt-BR"). If none matches, return the first track; null if there is no track.
 * @template {Track} T
 * @param {T[]} tracks
 * @param {readonly string[]} languages
 * @returns {T | null}
 */
export function preferredTrack(tracks, languages) {
  for (const language of languages) {
    const exact = tracks.find((track) => track.language.toLowerCase() === language.toLowerCase());
    const alike = exact ?? tracks.find((track) => baseOf(track.language) === baseOf(language));
    if (alike) return alike;
  }
  return tracks[0] ?? null;
}

/**
 * Return the audio track that is most like the one chosen in an earlier film: a track with the same language and label
 * (such as a commentary), otherwise one with the same language, in 5.1 only if the chosen one was. Return null if the
 * film does not have that language.
 * @template {Track} T
 * @param {T[]} tracks
 * @param {{ language?: unknown, label?: unknown, channels?: unknown } | undefined} chosen
 * @returns {T | null}
 */
export function likeChosen(tracks, chosen) {
  const spoken = tracks.filter((track) => track.language === chosen?.language);
  const isSurround = channelsOf(chosen) > STEREO;
  const alike = spoken.find((track) => (track.label ?? "") === chosen?.label);
  return alike ?? spoken.find((track) => (track.channelsCount ?? STEREO) > STEREO === isSurround) ?? spoken[0] ?? null;
}

/**
 * Return the number of channels of the sound that was chosen in an earlier film.
 * @param {{ channels?: unknown } | undefined} chosen
 */
const channelsOf = (chosen) => (typeof chosen?.channels === "number" ? chosen.channels : STEREO);

export class Choices {
  #player;
  #video;
  #lastSubtitles = "";

  /**
   * @param {any} player
   * @param {HTMLVideoElement} video
   */
  constructor(player, video) {
    this.#player = player;
    this.#video = video;
  }

  /**
   * Show subtitles; null shows none.
   * @param {Track | null} track
   */
  text(track) {
    this.#player.selectTextTrack(track);
    remember({ subtitles: track?.language ?? "" });
  }

  /** Turn the subtitles off, or on in the language that was shown last, otherwise in a language of the browser. */
  toggleText() {
    /** @type {Track[]} */
    const tracks = this.#player.getTextTracks();
    const active = tracks.find((track) => track.active);
    const last = remembered().subtitles || this.#lastSubtitles;
    if (active) this.#lastSubtitles = active.language;
    this.text(active ? null : preferredTrack(tracks, [...(last ? [last] : []), ...navigator.languages]));
  }

  /** @param {Track} track */
  audio(track) {
    this.#player.selectAudioTrack(track);
    remember({ audio: { language: track.language, label: track.label ?? "", channels: track.channelsCount ?? STEREO } });
  }

  /** @param {number} height 0 for automatic */
  quality(height) {
    this.#hold(height);
    remember({ quality: height });
  }

  /** @param {number} rate */
  speed(rate) {
    this.#video.playbackRate = rate;
    remember({ speed: rate });
  }

  /** Prefer the remembered sound before a film is loaded, so that no other is fetched first. */
  prepare() {
    const { audio } = remembered();
    if (typeof audio?.language !== "string") return; // Shaka prefers stereo
    const preferred = { language: audio.language, channelCount: channelsOf(audio) };
    this.#player.configure({ preferredAudio: [preferred, { channelCount: STEREO }] });
  }

  /** Apply the remembered choices to the film that has been loaded. */
  restore() {
    const { subtitles, audio, quality, speed = 1 } = remembered();
    const text = subtitles && this.#player.getTextTracks().find((/** @type {Track} */ { language }) => language === subtitles);
    if (text) this.#player.selectTextTrack(text);
    const sound = likeChosen(/** @type {Track[]} */ (this.#player.getAudioTracks()), audio);
    if (sound && !sound.active) this.#player.selectAudioTrack(sound);
    this.#hold(quality);
    if (SPEEDS.includes(speed) && this.#video.playbackRate !== speed) this.#video.playbackRate = speed;
  }

  /** @param {unknown} chosen a height, or 0 for automatic */
  #hold(chosen) {
    /** @type {VideoTrack[]} */
    const tracks = this.#player.getVideoTracks();
    const height = heldHeight(heightsOf(tracks), chosen);
    this.#player.configure("abr.enabled", !height);
    const track = tracks.find((one) => one.height === height);
    if (track && !track.active) this.#player.selectVideoTrack(track, true);
  }
}
