/** The kinds of files that can be uploaded, by their names; pure functions. */
import { t } from "../texts.js";

const LANGUAGE = /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/;
const SUBTITLE_FLAGS = new Set(["forced", "foreign", "sdh", "cc", "hi", "hoh", "commentary", "default"]);

/**
 * Return whether the words after a film's name are only flags and at most one language.
 * @param {string[]} words
 */
function isSubtitleName(words) {
  let languages = 0;
  return words.every((word) => {
    if (SUBTITLE_FLAGS.has(word.toLowerCase()) && (languages || word.toLowerCase() !== "hi")) return true;
    languages += 1;
    return languages === 1 && LANGUAGE.test(word);
  });
}

/** @param {string} stem */
const isTrailer = (stem) => /.[-.]trailer$/i.test(stem);

/**
 * Return the kind of a file, derived from its name by the same rules as in the API.
 * @param {string} name
 * @returns {{ kind: string, text: string, isTrailer?: boolean }}
 */
export function kindOf(name) {
  const dot = name.lastIndexOf(".");
  const suffix = dot > 0 && dot < name.length - 1 ? name.slice(dot).toLowerCase() : "";
  const stem = suffix ? name.slice(0, dot) : name;
  const inner = stem.includes(".") && stem.lastIndexOf(".") > 0 ? stem.slice(stem.lastIndexOf(".") + 1) : "";
  if (suffix === ".json") return { kind: "metadata", text: t("studio.description") };
  if ([".jpg", ".jpeg", ".png", ".webp"].includes(suffix)) {
    return inner.toLowerCase() === "backdrop" ? { kind: "backdrop", text: t("studio.backdrop") } : { kind: "poster", text: t("studio.poster") };
  }
  if ([".srt", ".vtt", ".ass", ".ssa"].includes(suffix)) {
    const words = stem.split(".").slice(1);
    while (words.length && !isSubtitleName(words)) words.shift();
    return { kind: "subtitles", text: [t("common.subtitles"), ...words].join(", ") };
  }
  return isTrailer(stem) ? { kind: "film", text: t("common.trailer"), isTrailer: true } : { kind: "film", text: t("common.film") };
}
