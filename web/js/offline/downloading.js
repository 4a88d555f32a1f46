/**
 * Downloads a film while this page is open. Files that are stored stay stored, so a download that was interrupted in
 * any way continues with the missing files. A Web Lock shows whether a page is downloading a film at the moment, and
 * the browser releases it when it closes the page for any reason.
 */
import { authorized, openChannel, session as account } from "../account/session.js";
import { api, ask, backoff, isTemporary, orElse, persist, RequestError } from "../net.js";
import { Session } from "../player/session.js";
import { cacheName } from "./caches.js";
import { addFilm, cacheOf, changeFilm, estimateSpace, fileFrom, filesOfFilm, isThere, readFilm, storedBytes } from "./films.js";
import { picturesOf, reduced, sizeOf } from "./manifest.js";
import { fetchFile } from "./file.js";
import { keepPlayer } from "./register.js";
import { bytesText } from "../text.js";
import { t } from "../texts.js";

/** @import { PlaybackSession, StoredFilm, Title } from "../types.js" */
/** @typedef {{ title_id: string, percent: number, waits: boolean }} Progress `waits`: there is no connection */

const AT_ONCE = 4;
const MOST_RENEWALS = 3;
const CHANNEL = "notflix.downloads";

/** A download cannot continue; the message is a sentence for the viewer. */
export class DownloadFailure extends Error {}

/**
 * Return whether a page downloads a film at the moment.
 * @param {StoredFilm} film
 */
export const isRunning = async (film) => Boolean((await navigator.locks.query()).held?.some(({ name, mode }) => name === cacheOf(film) && mode === "exclusive"));

/**
 * Wait until no page downloads a film, whether its download has succeeded, failed, or ended with its page.
 * @param {string} userId
 * @param {string} titleId
 */
export const endOfDownload = (userId, titleId) => navigator.locks.request(cacheName(userId, titleId), { mode: "shared" }, () => {});

/**
 * Call `listener` with the progress of downloads in other pages.
 * @param {(progress: Progress) => void} listener
 */
export function onProgressElsewhere(listener) {
  openChannel(CHANNEL, listener);
}

/**
 * Raise DownloadFailure if a film does not fit on this device.
 * @param {number} size
 * @param {{ quota?: number, usage?: number }} estimate
 */
export function requireSpace(size, { quota = Infinity, usage = 0 }) {
  const free = Math.max(0, quota - usage);
  if (size > free) throw new DownloadFailure(t("downloading.no_space_for", { needed: bytesText(size), free: bytesText(free) }));
}

export class Download {
  #titleId;
  #onProgress;
  #controller = new AbortController();
  #channel = openChannel(CHANNEL);
  #session = new Session(() => persist(() => this.#open()));
  #waits = false;
  #percent = 0;

  /**
   * @param {string} titleId
   * @param {(progress: Progress) => void} onProgress
   */
  constructor(titleId, onProgress) {
    this.#titleId = titleId;
    this.#onProgress = onProgress;
  }

  /** Stop, and delete what is stored. */
  cancel() {
    this.#controller.abort();
  }

