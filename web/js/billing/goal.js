/** The page that a viewer returns to after subscribing, stored while they are at PayPal. */
import { safeNext } from "../account/next.js";
import { storage } from "../account/session.js";

/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

const KEY = "notflix.after-subscribing";

/**
 * Store the address in this tab; without storage, the viewer returns to the home page instead.
 * @param {string} next
 * @param {Store} store
 */
export function keepNext(next, store = storage("sessionStorage")) {
  try {
    store.setItem(KEY, next);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/**
 * Return the stored address, or "/" if there is none.
 * @param {string} origin
 * @param {Store} store
 */
export function keptNext(origin, store = storage("sessionStorage")) {
  try {
    return safeNext(store.getItem(KEY), origin);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return "/";
  }
}
