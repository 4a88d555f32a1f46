/**
 * The bar at the top: transparent over the hero, opaque once the page has been scrolled; the account is at its right.
 */
import "./account/menu.js";
import { rootOf } from "./dom.js";

const bar = rootOf("site-nav");
if (bar) {
  const paint = () => bar.classList.toggle("is-solid", window.scrollY > 24);
  paint();
  window.addEventListener("scroll", paint, { passive: true });
}
