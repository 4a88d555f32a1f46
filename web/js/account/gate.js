/** The common part of the login pages: the picture behind them, and the return address that they pass on. */
import "../nav.js";
import { picture, rootOf } from "../dom.js";
import { ask, orElse } from "../net.js";
import { nextOf, withNext } from "./next.js";

/** @param {HTMLImageElement} image */
async function showArt(image) {
  const home = await orElse(ask("/catalogue/home.json"), null); // perhaps nothing has been published yet
  picture(image, home?.hero?.artwork?.backdrop);
}

/** Return the token after the "#" of a link from an email, and remove it from the address. */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  history.replaceState(null, "", location.pathname + location.search);
  window.addEventListener("hashchange", () => location.reload()); // another link was opened in this tab
  return token;
}

export const why = () => new URLSearchParams(location.search).get("why") ?? "";

if (globalThis.document) {
  const next = nextOf(location);
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-keep-next]"));
  for (const link of links) link.href = withNext(link.pathname, next);
  const image = /** @type {HTMLImageElement | null} */ (rootOf("gate-art"));
  if (image) showArt(image);
}
