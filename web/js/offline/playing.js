/** Playing a downloaded film: the watch page gets its session and all its files from this device. */
import { ready } from "../account/session.js";
import { RequestError } from "../net.js";
import { changeFilm, readFile, readFilm } from "./films.js";
import { isExpired, renewLicence } from "./licences.js";
import { t } from "../texts.js";

/** @import { PlaybackSession, StoredFilm } from "../types.js" */

const PLACE_EVERY_S = 5;

/** The playback session of a downloaded film, with the interface of `Session` (player/session.js). */
export class StoredSession {
  #titleId;
  /** @type {StoredFilm | null} */
  #film = null;
  #place = 0;

  /** @param {string} titleId */
  constructor(titleId) {
    this.#titleId = titleId;
    /** @type {PlaybackSession | null} */
    this.data = null;
    this.isStored = true;
  }

  /** Return the session, if the licence is valid; renew the licence first, if there is a connection. */
  async renew() {
    const found = await readFilm(this.#titleId, (await ready())?.user_id);
    if (!found?.whole) throw new RequestError(404, "not_downloaded", t("downloads.film_not_downloaded_on"));
    const { film, refusal } = await renewLicence(found);
    if (refusal) throw refusal;
    if (!film) throw new RequestError(404, "not_downloaded", t("downloads.film_not_downloaded_on"));
    if (isExpired(film, Date.now())) throw new RequestError(403, "licence_expired", t("downloads.download_has_expired"));
    this.#film = film;
    this.data = { ...film.session, resume_s: film.place_s, expires_at: film.licence_until };
    return this.data;
  }

  /** Return an address unchanged: no key is needed. @param {string} uri */
  async signed(uri) {
    return uri;
  }

  /**
   * Return an address that can be shown as a picture.
   * @param {string} uri
   * @returns {Promise<string>}
   */
  async picture(uri) {
    const file = this.#film && (await readFile(this.#film, uri.split("#")[0]));
    if (!file) return "";
    const reader = new FileReader();
    const read = new Promise((resolve) => reader.addEventListener("load", resolve, { once: true }));
    reader.readAsDataURL(await file.blob()); // the policy of the page allows `data:` images
    await read;
    return String(reader.result);
  }

  /**
   * Return a text file of the film. Raises RequestError.
   * @param {string} uri
   * @returns {Promise<string>}
   */
  async text(uri) {
    const file = this.#film && (await readFile(this.#film, uri));
    if (!file) throw new RequestError(404, "not_downloaded", t("downloads.film_not_downloaded_on"));
    return file.text();
  }

  /**
   * Let Shaka read everything from this device, and remember where the viewer stops.
   * @param {any} shaka
   * @param {HTMLVideoElement} video
   */
  supply(shaka, video) {
    const { NetworkingEngine } = shaka.net;
    const { Error: Failure, AbortableOperation } = shaka.util;
    const read = async (/** @type {string} */ uri, /** @type {any} */ request, /** @type {number} */ type) => {
      const file = this.#film && (await readFile(this.#film, uri));
      if (!file) throw new Failure(Failure.Severity.CRITICAL, Failure.Category.NETWORK, Failure.Code.BAD_HTTP_STATUS, uri, 404, "", {}, type);
      const headers = { "content-type": file.headers.get("content-type") ?? "" };
      return { uri, originalUri: uri, data: await file.arrayBuffer(), headers, status: 200, originalRequest: request };
    };
    const plugin = (/** @type {string} */ uri, /** @type {any} */ request, /** @type {number} */ type) => AbortableOperation.notAbortable(read(uri, request, type));
    for (const scheme of ["http", "https"]) NetworkingEngine.registerScheme(scheme, plugin, NetworkingEngine.PluginPriority.APPLICATION);
    video.addEventListener("timeupdate", () => { if (Math.abs(video.currentTime - this.#place) > PLACE_EVERY_S) this.#keepPlace(video.currentTime); });
    video.addEventListener("pause", () => this.#keepPlace(video.currentTime));
    video.addEventListener("ended", () => this.#keepPlace(0));
  }

  /** @param {number} place */
  async #keepPlace(place) {
    this.#place = place;
    if (this.#film) await changeFilm(this.#film, { place_s: place });
  }
}
