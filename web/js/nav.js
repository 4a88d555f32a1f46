/**
 * The bar at the top, with the search field, and the account at its right. It is transparent over the hero, and opaque
 * once the page has been scrolled.
 */
import "./account/menu.js";
import "./footer.js";
import "./language_choice.js";
import "./offline/register.js";
import { rootOf } from "./dom.js";

const bar = rootOf("site-nav");
if (bar) {
  const paint = () => bar.classList.toggle("is-solid", window.scrollY > 24);
  paint();
  window.addEventListener("scroll", paint, { passive: true });
}

/** @type {HTMLFormElement | null} */
const form = globalThis.document?.querySelector("[data-nav-search]") ?? null;
/** @param {HTMLFormElement} bound */
async function suggest(bound) {
  const scripts = await import(bound.dataset.suggestions ?? "").catch(() => null); // only a page on which somebody searches loads it
  if (scripts) new scripts.Suggestions(bound).bind(); // without a connection, there are no suggestions
}
if (form?.contains(document.activeElement)) suggest(form); // somebody types already
else form?.addEventListener("focusin", () => suggest(form), { once: true });
