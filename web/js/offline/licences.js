/** The licences of downloads: until when they can be watched. They are renewed whenever the API can be reached. */
import { authorized, session } from "../account/session.js";
import { isTemporary, RequestError } from "../net.js";
import { changeFilm, deleteFilm } from "./films.js";

/** @import { StoredFilm } from "../types.js" */

const PATIENCE_MS = 5000;

/**
 * Return whether the licence of a film has ended. A clock that was set back does not prolong it.
 * @param {Pick<StoredFilm, "licence_until" | "seen_at">} film
 * @param {number} now
 */
export const isExpired = ({ licence_until: until, seen_at: seen }, now) => Math.max(now, Date.parse(seen)) >= Date.parse(until);

/**
 * Renew the licence of a film, if the API can be reached and its account is logged in. Return the film, or null if the
 * title no longer exists; the download is then deleted. `refusal` is why the account may not watch the film any more.
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
    if (isTemporary(error) || error.status === 401 || error.status === 409) return { film: await changeFilm(film, { seen_at }), refusal: null };
    throw error;
  }
}
