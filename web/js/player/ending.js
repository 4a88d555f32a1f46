/** How a film ends before its end: if the API refuses to let it continue, it plays as far as it may be fetched. */
import { isSuspended } from "../billing/access.js";
import { endingFor } from "./messages.js";
import { explained } from "./recovery.js";
import { bufferedEnd } from "./timeline.js";

/** @import { Notices } from "./messages.js" */

const LEAST_BUFFER_S = 1;

export class Ending {
  #video;
  #notices;
  #fail;

  /**
   * `fail(error)` shows the error in place of the film.
   * @param {{ video: HTMLVideoElement, notices: Notices, fail: (error: any) => unknown }} parts
   */
  constructor({ video, notices, fail }) {
    this.#video = video;
    this.#notices = notices;
    this.#fail = fail;
    /** Why the film ends after the loaded part; null if it continues. @type {any} */
    this.reason = null;
  }

  /** Why the film ends now; null if it continues, or if a loaded part is left, which a busy device may play haltingly. */
  get due() {
    return this.#isPlayedOut() ? this.reason : null;
  }

  #isPlayedOut() {
    const { buffered, currentTime } = this.#video;
    return bufferedEnd(buffered, currentTime) - currentTime < LEAST_BUFFER_S;
  }

  /** Forget why the film would end, because it is opened again or shows an error. */
  reset() {
    this.reason = null;
    this.#notices.tell({ end: "", encode: "" });
  }

  /**
   * Handle the refusal of a new SAS: the film plays until the old one expires, unless another device has stopped it.
   * `error` is null once a SAS is granted again.
   * @param {any} error
   * @param {number} leftMs
   */
  refused(error, leftMs) {
    if (error?.code === "stream_stopped") this.#fail(error);
    else if (error) this.#announce(error, leftMs);
    else this.#notices.tell({ end: "" });
  }

  /**
   * Play the rest of the buffer while showing why the film cannot continue, then stop.
   * @param {any} error
   */
  afterBuffer(error) {
    if (this.reason) return;
    if (error.code === "stream_stopped" || this.#isPlayedOut()) {
      this.#fail(error);
      return;
    }
    this.reason = error;
    this.#announce(error, 0);
  }

  /**
   * Show why the film will stop, and when.
   * @param {any} error
   * @param {number} leftMs
   */
  async #announce(error, leftMs) {
    if (error.status === 402) error.suspended = await isSuspended();
    this.#notices.tell({ end: endingFor(explained(error, window.shaka), leftMs) });
  }
}
