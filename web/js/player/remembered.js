/** What a viewer has chosen in the player, stored on this device. */

/**
 * @typedef {object} Remembered
 * @property {number} [volume]
 * @property {boolean} [muted]
 * @property {string} [subtitles] the language of the subtitles; "" for none
 * @property {{ language: string, label: string, channels?: number }} [audio]
 * @property {number} [speed]
 * @property {number} [quality] a height; 0 for automatic
 * @property {Record<string, string>} [look] how subtitles look (look.js)
 */

const KEY = "notflix.player";

/** @returns {Remembered} */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {}; // storage is refused or its content is damaged: use the defaults
  }
}

/** @param {Remembered} change */
export function remember(change) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }));
  } catch { /* storage is refused: nothing is stored */ }
}
