/** Where a person goes on after logging in: back to where they came from, and never off this site; pure. */

const NOT_WORTH_RETURNING = new Set(["/login.html", "/register.html", "/forgot.html", "/reset.html", "/confirm.html"]);

/**
 * The path, query and fragment that `wanted` means on this site; "/" for anything that would leave it.
 *
 * The address is read by the browser's own parser, which drops tabs and takes "\" for "/", so what is compared is what
 * would be visited. A path that begins with "//" would be another host once it is used as an address again.
 */
export function safeNext(wanted, origin) {
  if (!wanted?.startsWith("/") || !URL.canParse(wanted, origin)) return "/";
  const address = new URL(wanted, origin);
  if (address.origin !== origin || address.pathname.startsWith("//") || NOT_WORTH_RETURNING.has(address.pathname)) return "/";
  return address.pathname + address.search + address.hash;
}

/** `page` with the place to go on to, and why the person is sent there. */
export function withNext(page, next, why = "") {
  const query = new URLSearchParams();
  if (next && next !== "/") query.set("next", next);
  if (why) query.set("why", why);
  return query.size ? `${page}?${query}` : page;
}

/** The place to go on to, as this page's address names it. */
export const nextOf = (place) => safeNext(new URLSearchParams(place.search).get("next"), place.origin);

/** This place, to come back to. */
export const here = (place) => safeNext(place.pathname + place.search + place.hash, place.origin);
