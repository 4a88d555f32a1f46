/** Cards: one title each, wherever titles are listed. */
import { facts, stateLabel } from "./text.js";
import { hooks, picture, piece, reconcile, say } from "./dom.js";

export const titleAddress = (id) => `/title.html?id=${encodeURIComponent(id)}`;
export const watchAddress = (id) => `/watch.html?id=${encodeURIComponent(id)}`;
export const canPlay = (status) => status === "ready" || status === "encoding";

/** A hue of its own for a title without a picture; the same for the same id. */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) % 3600;
  return hash % 360;
}

/** The address of the picture for a card's shape, the next best when that one is missing. */
export function pictureFor(artwork, shape) {
  const { poster = null, card = null, backdrop = null } = artwork ?? {};
  return shape === "poster" ? (poster ?? card ?? backdrop) : (card ?? backdrop ?? poster);
}

/** The line under a card: what it is; under a poster, whose lettering may be fanciful or missing, its name. */
export function under(title, shape) {
  const short = facts({ ...title, genres: (title.genres ?? []).slice(0, 1) }).map((fact) => fact.text);
  return shape === "poster" ? title.name : short.join(" · ");
}

/** Make the list `parent` show `titles`; one with `going` ({progress, left}) is to be gone on with, one with `because` says why it is there. */
export function writeCards(parent, titles, shape = "card") {
  reconcile(parent, titles, {
    key: (title) => title.id,
    create: () => piece(shape),
    update: (node, title) => writeCard(node, title, shape),
  });
}

/** Make the piece `node` show a title. */
export function writeCard(node, title, shape) {
  const at = hooks(node);
  const address = pictureFor(title.artwork, shape);
  at.link.href = title.going ? watchAddress(title.id) : titleAddress(title.id);
  at.name.textContent = title.name;
  at.facts.textContent = title.going?.left || title.because || under(title, shape);
  at.progress.hidden = !title.going;
  at.progress.style.setProperty("--share", `${Math.round((title.going?.progress ?? 0) * 100)}%`);
  at.art.style.setProperty("--hue", hueOf(title.id));
  at.art.classList.toggle("is-lettered", shape === "poster" && Boolean(title.artwork?.poster)); // a poster carries its name
  at.art.classList.toggle("is-encoding", title.status === "encoding");
  say(at.state, shape === "poster" && title.status === "announced" ? "" : stateLabel(title.status)); // its shelf says it
  picture(at.picture, address);
}
