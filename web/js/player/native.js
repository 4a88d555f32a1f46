/**
 * Browsers without Media Source Extensions (iPhones before iOS 17.1) play HLS themselves: Shaka then only hands them an
 * address. They sign no request, so the address carries a ticket, and is replaced when that dies.
 */

export const HLS = "application/x-mpegurl";

/** Must the browser play by itself? */
export const playsNatively = (scope) => !scope.MediaSource && !scope.ManagedMediaSource;

/** Milliseconds after which to take a new address: a minute before the old one dies. */
export const replaceAfter = (expiresAt, now) => Math.max(5000, Date.parse(expiresAt) - now - 60_000);

const MOST_ATTEMPTS = 3;
const AGAIN_MS = 5000;

/** Keeps a player that plays by itself in addresses that live. */
export class Native {
  #replace;
  #later;
  #cancel;
  #timer;
  #attempts = 0;

  /**
   * `replace({ failed })` opens the film anew at the place where it is, `failed` if the player has given up; the other
   * two are those of a window.
   */
  constructor(replace, { later = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) } = {}) {
    this.#replace = replace;
    this.#later = later;
    this.#cancel = cancel;
  }

  /** An address plays from now on that expires then. */
  follow(expiresAt, now = Date.now()) {
    this.#cancel(this.#timer);
    this.#timer = this.#later(() => this.#replace(), replaceAfter(expiresAt, now));
  }

  /** Replace the address again soon: there was no connection to ask for one. */
  again() {
    this.#cancel(this.#timer);
    this.#timer = this.#later(() => this.#replace(), AGAIN_MS);
  }

  /** The picture moves: what was is forgotten. */
  moves() {
    this.#attempts = 0;
  }

  /** The player has given up, which is all it tells of a refused key; true if a new address is tried. */
  recovers() {
    this.#cancel(this.#timer);
    if (this.#attempts >= MOST_ATTEMPTS) return false;
    this.#attempts += 1;
    this.#replace({ failed: true });
    return true;
  }
}
