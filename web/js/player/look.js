/** How subtitles look: size, colour, background and position. The stylesheet reads the choice from the player's `data-cue-…`. */
import { hooks } from "../dom.js";
import { remember, remembered } from "./remembered.js";

/** @typedef {Record<string, string>} Look the chosen value of each property */

/**
 * The values of each property, the default first; the dialog has a radio button for each.
 * @type {Record<string, string[]>}
 */
export const LOOKS = {
  size: ["medium", "small", "large", "huge"],
  color: ["white", "yellow", "cyan", "green"],
  ground: ["shade", "black", "none"],
  place: ["bottom", "top"],
};

/**
 * Return a complete look: the stored values as far as they exist, otherwise the defaults.
 * @param {unknown} stored
 * @returns {Look}
 */
export function lookFrom(stored) {
  const known = stored && typeof stored === "object" ? /** @type {Look} */ (stored) : {};
  return Object.fromEntries(Object.entries(LOOKS).map(([name, values]) => [name, values.includes(known[name]) ? known[name] : values[0]]));
}

/**
 * Give the player the stored look, and bind the dialog that changes it.
 * @param {HTMLElement} root
 */
export function bindLook(root) {
  const at = hooks(root);
  const form = /** @type {HTMLFormElement} */ (at["look-form"]);
  const write = (/** @type {Look} */ look) => {
    for (const [name, value] of Object.entries(look)) {
      root.setAttribute(`data-cue-${name}`, value);
      /** @type {RadioNodeList} */ (form.elements.namedItem(name)).value = value;
    }
  };
  form.addEventListener("change", () => {
    const look = lookFrom(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])));
    write(look);
    remember({ look });
  });
  at["look-reset"].addEventListener("click", () => {
    write(lookFrom({}));
    remember({ look: {} });
  });
  write(lookFrom(remembered().look));
  return { open: () => at.look.showModal() };
}
