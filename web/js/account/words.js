/** Texts for the times and outcomes of logins; pure functions. */
import { LOCALE, t } from "../texts.js";

/** @import { Login } from "../types.js" */

const DAY_MS = 24 * 3600_000;
const SAME_LOGIN_MS = 90_000;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit" };

const midnightOf = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/**
 * Return how many midnights ago a time was, and its clock time.
 * @param {string} iso
 * @param {Date} now
 */
function placed(iso, now) {
  const date = new Date(iso);
  const days = Math.round((Number(midnightOf(now)) - Number(midnightOf(date))) / DAY_MS);
  return { days, time: date.toLocaleTimeString(LOCALE, CLOCK) };
}

/**
 * Return a time as "Today, 14:05", "Yesterday, 09:12", "12 November, 09:12" or "12 November 2025, 09:12".
 * @param {string} iso
 * @param {Date} now
 */
export function moment(iso, now) {
  const { days, time } = placed(iso, now);
  if (days === 0) return t("moment.today", { time });
  if (days === 1) return t("moment.yesterday", { time });
  return t("moment.day", { day: day(iso, now), time });
}

/**
 * Return a time for the middle of a sentence: "today, 14:05".
 * @param {string} iso
 * @param {Date} now
 */
export function momentInside(iso, now) {
  const { days, time } = placed(iso, now);
  if (days === 0) return t("moment.today_inside", { time });
  if (days === 1) return t("moment.yesterday_inside", { time });
  return t("moment.day", { day: day(iso, now), time });
}

/**
 * Return the day as "12 November", with the year unless it is the current year.
 * @param {string} iso
 * @param {Date} now
 */
export function day(iso, now) {
  const date = new Date(iso);
  /** @type {Intl.DateTimeFormatOptions} */
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleDateString(LOCALE, { day: "numeric", month: "long", ...year });
}

/**
 * Return an IP address in readable form.
 * @param {string} ip
 */
export function placeName(ip) {
  if (ip === "127.0.0.1" || ip === "::1") return t("logins.computer");
  return !ip || ip === "unknown" ? t("logins.unknown_address") : ip;
}

const OUTCOMES = new Map([
  ["success", { text: t("logins.logged_in"), kind: "good" }],
  ["wrong_password", { text: t("logins.wrong_password"), kind: "bad" }],
  ["wrong_second_factor", { text: t("logins.right_password_wrong_second"), kind: "bad" }],
  ["unfinished", { text: t("logins.right_password_second_step"), kind: "bad" }],
  ["limited", { text: t("logins.refused_too_many_attempts"), kind: "bad" }],
]);

/**
 * Return the text for the outcome of a login, and whether the login succeeded.
 * @param {string} outcome
 */
export const outcomeOf = (outcome) => OUTCOMES.get(outcome) ?? { text: outcome.replaceAll("_", " "), kind: "bad" };

/**
 * Return the entry of the login that began this session: the successful login closest to the time at which this browser
 * got its session. Return null if that is uncertain, for example because the computer's clock is wrong.
 * @param {Login[]} logins
 * @param {number | undefined} sinceMs
 */
export function thisLogin(logins, sinceMs) {
  if (!sinceMs) return null;
  const distance = (/** @type {Login} */ login) => Math.abs(new Date(login.at).getTime() - sinceMs);
  const near = logins.filter((login) => login.outcome === "success" && distance(login) <= SAME_LOGIN_MS);
  return near.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
