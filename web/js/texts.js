/**
 * The texts of the page's language, and the forms of its numbers and dates. The build stores the texts that scripts use
 * (web/texts/<language>.json) as a script that runs before all modules.
 */

/** @typedef {string | Record<string, string>} Message a text with placeholders in braces, or one for each plural category */
/** @type {{ language: string, prefix: string, studio: boolean, texts: Record<string, Message>, sentences: [string, string][] }} */
const { language, prefix, studio, texts, sentences } = /** @type {any} */ (globalThis).notflixTexts;

export const LANGUAGE = language;

/** Whether this page is the Studio. */
export const IN_STUDIO = studio;

const PLURALS = new Intl.PluralRules(language);

/**
 * Return the text of a key with its placeholders filled in. A text with a number has the placeholder `count`, by which
 * its plural form is chosen.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const message = texts[key] ?? key;
  const text = typeof message === "string" ? message : message[PLURALS.select(Number(values.count))];
  return text.replace(/\{(\w+)\}/g, (_, name) => (name === "count" ? Number(values.count).toLocaleString(LOCALE) : String(values[name])));
}

/**
 * Return the regular expression that matches an English sentence and captures its placeholders.
 * @param {string} sentence
 */
function patternOf(sentence) {
  const literal = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = sentence.split(/\{(\w+)\}/).map((part, index) => (index % 2 ? `(?<${part}>.*)` : literal(part)));
  return new RegExp(`^${parts.join("")}$`, "s");
}

/** @type {[RegExp, string][] | undefined} */
let patterns;

/**
 * Return a sentence of the API, which is in English, in the page's language; "" if it or a part of it has no
 * translation.
 * @param {string} sentence
 * @returns {string}
 */
export function translated(sentence) {
  if (language === "en") return sentence;
  patterns ??= sentences.map(([english, own]) => [patternOf(english), own]);
  for (const [pattern, own] of patterns) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    const parts = new Map(Object.entries(found.groups ?? {}).map(([name, text]) => [name, partOf(name, text)]));
    if ([...PHRASES].every((name) => parts.get(name) !== "")) return own.replace(/\{(\w+)\}/g, (_, name) => parts.get(name) ?? "");
  }
  return "";
}

/** The placeholders for parts that are sentences or phrases of the API themselves. */
const PHRASES = new Set(["sentence", "share", "what", "when"]);

/** The placeholders for numbers and amounts of dollars; all others are names, or numbers that are part of a name. */
const NUMBERS = new Set(["bound", "cost", "free", "gap", "left", "limit", "mean", "needed", "number", "percent", "rate", "size"]);

/**
 * Return a part of a sentence in the page's language; "" for a phrase without a translation.
 * @param {string} name
 * @param {string} text
 * @returns {string}
 */
function partOf(name, text) {
  if (PHRASES.has(name)) return translated(text);
  if (name === "device") return deviceName(text);
  return NUMBERS.has(name) ? localNumber(text) : text;
}

/**
 * Return a number or an amount of dollars, such as "1,200" or "$0.43", as it is written in the page's language; other
 * texts as they are.
 * @param {string} text
 */
function localNumber(text) {
  const [, dollar, whole, fraction = ""] = /^(\$?)(\d[\d,]*)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  return Number(text.replace(/[$,]/g, "")).toLocaleString(LOCALE, {
    ...(dollar && { style: "currency", currency: "USD" }),
    minimumFractionDigits: fraction.length,
    maximumFractionDigits: fraction.length,
    useGrouping: whole.includes(","),
  });
}

/**
 * Return the name of a device (functions/platform/browsers.py), such as "Firefox on Linux", in the page's language.
 * @param {string} name
 */
export function deviceName(name) {
  const [browser, system] = name.split(" on ").map((part) => {
    if (part === "a television") return t("device.television");
    if (part === "a Python script") return t("device.python_script");
    return part === "an unknown browser" ? t("device.unknown_browser") : part;
  });
  return system ? t("device.on", { browser, system }) : browser;
}

/**
 * Return a text of the API that may have several sentences in the page's language; sentences without a translation stay
 * as they are.
 * @param {string} text
 */
export function inOwnLanguage(text) {
  if (language === "en") return text;
  const parts = text.replace(/([.?!]) (?=[A-Z])/g, "$1\n").split("\n");
  const own = parts.map(translated);
  const whole = own.every(Boolean) ? "" : translated(text);
  return whole || parts.map((part, index) => own[index] || part).join(" ");
}

/** The language tag by which dates and numbers are written. */
export const LOCALE = /** @type {string} */ (texts["language.locale"]);

const isPrefixed = (/** @type {string} */ path) => prefix !== "" && path.startsWith(`${prefix}/`);

/**
 * Return the address of a page in the page's language: "/plans.html" -> "/de/plans.html". Addresses of other sites, and
 * those that are in this language already, are returned as they are.
 * @param {string} address
 */
export const inLanguage = (address) => (!address.startsWith("/") || isPrefixed(address) ? address : prefix + address);

/**
 * Return the address of a page without its language: "/de/plans.html" -> "/plans.html".
 * @param {string} address
 */
export const withoutLanguage = (address) => (isPrefixed(address) ? address.slice(prefix.length) : address);
