/** Cards: each shows one title in a list. */
import { ageLimit } from "./account/session.js";
import { titleAddress, watchAddress } from "./addresses.js";
import { isSuitable } from "./certificates.js";
import { facts, stateLabel } from "./text.js";
import { hooks, picture, piece, reconcile, say, setText } from "./dom.js";

/** @import { Artwork, Card } from "./types.js" */

/** @param {string} status */
export const canPlay = (status) => status === "ready" || status === "encoding";

/**
 * Return only the titles that the profile may watch; the API refuses to play the others.
 * @template {{ rated?: string | null }} T
 * @param {T[]} titles
 */
export const suitable = (titles, limit = ageLimit()) => titles.filter((title) => isSuitable(title, limit));

/**
 * Return only the titles that can be played. Titles without a film are listed only under "Coming soon".
 * @template {{ status: string, rated?: string | null }} T
 * @param {T[]} titles
 */
export const playable = (titles) => suitable(titles).filter(({ status }) => canPlay(status));

/**
 * Return the hue for a title without a picture; the same id always gives the same hue.
 * @param {string} id
 */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return String(hash % 360);
}

/**
 * Return the address of the picture for a card's shape, or of the next best picture.
 * @param {Partial<Artwork> | null | undefined} artwork
 * @param {string} shape
 */
export function pictureFor(artwork, shape) {
  const { poster = null, card = null, backdrop = null } = artwork ?? {};
  return shape === "poster" ? (poster ?? card ?? backdrop) : (card ?? backdrop ?? poster);
}

/**
 * Return the line of text under a card: the title's facts. Under a poster it is the title's name, because the lettering
 * in the picture may be hard to read or missing.
 * @param {Card} title
 * @param {string} shape
 */
export function under(title, shape) {
  const short = facts({ ...title, genres: (title.genres ?? []).slice(0, 1) }).map((fact) => fact.text);
  return shape === "poster" ? title.name : short.join(" · ");
}

/**
 * Show `titles` in the list `parent`.
 * @param {HTMLElement} parent
 * @param {Card[]} titles
 */
export function writeCards(parent, titles, shape = "card") {
  reconcile(parent, titles, {
    key: (title) => title.id,
    create: () => piece(shape),
    update: (node, title) => writeCard(node, title, shape),
  });
}

/**
 * Show a title in the element `node`. A card with `going` links directly to the watch page.
 * @param {HTMLElement} node
 * @param {Card} title
 * @param {string} shape
 */
export function writeCard(node, title, shape) {
  const at = hooks(node);
  const address = pictureFor(title.artwork, shape);
  at.link.href = title.going ? watchAddress(title.id) : titleAddress(title.id);
  setText(at.name, title.name);
  setText(at.facts, title.going?.left || title.because || under(title, shape));
  at.progress.hidden = !title.going;
  at.progress.style.setProperty("--share", `${Math.round((title.going?.progress ?? 0) * 100)}%`);
  at.art.style.setProperty("--hue", hueOf(title.id));
  at.art.classList.toggle("is-lettered", shape === "poster" && Boolean(title.artwork?.poster)); // a poster shows the name
  at.art.classList.toggle("is-encoding", title.status === "encoding");
  // An announced title needs no label: the heading of its shelf is "Coming soon".
  say(at.state, shape === "poster" && title.status === "announced" ? "" : stateLabel(title.status));
  picture(at.picture, address);
}
