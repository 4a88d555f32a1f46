/**
 * Browsers without Media Source Extensions (iPhones before iOS 17.1) play HLS themselves: Shaka then only hands them an
 * address. They sign no request, so the address carries a signed token, and is replaced before that expires.
 */

export const HLS = "application/x-mpegurl";

/**
 * Must the browser play HLS itself?
 * @param {object} scope
 */
export const playsNatively = (scope) => !("MediaSource" in scope) && !("ManagedMediaSource" in scope);

/**
 * Return the milliseconds after which to take a new address: a minute before the old one expires.
 * @param {string} expiresAt
 * @param {number} now
 */
export const replaceAfter = (expiresAt, now) => Math.max(5000, new Date(expiresAt).getTime() - now - 60_000);

const MOST_ATTEMPTS = 3;
const AGAIN_MS = 5000;

/** Keeps a player that plays HLS itself supplied with valid addresses. */
export class Native {
  #replace;
  #later;
  #cancel;
  /** @type {any} */
  #timer;
  #attempts = 0;

  /**
   * `replace({ failed })` opens the film again at the place where it is, `failed` if the player has given up; the other
   * two are those of a window.
   * @param {(how?: { failed?: boolean }) => unknown} replace
   * @param {{ later?: (work: () => void, ms: number) => any, cancel?: (timer: any) => void }} clock
   */
  constructor(replace, { later = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) } = {}) {
    this.#replace = replace;
    this.#later = later;
    this.#cancel = cancel;
  }

  /**
   * An address plays from now on that expires then.
   * @param {string} expiresAt
   */
  follow(expiresAt, now = Date.now()) {
    this.#schedule(replaceAfter(expiresAt, now));
  }

  /** Replace the address again soon: there was no connection to ask for one. */
  again() {
    this.#schedule(AGAIN_MS);
  }

  /** The film plays: forget earlier failures. */
  moves() {
    this.#attempts = 0;
  }

  /** The player has given up, the only sign of an expired address; return whether a new one is tried. */
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
