/** What is loaded beside a film: subtitles, thumbnails and chapters. The film plays without what cannot be loaded. */
import { addExtras, chaptersOf } from "./engine.js";

/** @import { PlaybackSession } from "../types.js" */

const AGAIN_MS = 5000;
const MOST_ATTEMPTS = 6;

export class Extras {
  #player;
  #note;
  #onAdded;
  #later;
  #native;
  #attempts = 0;
  /** @type {PlaybackSession | null} */
  #missing = null;

  /**
   * `player()` returns Shaka's player; `native`: the browser plays HLS natively and finds the subtitles in playlists.
   * `note(error)` records why something could not be loaded; `onAdded()` is called after each attempt.
   * @param {{
   *   player: () => any,
   *   native: boolean,
   *   note: (error: any) => void,
   *   onAdded: () => void,
   *   later?: (work: () => void, ms: number) => any,
   * }} parts
   */
  constructor({ player, native, note, onAdded, later = (work, ms) => setTimeout(work, ms) }) {
    this.#player = player;
    this.#native = native;
    this.#note = note;
    this.#onAdded = onAdded;
    this.#later = later;
    /** Shaka's track of the thumbnails. @type {any} */
    this.thumbnails = null;
    /** @type {import("./engine.js").Chapter[]} */
    this.chapters = [];
    /** @type {import("../types.js").SkippablePart[]} */
    this.skippable = [];
  }

  /**
   * Add what belongs to a film; what cannot be loaded is tried again, with growing delays.
   * @param {PlaybackSession} session
   */
  async add(session) {
    this.#attempts = 0;
    this.skippable = session.skippable ?? []; // downloads of earlier releases have none
    await this.#add(session);
  }

  /** Try again at once, because there is a connection again. */
  async again() {
    if (this.#missing) await this.add(this.#missing);
  }

  /** @param {PlaybackSession} session */
  async #add(session) {
    const wanted = this.#native ? { ...session, subtitles: [] } : session;
    this.#missing = null;
    const failed = (/** @type {any} */ error) => {
      this.#note(error);
      this.#missing = session;
      return null;
    };
    this.thumbnails = (await addExtras(this.#player(), wanted).catch(failed)) ?? this.thumbnails;
    this.chapters = (await chaptersOf(this.#player(), session).catch(failed)) ?? [];
    this.#onAdded();
    this.#attempts += 1;
    if (!this.#missing || this.#attempts >= MOST_ATTEMPTS) return;
    this.#later(() => { if (this.#missing === session) this.#add(session); }, AGAIN_MS * 2 ** (this.#attempts - 1));
  }
}
