/** The common part of the login pages: the picture behind them, and the return address that they pass on. */
import "../nav.js";
import { hooks, picture, rootOf } from "../dom.js";
import { ask, orElse } from "../net.js";
import { nextOf, withNext } from "./next.js";

/** Show the picture of the home page behind the card, on screens that are wide enough to see it beside the card. */
async function showArt() {
  const art = rootOf("gate-art");
  if (!art || !matchMedia("(min-width: 768px)").matches) return;
  const home = await orElse(ask("/catalogue/home.json"), null); // perhaps nothing has been published yet
  picture(hooks(art).art, home?.hero?.artwork?.backdrop);
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
  showArt();
}
