/** How facts are put into words; pure. */

/** 97 -> "1 h 37 min", 42 -> "42 min". */
export function runtime(minutes) {
  if (!minutes) return "";
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}

/** Seconds as a clock: 75 -> "1:15", 3675 -> "1:01:15". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds as a rough wait for a person: "about 3 minutes". */
export function roughly(seconds) {
  if (!Number.isFinite(seconds) || seconds <= 0) return "";
  if (seconds < 50) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} minute${minutes === 1 ? "" : "s"}`;
  const hours = Math.round(minutes / 60);
  return `about ${hours} hour${hours === 1 ? "" : "s"}`;
}

/** The short facts under a name, in reading order; `rated` is drawn as a badge. */
export function facts(title) {
  return [
    { text: title.year ? String(title.year) : "" },
    { text: title.rated ?? "", badge: true },
    { text: runtime(title.runtime_min) },
    { text: (title.genres ?? []).slice(0, 3).join(", ") },
  ].filter((fact) => fact.text);
}

const KINDS = { movie: "Film", series: "Series", episode: "Episode" };
export const kindName = (kind) => KINDS[kind] ?? "Film";

/** What a card says about a title that cannot simply be played; "" for one that can. */
export function stateLabel(status) {
  return { announced: "Coming soon", encoding: "Encoding now", failed: "Not available" }[status] ?? "";
}

/** How far an encode is, in a sentence. `playable`: what is there can be watched already. */
export function encodeText(progress, playable) {
  const percent = Math.floor(progress?.percent ?? 0);
  const wait = roughly(progress?.eta_s);
  const start = playable ? `Being encoded, ${percent} %: plays already` : percent ? `Being encoded, ${percent} %` : "Getting ready to encode";
  return wait ? `${start}. ${wait[0].toUpperCase()}${wait.slice(1)} to go.` : `${start}.`;
}

const LANGUAGE_NAMES = typeof Intl === "object" && Intl.DisplayNames ? new Intl.DisplayNames(["en"], { type: "language" }) : null;

/** "de" -> "German"; an undetermined or malformed tag -> `otherwise`. */
export function languageName(tag, otherwise = "Unknown language") {
  if (!tag || tag === "und") return otherwise;
  try {
    return LANGUAGE_NAMES?.of(tag) ?? tag;
  } catch (error) {
    if (error instanceof RangeError) return tag; // not a language tag at all: show what was written
    throw error;
  }
}
