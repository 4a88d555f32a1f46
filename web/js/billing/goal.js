/** The page that a viewer returns to after subscribing, stored while they are at PayPal. */
import { safeNext } from "../account/next.js";

/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

const KEY = "notflix.after-subscribing";

/**
 * Store the address in this tab; without storage, the viewer returns to the home page instead.
 * @param {string} next
 * @param {Store} storage
 */
export function keepNext(next, storage = globalThis.sessionStorage) {
  try {
    storage.setItem(KEY, next);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/**
 * Return the stored address, or "/" if there is none.
 * @param {string} origin
 * @param {Store} storage
 */
export function keptNext(origin, storage = globalThis.sessionStorage) {
  try {
    return safeNext(storage.getItem(KEY), origin);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return "/";
  }
}
