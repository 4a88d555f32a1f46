/** The player's messages: short notices over the film, and the message that replaces the film if it cannot continue. */
import { backoff, isTemporary, RequestError } from "../net.js";
import { say } from "../dom.js";
import { StreamList } from "../streams.js";
import { t } from "../texts.js";

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
 * @property {boolean} [lapsed] set by the page: the film was playing when access ended
 */
/**
 * @typedef {object} Message
 * @property {string} heading
 * @property {string} text
 * @property {boolean} again whether trying again can help
 * @property {string} [retry] the text of the button that tries again
 * @property {boolean} [plans] whether to offer the plans
 * @property {boolean} [settle] whether to offer the subscription's page
 * @property {boolean} [login] whether to offer the login
 * @property {boolean} [streams] whether to list the devices that watch
 */

/**
 * The notices during network failures; the film plays as far as it is loaded.
 * @type {Record<string, string>}
 */
export const TROUBLES = { offline: t("player.offline_film_continues_when"), failing: t("player.connection_trouble_trying_again") };

/**
 * Return the message for a film that cannot be played: a heading, advice, and whether trying again can help.
 * @param {PlaybackError} error
 * @returns {Message}
 */
export function problemFor(error) {
  if (error.code === "too_many_streams") return { heading: t("player.too_many_devices_watching"), text: t("player.account_has_reached_its"), again: true, streams: true };
  if (error.code === "stream_stopped") return { heading: t("player.playback_was_stopped"), text: `${error.message} ${t("player.continue_there")}`, again: true, retry: t("player.watch_here") };
  if (error.suspended) return { heading: t("player.last_payment_failed"), text: t("player.settle_with_paypal_watch"), again: false, settle: true };
  if (error.code === "age_limited") return { heading: t("title.not_for_profile"), text: t("player.switch_profile"), again: false };
  if (error.status === 402 && error.lapsed) return { heading: t("player.access_ended"), text: t("player.subscribe_continue_where_stopped"), again: false, plans: true };
  if (error.status === 402) return { heading: t("player.subscribe_watch_film"), text: t("player.subscription_includes_every_film"), again: false, plans: true };
  if (error.code === "licence_expired") return { heading: t("player.download_has_expired"), text: t("player.connect_internet_and_log"), again: true };
  if (error.code === "not_downloaded") return { heading: t("player.film_not_downloaded"), text: t("player.download_on_its_page"), again: false };
  if (error.status === 401) return { heading: t("player.session_ended"), text: t("player.log_in_continue_where_stopped"), again: false, login: true };
  if (error.status === 404) return { heading: t("common.film_not_available"), text: t("common.may_have_been_removed"), again: false };
  if (error.code === "announced") return { heading: t("player.film_coming_soon"), text: t("player.can_watch_here_when"), again: false };
  if (error.code === "encode_failed") return { heading: t("player.film_not_ready_watch"), text: t("player.could_not_prepare_please"), again: true };
  if (error.code === "encode_stopped") return { heading: t("player.rest_film_not_ready"), text: t("player.could_not_prepare_please"), again: true };
  if (error.message === "unsupported") return { heading: t("common.browser_cannot_play_film"), text: t("player.use_current_version_chrome"), again: false };
  if (isUnreachable(error)) return { heading: t("player.there_no_connection"), text: t("player.check_network_film_continues"), again: true };
  return { heading: t("player.film_stopped"), text: t("player.something_went_wrong_try"), again: true };
}

/**
 * Return the notice shown over a film that keeps playing for a while after the API has refused to let it continue.
 * `leftMs` is how long the film may still be fetched; 0 if only the loaded part can be played.
 * @param {PlaybackError} error
 * @param {number} leftMs
 */
export function endingFor(error, leftMs) {
  const minutes = Math.floor(leftMs / 60_000);
  const rest = minutes >= 1 ? t("player.minutes_left", { count: minutes }) : t("player.loaded_part");
  if (error.suspended) return `${t("player.last_payment_failed")} ${rest}`;
  if (error.status === 402) return `${t("player.access_ended")} ${rest}`;
  if (error.status === 401) return `${t("player.session_ended")} ${rest} ${t("player.log_in_other_tab")}`;
  if (error.status === 404) return `${t("player.just_removed")} ${t("player.loaded_part")}`;
  return `${problemFor(error).heading} ${rest}`;
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
  #streams;
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
    const onTrouble = (/** @type {string} */ text) => { if (text) at["problem-text"].textContent = text; };
    this.#streams = new StreamList(at["problem-streams"], { onStopped: load, onTrouble });
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
    const { heading, text, again, retry = t("common.try_again"), plans, settle, login, streams } = problemFor(error);
    at["problem-heading"].textContent = heading;
    at["problem-text"].textContent = text;
    at["retry-label"].textContent = retry;
    at.retry.hidden = !again;
    at.plans.hidden = !plans;
    at.settle.hidden = !settle;
    at.login.hidden = !login;
    at["problem-streams"].hidden = !streams;
    at["problem-streams"].replaceChildren();
    if (streams) this.#streams.load();
    at.problem.hidden = false;
    (plans ? at.plans : settle ? at.settle : login ? at.login : again ? at.retry : at.leave).focus();
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
