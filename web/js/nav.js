/** The bar at the top: clear over the hero, solid once the page has scrolled; the account at its right. */
import "./account/menu.js";
import { rootOf } from "./dom.js";

const bar = rootOf("site-nav");
if (bar) {
  const paint = () => bar.classList.toggle("is-solid", window.scrollY > 24);
  paint();
  window.addEventListener("scroll", paint, { passive: true });
}
