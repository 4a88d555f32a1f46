/** The page to open after a login: the page the user came from, and never another site; pure functions. */
import { inLanguage, withoutLanguage } from "../texts.js";

/** @typedef {Pick<Location, "origin" | "pathname" | "search" | "hash">} Place */

const NOT_WORTH_RETURNING = new Set(["/login.html", "/register.html", "/forgot.html", "/reset.html", "/confirm.html", "/profiles.html"]);

/**
 * Return the path, query and fragment of `wanted` without its language if it is an address on this site, otherwise "/".
 *
 * The address is parsed by the browser's own parser, which drops tabs and treats "\" as "/", so the compared address is
 * the address that would be visited. A path that begins with "//" is rejected, because as an address it would mean
 * another host.
 * @param {string | null | undefined} wanted
 * @param {string} origin
 */
export function safeNext(wanted, origin) {
  if (!wanted?.startsWith("/") || !URL.canParse(wanted, origin)) return "/";
  const address = new URL(wanted, origin);
  const path = withoutLanguage(address.pathname);
  if (address.origin !== origin || path.startsWith("//") || NOT_WORTH_RETURNING.has(path)) return "/";
  return path + address.search + address.hash;
}

/**
 * Return the address of `page` with the address to open afterwards and the reason why the user is sent to `page`.
 * @param {string} page
 * @param {string} next
 */
export function withNext(page, next, why = "") {
  const query = new URLSearchParams();
  const wanted = withoutLanguage(next);
  if (wanted && wanted !== "/") query.set("next", wanted);
  if (why) query.set("why", why);
  return inLanguage(query.size ? `${page}?${query}` : page);
}

/**
 * Return the address to open afterwards, which is in the query of this page's address.
 * @param {Pick<Place, "origin" | "search">} place
 */
export const nextOf = (place) => safeNext(new URLSearchParams(place.search).get("next"), place.origin);

/**
 * Return the current address, to return to it later.
 * @param {Place} place
 */
export const here = (place) => safeNext(place.pathname + place.search + place.hash, place.origin);
