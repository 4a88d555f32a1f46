/** The player's messages: short notices over the film, and the message that replaces the film if it cannot continue. */
import { backoff, isTemporary, RequestError } from "../net.js";
import { say } from "../dom.js";

const NOTICE_MS = 4000;
const AUTOMATIC_RETRY_MS = 3000;

/** @import { Hooks } from "../types.js" */
/**
 * @typedef {object} PlaybackError an error of the API or of the player
 * @property {number} [status]
 * @property {number | string} [code]
 * @property {string} [message]
 * @property {boolean} [unreachable] set by the page: storage did not respond but may respond later
 * @property {boolean} [suspended] set by the page: the viewer may not watch because a payment failed
 */
/** @typedef {{ heading: string, text: string, again: boolean, plans?: boolean, settle?: boolean }} Message */

/**
 * The notices during network failures; the film plays on as far as it is loaded.
 * @type {Record<string, string>}
 */
export const TROUBLES = { offline: "You are offline. The film continues when you are back online.", failing: "Connection trouble. Trying again…" };

/**
 * Return the message for a film that cannot be played: a heading, advice, and whether trying again can help.
 * @param {PlaybackError} error
 * @returns {Message}
 */
export function problemFor(error) {
  if (error.suspended) return { heading: "Your last payment failed.", text: "Settle it at PayPal and you can watch again.", again: false, settle: true };
  if (error.status === 402) return { heading: "Subscribe to watch this film.", text: "A subscription includes every film. Cancel any time.", again: false, plans: true };
  if (error.status === 404) return { heading: "This film is not available.", text: "It may have been removed. Find something else on the home page.", again: false };
  if (error.code === "announced") return { heading: "This film is coming soon.", text: "You can watch it here when it is released.", again: false };
  if (error.code === "encode_failed") return { heading: "This film is not ready to watch.", text: "We could not prepare it. Please try again later.", again: true };
  if (error.code === "encode_stopped") return { heading: "The rest of this film is not ready yet.", text: "We could not prepare it. Please try again later.", again: true };
  if (error.message === "unsupported") return { heading: "This browser cannot play the film.", text: "Use a current version of Chrome, Edge, Firefox or Safari.", again: false };
  if (isUnreachable(error)) return { heading: "There is no connection.", text: "Check your network. The film continues when you are back online.", again: true };
  return { heading: "The film stopped.", text: "Something went wrong. Try again to continue where you stopped.", again: true };
}

/**
 * Return whether the error means that a server did not respond but may respond later.
 * @param {PlaybackError} error
 */
const isUnreachable = (error) => Boolean(error.unreachable) || (error instanceof RequestError && error.status === 0);

/** Notices over the film: temporary ones, and lasting ones that are shown while a condition holds. */
export class Notices {
  #node;
  #lasting = { end: "", trouble: "", encode: "" };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} node */
  constructor(node) {
    this.#node = node;
  }

  /**
   * Show a notice for a short time.
   * @param {string} text
   */
  notice(text) {
    clearTimeout(this.#timer);
    say(this.#node, text);
    this.#timer = setTimeout(() => this.tell({}), NOTICE_MS);
  }

  /**
   * Change the lasting notices: why the film will end, and what is wrong with the network or the encode.
   * @param {{ end?: string, trouble?: string, encode?: string }} lasting
   */
  tell(lasting) {
    clearTimeout(this.#timer);
    Object.assign(this.#lasting, lasting);
    const { end, trouble, encode } = this.#lasting;
    say(this.#node, end || trouble || encode);
  }
}

/** The message in place of the film; after a connection failure, the film is opened again automatically. */
export class Problem {
  #at;
  #reachable;
  #load;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * `at` contains the hooks of the player; `reachable()` requests a session, `load()` opens the film.
   * @param {Hooks} at
   * @param {{ reachable: () => Promise<unknown>, load: () => unknown }} parts
   */
  constructor(at, { reachable, load }) {
    this.#at = at;
    this.#reachable = reachable;
    this.#load = load;
    window.addEventListener("online", () => { if (this.#timer) this.#tryAgain(); });
  }

  get shown() {
    return !this.#at.problem.hidden;
  }

  /** @param {PlaybackError} error */
  show(error) {
    const at = this.#at;
    const { heading, text, again, plans, settle } = problemFor(error);
    at["problem-heading"].textContent = heading;
    at["problem-text"].textContent = text;
    at.retry.hidden = !again;
    at.plans.hidden = !plans;
    at.settle.hidden = !settle;
    at.problem.hidden = false;
    (plans ? at.plans : settle ? at.settle : again ? at.retry : at.leave).focus();
    this.#clear();
    if (error.unreachable || isTemporary(error)) this.#schedule();
  }

  hide() {
    this.#clear();
    this.#at.problem.hidden = true;
  }

  /** Reset the count of failures, because the film plays. */
  forget() {
    this.#attempts = 0;
  }

  #schedule() {
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#tryAgain(), AUTOMATIC_RETRY_MS + backoff(this.#attempts));
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Test the connection while the message stays visible, so that it does not flicker. */
  async #tryAgain() {
    this.#clear();
    try {
      await this.#reachable();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (!this.shown) return;
      if (isTemporary(error)) this.#schedule();
      else this.show(error);
      return;
    }
    if (this.shown) this.#load();
  }
}
