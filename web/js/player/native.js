/**
 * Browsers without Media Source Extensions (iPhones before iOS 17.1) play HLS natively: Shaka only passes them an
 * address. They do not sign requests, so the address contains a signed token and is replaced before the token expires.
 */

import { api } from "../net.js";

/** @import { PlaybackSession } from "../types.js" */

export const HLS = "application/x-mpegurl";

/**
 * Return whether the browser must play HLS natively.
 * @param {object} scope
 */
export const playsNatively = (scope) => !("MediaSource" in scope) && !("ManagedMediaSource" in scope);

/**
 * Return the milliseconds until the address must be replaced: one minute before it expires.
 * @param {string} expiresAt
 * @param {number} now
 */
export const replaceAfter = (expiresAt, now) => Math.max(5000, new Date(expiresAt).getTime() - now - 60_000);

/**
 * Return the arguments for the player's `load`: an address, and its media type if the player cannot detect it.
 * @param {Pick<PlaybackSession, "hls_ticket_url" | "hls_url" | "manifest_url" | "clear_keys">} session
 * @param {{ native: boolean, hls: boolean }} how `native`: the browser plays HLS itself; `hls`: Shaka plays HLS, unless
 *   the film is encrypted, because HLS does not state the id of its key
 */
export function sourceOf(session, { native, hls }) {
  if (native) return { address: api(session.hls_ticket_url), kind: HLS };
  return { address: hls && !session.clear_keys ? session.hls_url : session.manifest_url, kind: undefined };
}

/** The failures of the player in a row after which the film stops. */
const MOST_FAILURES = 4;
const AGAIN_MS = 5000;

/** Supplies a native HLS player with valid addresses. */
export class Native {
  #replace;
  #later;
  #cancel;
  /** @type {any} */
  #timer;
  #failures = 0;

  /**
   * `replace({ failed })` opens the film again at its current position; `failed` is true if the player has given up.
   * `later` and `cancel` set and clear a timer, by default with the window's functions.
   * @param {(how?: { failed?: boolean }) => unknown} replace
   * @param {{ later?: (work: () => void, ms: number) => any, cancel?: (timer: any) => void }} clock
   */
  constructor(replace, { later = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) } = {}) {
    this.#replace = replace;
    this.#later = later;
    this.#cancel = cancel;
  }

  /**
   * Schedule the replacement of a new address, which expires at `expiresAt`.
   * @param {string} expiresAt
   */
  follow(expiresAt, now = Date.now()) {
    this.#schedule(replaceAfter(expiresAt, now));
  }

  /** Schedule another attempt to replace the address, because the last one found no connection. */
  again() {
    this.#schedule(AGAIN_MS);
  }

  /** Reset the count of failures, because the film plays. */
  moves() {
    this.#failures = 0;
  }

  /**
   * Count a failure of the player; return whether it may pass. The player does not say why it failed: the address may
   * have expired, the connection may be lost, or the browser cannot play the film.
   */
  mayPass() {
    this.#failures += 1;
    return this.#failures < MOST_FAILURES;
  }

  /** Handle a failure of the player while the film plays; return whether a new address is tried. */
  recovers() {
    this.#cancel(this.#timer);
    if (!this.mayPass()) return false;
    this.#replace({ failed: true });
    return true;
  }

  /** @param {number} ms */
  #schedule(ms) {
    this.#cancel(this.#timer);
    this.#timer = this.#later(() => this.#replace(), ms);
  }
}
