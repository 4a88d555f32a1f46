/** The system's media controls (Media Session): on the lock screen, on keyboards and headsets. */

/** @import { Artwork } from "../types.js" */

const SKIP_S = 10;
/** @type {[keyof Artwork, string][]} the pictures and their sizes, as the catalogue stores them */
const PICTURES = [["backdrop", "1920x1080"], ["card", "480x270"], ["poster", "400x600"]];

/**
 * Return the title's pictures in the form of `MediaMetadata`.
 * @param {Artwork | null | undefined} artwork
 * @returns {MediaImage[]}
 */
export const imagesOf = (artwork) => PICTURES.flatMap(([slot, sizes]) => (artwork?.[slot] ? [{ src: `/${artwork[slot]}`, sizes, type: "image/jpeg" }] : []));

/**
 * Return the position for the system's media controls, which advance it while the film plays; null if it is unknown.
 * @param {{ duration: number, time: number, rate: number }} film
 * @returns {MediaPositionState | null}
 */
export function positionOf({ duration, time, rate }) {
  if (!Number.isFinite(duration) || duration <= 0) return null;
  return { duration, position: Math.min(Math.max(0, time), duration), playbackRate: rate || 1 };
}

export class SystemControls {
  #session;

  /** @param {MediaSession | undefined} session */
  constructor(session = globalThis.navigator?.mediaSession) {
    this.#session = session;
  }

  /**
   * Show the name and the pictures of the film.
   * @param {string} name
   * @param {Artwork | null | undefined} artwork
   */
  describe(name, artwork) {
    if (this.#session) this.#session.metadata = new MediaMetadata({ title: name, artist: "Notflix", artwork: imagesOf(artwork) });
  }

  /**
   * Let the system play, pause and seek the film, and follow its state; while `isCovered()`, because a message has taken
   * the place of the film, it does nothing.
   * @param {HTMLVideoElement} video
   * @param {{ seek: (time: number) => void, facts: () => { time: number, duration: number }, isCovered: () => boolean }} film
   */
  bind(video, { seek, facts, isCovered }) {
    const session = this.#session;
    if (!session) return;
    const by = (/** @type {number} */ seconds) => seek(facts().time + seconds);
    const handle = (/** @type {MediaSessionAction} */ action, /** @type {MediaSessionActionHandler} */ handler) =>
      this.#handle(action, (details) => { if (!isCovered()) handler(details); });
    handle("play", () => { video.play(); });
    handle("pause", () => video.pause());
    handle("stop", () => video.pause());
    handle("seekbackward", ({ seekOffset }) => by(-(seekOffset ?? SKIP_S)));
    handle("seekforward", ({ seekOffset }) => by(seekOffset ?? SKIP_S));
    handle("seekto", ({ seekTime }) => { if (seekTime !== undefined) seek(seekTime); });
    handle("previoustrack", () => seek(0));
    const tell = () => {
      session.playbackState = video.paused ? "paused" : "playing";
      const { duration, time } = facts();
      const position = positionOf({ duration, time, rate: video.playbackRate });
      if (position) session.setPositionState?.(position);
    };
    for (const name of ["play", "pause", "seeked", "ratechange", "durationchange", "playing", "ended"]) video.addEventListener(name, tell);
  }

  /**
   * Let the system open the next episode.
   * @param {() => void} open
   */
  offerNext(open) {
    this.#handle("nexttrack", open);
  }

  /**
   * @param {MediaSessionAction} action
   * @param {MediaSessionActionHandler} handler
   */
  #handle(action, handler) {
    try {
      this.#session?.setActionHandler(action, handler);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // this browser does not know the action
    }
  }
}