  /**
   * Download the film, or what is missing of it; return it, or null if it was cancelled or deleted meanwhile. Raises
   * RequestError or DownloadFailure.
   * @returns {Promise<StoredFilm | null>}
   */
  async run() {
    const userId = account()?.user_id;
    if (!userId) throw new DownloadFailure(t("downloading.log_in_download_films"));
    const leave = () => this.#leave();
    window.addEventListener("pagehide", leave);
    try {
      return await navigator.locks.request(cacheName(userId, this.#titleId), { ifAvailable: true }, (lock) => {
        if (!lock) throw new DownloadFailure(t("downloading.film_already_being_downloaded"));
        return this.#store(userId);
      });
    } catch (error) {
      if (this.#controller.signal.aborted) {
        await caches.delete(cacheName(userId, this.#titleId));
        return null;
      }
      if (error instanceof DOMException && error.name === "QuotaExceededError") throw new DownloadFailure(t("downloading.there_not_enough_space"));
      throw error;
    } finally {
      window.removeEventListener("pagehide", leave);
      this.#leave();
      this.#channel.close();
    }
  }

  /** @returns {Promise<PlaybackSession>} */
  #open() {
    const body = { download: true, stream_ticket: this.#session.data?.stream_ticket };
    return authorized(`titles/${encodeURIComponent(this.#titleId)}/playback`, { method: "POST", body, leave: false });
  }

  /** Give up the place among the devices of the account; only a download that runs has one. */
  #leave() {
    const ticket = this.#session.data?.stream_ticket;
    if (ticket) navigator.sendBeacon(api("streams/left"), JSON.stringify({ stream_ticket: ticket }));
  }

  /** @param {string} userId */
  async #store(userId) {
    this.#tell(0);
    const opened = await this.#session.renew();
    const before = await readFilm(this.#titleId, userId);
    const isSame = before?.session.manifest_url === opened.manifest_url; // otherwise the film was encoded again
    const film = before && isSame ? await this.#renewed(before, opened) : await this.#begin(userId, opened);
    if (!film) return null;
    if (!(await keepPlayer())) throw new DownloadFailure(t("downloading.player_could_not_be"));
    const { all, missing } = await filesOfFilm(film);
    const cache = await caches.open(cacheOf(film));
    let done = all.length - missing.length;
    const work = async () => {
      for (let address = missing.shift(); address !== undefined; address = missing.shift()) {
        const content = await this.#file(address);
        if (!(await isThere(film))) this.cancel(); // deleted on another page
        this.#controller.signal.throwIfAborted();
        await cache.put(address, fileFrom(content));
        done += 1;
        this.#tell(Math.floor((100 * done) / all.length));
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      missing.length = 0; // if one fails, the others end
    }
    const whole = await changeFilm(film, { whole: true, bytes: await storedBytes(film) });
    this.#tell(100);
    return whole;
  }

  /**
   * @param {StoredFilm} film
   * @param {PlaybackSession} opened
   */
  #renewed(film, { licence_until }) {
    return changeFilm(film, { licence_until: licence_until ?? film.licence_until, seen_at: new Date().toISOString() });
  }

  /**
   * Store the record of a film, its manifest and its picture.
   * @param {string} userId
   * @param {PlaybackSession} opened
   */
  async #begin(userId, opened) {
    const manifest = await (await this.#file(opened.manifest_url)).text();
    const showsHdr = matchMedia("(dynamic-range: high)").matches;
    const kept = reduced(manifest, (mime) => MediaSource.isTypeSupported(mime), showsHdr);
    if (!kept) throw new DownloadFailure(t("common.browser_cannot_play_film"));
    const bytes = sizeOf(kept.bandwidth, opened.duration_s ?? 0);
    requireSpace(bytes, await estimateSpace());
    await navigator.storage?.persist(); // if the browser refuses, it may delete films when the device is full
    /** @type {Title | null} */
    const title = await orElse(ask(`/catalogue/titles/${encodeURIComponent(this.#titleId)}.json`), null);
    const card = title?.artwork?.card ?? null;
    const now = new Date().toISOString();
    /** @type {StoredFilm} */
    const film = {
      user_id: userId,
      title_id: this.#titleId,
      name: opened.name,
      rated: title?.rated ?? null,
      card,
      height: kept.height,
      bytes,
      whole: false,
      stored_at: now,
      licence_until: opened.licence_until ?? now,
      seen_at: now,
      place_s: 0,
      session: { ...opened, sas: "", hls_ticket_url: "", usage_ticket: null, stream_ticket: "" },
    };
    const { first, files } = await this.#extras(opened, card);
    const folder = (/** @type {string} */ name) => new URL(name, opened.manifest_url).href;
    const all = [...new Set([...kept.names.map(folder), ...files])];
    const mpd = fileFrom(new Blob([kept.manifest], { type: "application/dash+xml" }));
    await addFilm(film, all, [[opened.manifest_url, mpd], ...first]);
    return film;
  }

  /**
   * Return what belongs to a film besides its tracks: its picture, thumbnails, chapters and subtitles.
   * @param {PlaybackSession} opened
   * @param {string | null} card
   */
  async #extras({ thumbnails_url: thumbnails, chapters_url: chapters = null, subtitles = [] }, card) {
    /** @type {[string, Response][]} */
    const first = [];
    const files = [...(chapters ? [chapters] : []), ...subtitles.map(({ url }) => url)];
    if (thumbnails) {
      const vtt = await this.#file(thumbnails);
      first.push([thumbnails, fileFrom(vtt)]);
      files.push(...picturesOf(await vtt.text()).map((name) => new URL(name, thumbnails).href));
    }
    if (card) {
      const picture = await orElse(ask(`/${card}`, { asFile: true }), null);
      if (picture) first.push([new URL(`/${card}`, location.origin).href, fileFrom(picture)]);
    }
    return { first, files };
  }

  /**
   * Return a file of the film; wait as long as there is no connection.
   * @param {string} address without a key
   * @returns {Promise<Blob>}
   */
  async #file(address) {
    let refusals = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (refusals) await this.#session.renew();
        const content = await fetchFile(await this.#session.signed(address), { signal: this.#controller.signal });
        this.#tell(this.#percent, false);
        return content;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.status === 403 && error.code === "unexpected" && refusals < MOST_RENEWALS) refusals += 1; // by storage
        else if (!isTemporary(error)) throw error;
        else this.#tell(this.#percent, true);
        await this.#pause(backoff(attempt));
      }
    }
  }

  /**
   * Wait, until the browser is online again at most.
   * @param {number} ms
   */
  async #pause(ms) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const end = () => { clearTimeout(timer); resolve(null); };
      window.addEventListener("online", end, { once: true, signal: this.#controller.signal });
      this.#controller.signal.addEventListener("abort", end, { once: true });
    });
    this.#controller.signal.throwIfAborted();
  }

  /** @param {number} percent */
  #tell(percent, waits = this.#waits) {
    this.#percent = percent;
    this.#waits = waits;
    const progress = { title_id: this.#titleId, percent, waits };
    this.#onProgress(progress);
    this.#channel.postMessage(progress);
  }
}
