/** Where a person wants to go once they have subscribed, kept while they are at PayPal. */
import { safeNext } from "../account/next.js";

const KEY = "notflix.after-subscribing";

/** Keep it in this tab; a browser that refuses storage leads home instead. */
export function keepNext(next, storage = globalThis.sessionStorage) {
  try {
    storage.setItem(KEY, next);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** What was kept, "/" if nothing was. */
export function keptNext(origin, storage = globalThis.sessionStorage) {
  try {
    return safeNext(storage.getItem(KEY), origin);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return "/";
  }
}
