/** The licences of downloads: until when they can be watched. They are renewed whenever the API can be reached. */
import { sessionFacts } from "../account/profile.js";
import { authorized, session, update } from "../account/session.js";
import { isTemporary, RequestError } from "../net.js";
import { changeFilm, deleteFilm } from "./films.js";

/** @import { ProfileList, StoredFilm } from "../types.js" */

const PATIENCE_MS = 5000;

/**
 * Return whether the licence of a film has ended. A clock that was set back does not prolong it.
 * @param {Pick<StoredFilm, "licence_until" | "seen_at">} film
 * @param {number} now
 */
export const isExpired = ({ licence_until: until, seen_at: seen }, now) => Math.max(now, Date.parse(seen)) >= Date.parse(until);

/**
 * Return what the API says now; null if it does not answer.
 * @param {string} path
 */
async function latest(path) {
  try {
    return await authorized(path, { leave: false, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}

/**
 * Return the certificate of a film whose profile may not play it, and update the age limit of the session: one of them
 * has changed since this device knew them.
 * @param {StoredFilm} film
 * @returns {Promise<Partial<StoredFilm>>}
 */
async function whyLimited({ title_id: id }) {
  /** @type {[ProfileList | null, { rated?: string | null } | null]} */
  const [list, title] = await Promise.all([latest("profiles"), latest(`titles/${encodeURIComponent(id)}`)]);
  const current = list?.profiles.find((profile) => profile.id === list.current);
  if (current) update(sessionFacts(current));
  return title ? { rated: title.rated ?? null } : {};
}

/**
 * Renew the licence of a film, if the API can be reached and its account is logged in. Return the film, or null if the
 * title no longer exists; the download is then deleted. `refusal` is why the account or its profile may not watch the
 * film any more; a profile that may can renew it again.
 * @param {StoredFilm} film
 * @returns {Promise<{ film: StoredFilm | null, refusal: RequestError | null }>}
 */
export async function renewLicence(film, now = new Date()) {
  const seen_at = new Date(Math.max(now.getTime(), Date.parse(film.seen_at))).toISOString();
  if (!navigator.onLine || session()?.user_id !== film.user_id) return { film: await changeFilm(film, { seen_at }), refusal: null };
  const path = `titles/${encodeURIComponent(film.title_id)}/licence`;
  try {
    const { licence_until } = await authorized(path, { leave: false, signal: AbortSignal.timeout(PATIENCE_MS) });
    return { film: await changeFilm(film, { licence_until, seen_at: now.toISOString() }), refusal: null };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 404) {
      await deleteFilm(film);
      return { film: null, refusal: error };
    }
    if (error.status === 402) return { film: await changeFilm(film, { licence_until: now.toISOString(), seen_at }), refusal: error };
    if (error.code === "age_limited") {
      return { film: await changeFilm(film, { licence_until: now.toISOString(), seen_at, ...(await whyLimited(film)) }), refusal: error };
    }
    if (isTemporary(error) || error.status === 401 || error.status === 409) return { film: await changeFilm(film, { seen_at }), refusal: null };
    throw error;
  }
}
