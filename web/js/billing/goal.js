/** Where a viewer goes once they have subscribed, kept while they are at PayPal. */
import { safeNext } from "../account/next.js";

/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

const KEY = "notflix.after-subscribing";

/**
 * Keep it in this tab; a browser that refuses storage leads home instead.
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
 * Return what was kept, "/" if nothing was.
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
