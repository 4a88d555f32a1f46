/** The viewer's data: where they stopped, their list and their ratings; requested only if somebody is logged in. */
import { authorized, leaveFor, loginAddress, ready } from "./account/session.js";
import { canPlay } from "./cards.js";
import { RequestError } from "./net.js";
import { t } from "./texts.js";

/** @import { Card, HistoryEntry, HistoryPage, RequestOptions, Row, Traces } from "./types.js" */

/**
 * Return how much of a title is left: "23 min left".
 * @param {{ position_s: number, duration_s: number }} view
 */
export function leftText({ position_s: position, duration_s: duration }) {
  const minutes = Math.ceil((duration - position) / 60);
  if (minutes < 60) return t("viewing.minutes_left", { minutes: Math.max(1, minutes) });
  const rest = minutes % 60;
  const hours = Math.floor(minutes / 60);
  return rest ? t("viewing.hours_minutes_left", { hours, minutes: rest }) : t("viewing.hours_left", { hours });
}

/**
 * Return the shelf of titles to continue, from a page of the viewing history; no shelf if there are none.
 * @param {{ entries: HistoryEntry[] }} page
 * @returns {Row[]}
 */
export function continueRows({ entries }) {
  /** @type {Card[]} */
  const titles = [];
  for (const { title, progress, ...view } of entries) {
    if (title && canPlay(title.status)) titles.push({ ...title, going: { progress, left: leftText(view) } });
  }
  return titles.length ? [{ id: "continue", name: t("viewing.continue_watching"), titles }] : [];
}

/**
 * Return the result of `asking`, or `otherwise` if nobody is logged in or the API does not respond.
 * @template T, U
 * @param {() => Promise<T>} asking
 * @param {U} otherwise
 * @returns {Promise<T | U>}
 */
export async function orWithout(asking, otherwise) {
  if (!(await ready())) return otherwise;
  try {
    return await asking();
  } catch (error) {
    if (error instanceof RequestError) return otherwise;
    throw error;
  }
}

/** @param {string} path */
const quietly = (path) => authorized(path, { leave: false });

/** @returns {Promise<Row[]>} */
export const fetchContinueRows = () => orWithout(async () => continueRows(await quietly("usage?unfinished=true&limit=24")), []);

/**
 * Return the viewer's data about a title; null if they are unknown.
 * @param {string} id
 * @returns {Promise<Traces | null>}
 */
export const fetchTraces = (id) => orWithout(() => quietly(`usage/${encodeURIComponent(id)}`), null);

/**
 * Send a request that needs a login; a guest is sent to the login page, which returns to this page.
 * @param {string} path
 * @param {RequestOptions} options
 */
async function asViewer(path, options) {
  if (!(await ready())) return leaveFor(loginAddress());
  return authorized(path, options);
}

/**
 * @param {string} id
 * @param {boolean} on
 */
export const setListed = (id, on) => asViewer(`list/${encodeURIComponent(id)}`, { method: on ? "PUT" : "DELETE" });

/**
 * Rate a title.
 * @param {string} id
 * @param {number} rating 1 up, -1 down, 0 none
 */
export const setRating = (id, rating) => asViewer(`ratings/${encodeURIComponent(id)}`, rating ? { method: "PUT", body: { rating } } : { method: "DELETE" });

/**
 * @param {string | null} cursor
 * @returns {Promise<HistoryPage>}
 */
export const fetchHistory = (cursor) => authorized(`usage?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
/** @param {string} id */
export const clearTitle = (id) => authorized(`usage/${encodeURIComponent(id)}`, { method: "DELETE" });
export const clearAll = () => authorized("usage", { method: "DELETE" });

/**
 * Return the viewer's complete list, fetched page by page; this is safe because the list's length is limited.
 * @returns {Promise<{ titles: { title: Card | null }[] }>}
 */
export async function fetchList() {
  const titles = [];
  let cursor = "";
  do {
    const page = await authorized(`list?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    titles.push(...page.titles);
    cursor = page.cursor;
  } while (cursor);
  return { titles };
}
