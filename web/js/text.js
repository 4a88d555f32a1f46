/** Texts for facts about titles; pure functions. */

/** @import { Progress, Title } from "./types.js" */

/**
 * Return the text for a running time: 97 -> "1 h 37 min", 42 -> "42 min".
 * @param {number | null | undefined} minutes
 */
export function runtime(minutes) {
  if (!minutes) return "";
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}

/**
 * Return the text for a title's running time. A film of less than a minute gets its seconds. If only the rounded
 * minutes are known, the text for one minute is empty, because the film may be ten seconds long.
 * @param {Partial<Title>} title
 */
export function length({ runtime_min: minutes, playback }) {
  const seconds = playback?.duration_s ?? 0;
  if (seconds && seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
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
  if (seconds < 50) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} minute${minutes === 1 ? "" : "s"}`;
  const hours = Math.round(minutes / 60);
  return `about ${hours} hour${hours === 1 ? "" : "s"}`;
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
    { text: (title.genres ?? []).slice(0, 3).join(", ") },
  ].filter((fact) => fact.text);
}

const KINDS = new Map([["movie", "Film"], ["series", "Series"], ["episode", "Episode"]]);

/** @param {string | undefined} kind */
export const kindName = (kind) => KINDS.get(kind ?? "") ?? "Film";

const STATES = new Map([["announced", "Coming soon"], ["encoding", "Just added"], ["failed", "Not available"]]);

/**
 * Return the label on a card; "" for a title that is ready to be played.
 * @param {string} status
 */
export const stateLabel = (status) => STATES.get(status) ?? "";

/**
 * Return a sentence about the progress of an encode; `playable` means that its beginning can already be watched.
 * @param {Progress | null | undefined} progress
 * @param {boolean} playable
 */
export function encodeText(progress, playable) {
  const percent = Math.floor(progress?.percent ?? 0);
  const wait = roughly(progress?.eta_s);
  const state = playable ? `Encoding, ${percent} %. You can start watching now.` : percent ? `Encoding, ${percent} %.` : "Getting ready.";
  return wait ? `${state} Complete in ${wait}.` : state;
}

const LANGUAGE_NAMES = typeof Intl === "object" && Intl.DisplayNames ? new Intl.DisplayNames(["en"], { type: "language" }) : null;

/**
 * Return the name of a language: "de" -> "German"; `otherwise` for an undetermined tag.
 * @param {string | null | undefined} tag
 */
export function languageName(tag, otherwise = "Unknown language") {
  if (!tag || tag === "und") return otherwise;
  try {
    return LANGUAGE_NAMES?.of(tag) ?? tag;
  } catch (error) {
    if (error instanceof RangeError) return tag; // not a language tag: show it unchanged
    throw error;
  }
}
