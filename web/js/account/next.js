/** Where a person goes after logging in: back to where they came from, and never off this site; pure. */

/** @typedef {Pick<Location, "origin" | "pathname" | "search" | "hash">} Place */

const NOT_WORTH_RETURNING = new Set(["/login.html", "/register.html", "/forgot.html", "/reset.html", "/confirm.html"]);

/**
 * Return the path, query and fragment that `wanted` means on this site; "/" for anything that would leave it.
 *
 * The address is read by the browser's own parser, which drops tabs and takes "\" for "/", so what is compared is what
 * would be visited. A path that begins with "//" would be another host once it is used as an address again.
 * @param {string | null | undefined} wanted
 * @param {string} origin
 */
export function safeNext(wanted, origin) {
  if (!wanted?.startsWith("/") || !URL.canParse(wanted, origin)) return "/";
  const address = new URL(wanted, origin);
  if (address.origin !== origin || address.pathname.startsWith("//") || NOT_WORTH_RETURNING.has(address.pathname)) return "/";
  return address.pathname + address.search + address.hash;
}

/**
 * Return the address of `page` with the place to go to afterwards, and why the person is sent there.
 * @param {string} page
 * @param {string} next
 */
export function withNext(page, next, why = "") {
  const query = new URLSearchParams();
  if (next && next !== "/") query.set("next", next);
  if (why) query.set("why", why);
  return query.size ? `${page}?${query}` : page;
}

/**
 * Return the place to go to afterwards, as this page's address names it.
 * @param {Pick<Place, "origin" | "search">} place
 */
export const nextOf = (place) => safeNext(new URLSearchParams(place.search).get("next"), place.origin);

/**
 * Return this place, to come back to.
 * @param {Place} place
 */
export const here = (place) => safeNext(place.pathname + place.search + place.hash, place.origin);
