/** Texts for facts about titles; pure functions. */
import { LANGUAGE, LOCALE, t, translated } from "./texts.js";

/** @import { Progress, Title } from "./types.js" */

/**
 * Return the text for a running time: 97 -> "1 h 37 min", 42 -> "42 min".
 * @param {number | null | undefined} minutes
 */
export function runtime(minutes) {
  if (!minutes) return "";
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (!hours) return t("text.minutes", { minutes: rest });
  return rest ? t("text.hours_minutes", { hours, minutes: rest }) : t("text.hours", { hours });
}

/**
 * Return the text for a title's running time. A film of less than a minute gets its seconds. If only the rounded
 * minutes are known, the text for one minute is empty, because the film may be ten seconds long.
 * @param {Partial<Title>} title
 */
export function length({ runtime_min: minutes, playback }) {
  const seconds = playback?.duration_s ?? 0;
  if (seconds && seconds < 59.5) return t("text.seconds", { seconds: Math.max(1, Math.round(seconds)) });
  return minutes === 1 && !seconds ? "" : runtime(minutes);
}

/**
 * Return seconds in clock form: 75 -> "1:15", 3675 -> "1:01:15".
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * Return the approximate text for a wait in seconds: "about 3 minutes".
 * @param {number | null | undefined} seconds
 */
export function roughly(seconds) {
  if (!seconds || !Number.isFinite(seconds) || seconds <= 0) return "";
  if (seconds < 50) return t("text.under_a_minute");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("text.about_minutes", { count: minutes });
  const hours = Math.round(minutes / 60);
  return t("text.about_hours", { count: hours });
}

/**
 * Return the name of a genre in the page's language. The catalogue has them in English; one of the owner's own stays.
 * @param {string} genre
 */
export function genreName(genre) {
  if (LANGUAGE === "en") return genre;
  const key = `genre.${genre.toLowerCase().replace(/[^a-z]+/g, "_")}`;
  const name = t(key);
  return name === key ? genre : name;
}

/**
 * Return the short facts under a name, in reading order; a badge is drawn with a frame.
 * @param {Partial<Title>} title
 */
export function facts(title) {
  return [
    { text: title.year ? String(title.year) : "" },
    { text: title.rated ?? "", badge: true },
    { text: length(title) },
    { text: (title.genres ?? []).slice(0, 3).map(genreName).join(", ") },
  ].filter((fact) => fact.text);
}

const KINDS = new Map([["movie", t("common.film")], ["series", t("text.series")], ["episode", t("text.episode")]]);

/** @param {string | undefined} kind */
export const kindName = (kind) => KINDS.get(kind ?? "") ?? t("common.film");

const SHELVES = new Map([["new", t("shelf.new")], ["encoding", t("shelf.encoding")], ["soon", t("common.coming_soon")]]);

/**
 * Return the heading of a shelf of the home page, which the catalogue or the recommendations name in English.
 * @param {{ id: string, name: string }} row
 */
export function shelfName({ id, name }) {
  if (id.startsWith("genre-")) return genreName(name);
  return SHELVES.get(id) ?? (id.startsWith("for-") ? translated(name) || name : name);
}

const STATES = new Map([["announced", t("common.coming_soon")], ["encoding", t("common.just_added")], ["failed", t("common.not_available")]]);

/**
 * Return the label on a card; "" for a title that is ready to be played.
 * @param {string} status
 */
export const stateLabel = (status) => STATES.get(status) ?? "";

/**
 * Return how much of a film that is still uploaded has arrived, in whole percent; null once all of it has.
 * @param {Progress | null | undefined} progress
 */
export const arrivedPercent = (progress) => (typeof progress?.uploaded_percent === "number" ? Math.floor(progress.uploaded_percent) : null);

/**
 * Return a sentence about the progress of an upload or of an encode; `playable` means that the beginning of the film can
 * already be watched.
 * @param {Progress | null | undefined} progress
 * @param {boolean} playable
 */
export function encodeText(progress, playable) {
  const arrived = arrivedPercent(progress);
  if (arrived !== null) return t(playable ? "text.uploading_playable" : "text.uploading", { percent: arrived });
  const percent = Math.floor(progress?.percent ?? 0);
  const wait = roughly(progress?.eta_s);
  const state = playable ? t("text.encoding_playable", { percent }) : percent ? t("text.encoding", { percent }) : t("text.getting_ready");
  return wait ? `${state} ${t("text.complete_in", { wait })}` : state;
}

const LANGUAGE_NAMES = typeof Intl === "object" && Intl.DisplayNames ? new Intl.DisplayNames([LOCALE], { type: "language" }) : null;

/**
 * Return the name of a language: "de" -> "German"; `otherwise` for an undetermined tag.
 * @param {string | null | undefined} tag
 */
export function languageName(tag, otherwise = t("text.unknown_language")) {
  if (!tag || tag === "und") return otherwise;
  try {
    return LANGUAGE_NAMES?.of(tag) ?? tag;
  } catch (error) {
    if (error instanceof RangeError) return tag; // not a language tag: show it unchanged
    throw error;
  }
}

const UNITS = [t("text.bytes"), "kB", "MB", "GB", "TB"];

/**
 * Return a number of bytes in readable form: "812 bytes", "1.4 GB".
 * @param {number} bytes
 */
export function bytesText(bytes) {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toLocaleString(LOCALE, { maximumFractionDigits: digits, useGrouping: false })} ${UNITS[unit]}`;
}
