/** What is kept of the viewer: where they stopped, their list, their ratings; asked for only where somebody is logged in. */
import { authorized, leaveFor, loginAddress, ready } from "./account/session.js";
import { canPlay } from "./cards.js";
import { RequestError } from "./net.js";

/** How much of a title is left, for a person: "23 min left". */
export function leftText({ position_s: position, duration_s: duration }) {
  const minutes = Math.ceil((duration - position) / 60);
  if (minutes < 60) return `${Math.max(1, minutes)} min left`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""} left`;
}

/** The card of a title to go on with. */
export const toGoOn = ({ title, position_s, duration_s, progress }) => ({ ...title, going: { progress, left: leftText({ position_s, duration_s }) } });

/** The shelf of titles to go on with out of a page of history; none when there are none. */
export function continueRows({ entries }) {
  const titles = entries.filter(({ title }) => title && canPlay(title.status)).map(toGoOn);
  return titles.length ? [{ id: "continue", name: "Continue watching", titles }] : [];
}

/** What `asking` gives, or `otherwise` where nobody is logged in or the API does not answer: pages do without it. */
export async function orWithout(asking, otherwise) {
  if (!(await ready())) return otherwise;
  try {
    return await asking();
  } catch (error) {
    if (error instanceof RequestError) return otherwise;
    throw error;
  }
}

const quietly = (path) => authorized(path, { leave: false });

export const fetchContinueRows = () => orWithout(async () => continueRows(await quietly("usage?unfinished=true&limit=24")), []);

/** What the viewer has with a title; null where that is not known. */
export const fetchTraces = (id) => orWithout(() => quietly(`usage/${encodeURIComponent(id)}`), null);

/** Do something that needs a login; who has none is sent to get one, and comes back to this page. */
async function asViewer(path, options) {
  if (!(await ready())) return leaveFor(loginAddress());
  return authorized(path, options);
}

export const setListed = (id, on) => asViewer(`list/${encodeURIComponent(id)}`, { method: on ? "PUT" : "DELETE" });

/** Rate a title: 1 up, -1 down, 0 takes it back. */
export const setRating = (id, rating) => asViewer(`ratings/${encodeURIComponent(id)}`, rating ? { method: "PUT", body: { rating } } : { method: "DELETE" });

export const fetchHistory = (cursor) => authorized(`usage?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const clearTitle = (id) => authorized(`usage/${encodeURIComponent(id)}`, { method: "DELETE" });
export const clearAll = () => authorized("usage", { method: "DELETE" });

/** The whole list of the viewer, page by page: it is bounded. */
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
