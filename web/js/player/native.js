/**
 * Browsers without Media Source Extensions (iPhones before iOS 17.1) play HLS natively: Shaka only passes them an
 * address. They do not sign requests, so the address contains a signed token and is replaced before the token expires.
 */

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

const MOST_ATTEMPTS = 3;
const AGAIN_MS = 5000;

/** Supplies a native HLS player with valid addresses. */
export class Native {
  #replace;
  #later;
  #cancel;
  /** @type {any} */
  #timer;
  #attempts = 0;

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

  /** Try to replace the address again soon, because there was no connection to request one. */
  again() {
    this.#schedule(AGAIN_MS);
  }

  /** Reset the count of failures, because the film plays. */
  moves() {
    this.#attempts = 0;
  }

  /**
   * Handle the failure of the player, which is the only sign of an expired address; return whether a new address is
   * tried.
   */
  recovers() {
    this.#cancel(this.#timer);
    if (this.#attempts >= MOST_ATTEMPTS) return false;
    this.#attempts += 1;
    this.#replace({ failed: true });
    return true;
  }

  /** @param {number} ms */
  #schedule(ms) {
    this.#cancel(this.#timer);
    this.#timer = this.#later(() => this.#replace(), ms);
  }
}
