/** A playback session: the film's addresses and their SAS, which is renewed long before it expires. */
import { ask, isTemporary, persist, RequestError } from "../net.js";

/** @import { PlaybackSession } from "../types.js" */

const AGAIN_MS = 5000;
const REFUSED_AGAIN_MS = 30_000;
const RENEW_AFTER_MS = 2 * 60_000;
/** A SAS that is valid for longer than this is used without waiting for the next one. */
const ENOUGH_MS = 60_000;

/**
 * Return `uri` with the SAS in its query; unchanged if it has another origin or needs no request (`data:`).
 * @param {string} uri
 * @param {string} sas
 * @param {string} origin
 */
export function sign(uri, sas, origin) {
  if (!URL.canParse(uri)) return uri;
  const address = new URL(uri);
  if (address.origin !== origin || address.searchParams.has("sig")) return uri;
  const [place, fragment] = uri.split(/(?=#)/); // the fragment after "#" selects a part of a thumbnail sheet
  return `${place}${address.search ? "&" : "?"}${sas.replace(/^\?/, "")}${fragment ?? ""}`;
}

/**
 * Return the milliseconds until a new SAS is requested: three quarters of its lifetime, at most two minutes. The limit
 * makes sure that the viewer soon learns that access has ended or that another device has stopped this one. It also
 * keeps a film playing on a computer whose clock is hours slow.
 * @param {string} expiresAt
 * @param {number} now
 */
export function renewAfter(expiresAt, now) {
  const left = new Date(expiresAt).getTime() - now;
  return Math.min(RENEW_AFTER_MS, Math.max(5000, left * 0.75));
}

export class Session {
  #open;
  #ticks;
  #now;
  #onRefused;
  #due = 0;
  #refused = false;
  /** @type {Promise<PlaybackSession> | null} */
  #pending = null;
  /** @type {Promise<PlaybackSession> | null} */
  #trying = null;

  /**
   * `open()` requests a session from the API; `ticks` is a monotonic clock in milliseconds. `onRefused(error, leftMs)`
   * is called if the API refuses a new SAS while the old one is valid for `leftMs` more, and with null if the API grants
   * one again.
   * @param {() => Promise<PlaybackSession>} open
   * @param {{ ticks?: () => number, now?: () => number, onRefused?: (error: RequestError | null, leftMs: number) => void }} parts
   */
  constructor(open, { ticks = () => performance.now(), now = Date.now, onRefused = () => {} } = {}) {
    this.#open = open;
    this.#ticks = ticks;
    this.#now = now;
    this.#onRefused = onRefused;
    /** @type {PlaybackSession | null} */
    this.data = null;
    this.isStored = false;
  }

  /** Request a session now; concurrent calls share the response. */
  renew() {
    this.#pending ??= this.#open()
      .then((data) => {
        this.data = data;
        this.#due = this.#ticks() + renewAfter(data.expires_at, this.#now());
        if (this.#refused) this.#onRefused(null, 0);
        this.#refused = false;
        return data;
      })
      .finally(() => { this.#pending = null; });
    return this.#pending;
  }

  /**
   * Return `uri` signed with a valid SAS. The old SAS is used as long as it is valid for a while: a film must not wait
   * for an API that does not answer.
   * @param {string} uri
   */
  async signed(uri) {
    const data = await this.#usable();
    return sign(uri, data.sas, new URL(data.manifest_url).origin);
  }

  /**
   * Return an address that can be shown as a picture.
   * @param {string} uri
   */
  picture(uri) {
    return this.signed(uri);
  }

  /**
   * Return a text file of the film. Raises RequestError.
   * @param {string} uri
   * @returns {Promise<string>}
   */
  text(uri) {
    return persist(async () => (await ask(await this.signed(uri), { asFile: true })).text());
  }

  /** @returns {Promise<PlaybackSession>} */
  async #usable() {
    const { data } = this;
    if (!data) return this.renew();
    if (this.#ticks() < this.#due) return data;
    this.#trying ??= this.#renewOrKeep(data).finally(() => { this.#trying = null; });
    if (this.#leftOf(data) <= ENOUGH_MS) return this.#trying;
    this.#trying.catch(() => {}); // whoever needs a SAS once this one has expired requests another
    return data;
  }

  /** @param {PlaybackSession} data */
  #leftOf({ expires_at: expiresAt }) {
    return new Date(expiresAt).getTime() - this.#now();
  }

  /**
   * Renew the SAS; if that fails, return the old one while it lasts.
   * @param {PlaybackSession} data
   */
  async #renewOrKeep(data) {
    try {
      return await this.renew();
    } catch (error) {
      const left = this.#leftOf(data);
      if (left <= 0) throw error;
      this.#due = this.#ticks() + AGAIN_MS;
      if (error instanceof RequestError && !isTemporary(error)) {
        this.#due = this.#ticks() + REFUSED_AGAIN_MS;
        this.#refused = true;
        this.#onRefused(error, left);
      }
      return data;
    }
  }
}
