/** How the times and the ends of logins are put into words; pure. */

const DAY_MS = 24 * 3600_000;
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const SAME_LOGIN_MS = 90_000;

const dayOf = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/** A moment as people say it: "Today, 14:05", "Yesterday, 09:12", "12 November, 09:12", "12 November 2025, 09:12". */
export function moment(iso, now) {
  const date = new Date(iso);
  const clock = date.toLocaleTimeString("en-GB", CLOCK);
  const days = Math.round((dayOf(now) - dayOf(date)) / DAY_MS);
  if (days === 0) return `Today, ${clock}`;
  if (days === 1) return `Yesterday, ${clock}`;
  return `${day(iso, now)}, ${clock}`;
}

/** A day: "12 November", with the year where it is another one. */
export function day(iso, now) {
  const date = new Date(iso);
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", ...year });
}

/** An IP address as a person reads it. */
export function placeName(ip) {
  if (ip === "127.0.0.1" || ip === "::1") return "this machine";
  return !ip || ip === "unknown" ? "an unknown address" : ip;
}

const OUTCOMES = new Map([
  ["success", { text: "Logged in", kind: "good" }],
  ["wrong_password", { text: "Wrong password", kind: "bad" }],
  ["limited", { text: "Refused: too many attempts", kind: "bad" }],
]);

/** How a login ended: its words, and whether it was let in. */
export const outcomeOf = (outcome) => OUTCOMES.get(outcome) ?? { text: outcome.replaceAll("_", " "), kind: "bad" };

/**
 * The entry by which this session began, or null if that is not sure: the successful one nearest to the moment at which
 * this browser got its session. A clock that is off by more than a minute and a half leaves it unsure.
 */
export function thisLogin(logins, sinceMs) {
  if (!sinceMs) return null;
  const distance = (login) => Math.abs(Date.parse(login.at) - sinceMs);
  const near = logins.filter((login) => login.outcome === "success" && distance(login) <= SAME_LOGIN_MS);
  return near.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
