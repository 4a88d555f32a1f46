/** A shelf's arrows: each appears if there are more cards on its side, and scrolls the shelf by most of its width. */
import { t } from "./texts.js";

/**
 * Return which arrows are useful for a track scrolled to `left`.
 * @param {{ left: number, width: number, whole: number }} track
 */
export const arrows = ({ left, width, whole }) => ({ back: left > 8, forward: left + width < whole - 8 });

/**
 * Bind the arrows of a shelf; return a function that updates them.
 * @param {HTMLElement} shelf
 * @param {string} name
 */
export function bindShelf(shelf, name) {
  const track = /** @type {HTMLElement} */ (shelf.querySelector(".shelf-track"));
  const buttons = /** @type {HTMLElement[]} */ ([...shelf.querySelectorAll("[data-shelf-step]")]);
  const update = () => {
    const can = arrows({ left: track.scrollLeft, width: track.clientWidth, whole: track.scrollWidth });
    for (const button of buttons) button.hidden = !(button.dataset.shelfStep === "1" ? can.forward : can.back);
  };
  for (const button of buttons) {
    const step = Number(button.dataset.shelfStep);
    button.setAttribute("aria-label", step > 0 ? t("shelf.forward", { name }) : t("shelf.back", { name }));
    button.addEventListener("click", () => track.scrollBy({ left: step * track.clientWidth * 0.85, behavior: "smooth" }));
  }
  track.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(track);
  update();
  return update;
}
