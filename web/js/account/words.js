/** The times and the outcomes of logins as words; pure. */

/** @import { Login } from "../types.js" */

const DAY_MS = 24 * 3600_000;
const SAME_LOGIN_MS = 90_000;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit" };

const midnightOf = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/**
 * "Today, 14:05", "Yesterday, 09:12", "12 November, 09:12", "12 November 2025, 09:12".
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
 * "12 November", with the year where it is not this year.
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
 * An IP address as people read it.
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
 * The outcome of a login: its words, and whether it succeeded.
 * @param {string} outcome
 */
export const outcomeOf = (outcome) => OUTCOMES.get(outcome) ?? { text: outcome.replaceAll("_", " "), kind: "bad" };

/**
 * Return the entry of the login by which this session began: the successful one nearest to the moment at which this
 * browser got its session. Return null if that is not sure, as on a computer whose clock is wrong.
 * @param {Login[]} logins
 * @param {number | undefined} sinceMs
 */
export function thisLogin(logins, sinceMs) {
  if (!sinceMs) return null;
  const distance = (/** @type {Login} */ login) => Math.abs(new Date(login.at).getTime() - sinceMs);
  const near = logins.filter((login) => login.outcome === "success" && distance(login) <= SAME_LOGIN_MS);
  return near.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
