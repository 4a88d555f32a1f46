/** What the pages around logging in share: the picture behind them, and the way back that they hand on. */
import "../nav.js";
import { picture } from "../dom.js";
import { ask, RequestError } from "../net.js";
import { nextOf, withNext } from "./next.js";

async function showArt(image) {
  let home;
  try {
    home = await ask("/catalogue/home.json");
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return; // nothing is published yet: the ground is enough
  }
  picture(image, home.hero?.artwork?.backdrop ?? null);
}

/** The token that a mailed link carries behind its "#"; the address is cleared of it at once. */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  history.replaceState(null, "", location.pathname + location.search);
  window.addEventListener("hashchange", () => location.reload()); // another link was opened in this very tab
  return token;
}

export const why = () => new URLSearchParams(location.search).get("why") ?? "";

if (globalThis.document) {
  const next = nextOf(location);
  for (const link of document.querySelectorAll("a[data-keep-next]")) link.href = withNext(link.pathname, next);
  const image = document.querySelector("[data-gate-art]");
  if (image) showArt(image);
}
