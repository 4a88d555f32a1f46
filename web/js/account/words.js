/** Texts for the times and outcomes of logins; pure functions. */

/** @import { Login } from "../types.js" */

const DAY_MS = 24 * 3600_000;
const SAME_LOGIN_MS = 90_000;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit" };

const midnightOf = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/**
 * Return a time as "Today, 14:05", "Yesterday, 09:12", "12 November, 09:12" or "12 November 2025, 09:12".
 * @param {string} iso
 * @param {Date} now
 */
export function moment(iso, now) {
  const date = new Date(iso);
  const clock = date.toLocaleTimeString("en-GB", CLOCK);
  const days = Math.round((Number(midnightOf(now)) - Number(midnightOf(date))) / DAY_MS);
  if (days === 0) return `Today, ${clock}`;
  if (days === 1) return `Yesterday, ${clock}`;
  return `${day(iso, now)}, ${clock}`;
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
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", ...year });
}

/**
 * Return an IP address in readable form.
 * @param {string} ip
 */
export function placeName(ip) {
  if (ip === "127.0.0.1" || ip === "::1") return "this computer";
  return !ip || ip === "unknown" ? "an unknown address" : ip;
}

const OUTCOMES = new Map([
  ["success", { text: "Logged in", kind: "good" }],
  ["wrong_password", { text: "Wrong password", kind: "bad" }],
  ["limited", { text: "Refused: too many attempts", kind: "bad" }],
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
