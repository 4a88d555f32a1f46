/** The addresses of pages, in the page's language, and of pictures; pure functions. */
import { inLanguage, withoutLanguage } from "./texts.js";

/** @param {string} id */
export const titleAddress = (id) => inLanguage(`/title/${encodeURIComponent(id)}`);
/** @param {string} id */
export const watchAddress = (id) => inLanguage(`/watch.html?id=${encodeURIComponent(id)}`);
/**
 * Return the address that plays the trailer of a title.
 * @param {string} id
 */
export const trailerAddress = (id) => `${watchAddress(id)}&trailer`;
/**
 * Return the address that plays a downloaded title.
 * @param {string} id
 */
export const storedAddress = (id) => `${watchAddress(id)}&offline`;
/**
 * Return the address that plays a title from a second before something is said.
 * @param {string} id
 * @param {number} second
 */
export const momentAddress = (id, second) => `${watchAddress(id)}&from=${Math.max(0, second - 1)}`;
/** @param {string} genre */
export const genreAddress = (genre) => inLanguage(`/genre.html?name=${encodeURIComponent(genre)}`);
/** @param {string} person */
export const personAddress = (person) => inLanguage(`/person.html?name=${encodeURIComponent(person)}`);

/**
 * Return the id of the title that an address names: `/title/<id>`, or `/title.html?id=<id>` while that page is not
 * written yet; "" if it names none.
 * @param {Pick<Location, "pathname" | "search">} address
 */
export function titleIdIn({ pathname, search }) {
  const written = /^\/title\/([a-z0-9-]+)$/.exec(withoutLanguage(pathname));
  return written?.[1] ?? new URLSearchParams(search).get("id") ?? "";
}

/**
 * Return the `srcset` of the AVIF pictures that the address of a JPEG names (functions/catalogue/artwork.py), such as
 * `art/x/card.jpg?v=1&avif=320.480`; "" if it names none.
 * @param {string} address relative to the site
 */
export function avifSources(address) {
  const { pathname, searchParams } = new URL(address, "https://site.invalid/");
  const widths = (searchParams.get("avif") ?? "").split(".").filter(Boolean);
  const stem = pathname.replace(/\.jpg$/, "");
  return widths.map((width) => `${stem}-${width}.avif?v=${searchParams.get("v") ?? ""} ${width}w`).join(", ");
}
