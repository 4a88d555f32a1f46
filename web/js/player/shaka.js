/** Shaka, loaded once a film is to be played: it is larger than everything else on the site together. */
import { RequestError } from "../net.js";
import { t } from "../texts.js";

/** @type {Promise<any> | null} */
let loading = null;

/**
 * Load Shaka from the address in the page, and return it; raise RequestError if there is no connection.
 * @param {HTMLElement} root the player, whose `data-shaka` is the address
 * @returns {Promise<any>}
 */
export function loadShaka(root) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root.dataset.shaka ?? "";
    script.addEventListener("load", () => resolve(window.shaka));
    script.addEventListener("error", () => {
      loading = null; // so that the next attempt loads it again
      reject(new RequestError(0, "unreachable", t("common.there_no_connection_notflix")));
    });
    document.head.append(script);
  });
  return loading;
}
