/**
 * The parts of a film that can be watched while the film is encoded: one from its start, and others from positions to
 * which viewers went. A player that waits for a position asks for it repeatedly, and the encoder takes it next. A player
 * that comes near the end of its part asks for what follows.
 */
import { api, ask, isTemporary, orElse, pause, repeat, RequestError } from "../net.js";
import { POLL_MS } from "./encode.js";
import { startTime } from "./engine.js";

/** @import { FilmPart, PlaybackSession } from "../types.js" */
/** @import { Stream } from "./stream.js" */

const FRONT_MARGIN_S = 1;
const LAST_S = 2;
/** A part that ends so far before the position that plays is no longer listed: it is damaged, and encoded again. */
const WITHDRAWN_S = 15;
/** What follows is requested if less than this is left of a part; it is more than a chunk of the film. */
const AHEAD_S = 45;

/**
 * Return the part with a position; if there are several, the one that ends last; null if there is none.
 * @param {FilmPart[]} parts
 * @param {number} time in seconds
 */
export function partAt(parts, time) {
  const found = parts.filter(({ from_s: from, until_s: until }) => from <= time && time < until);
  return found.sort((one, other) => other.until_s - one.until_s)[0] ?? null;
}

/**
 * Return the position for which a player must ask while it plays: the end of its part if that is near and not the end of
 * the film, otherwise its own position; null if it need not ask, because the film's state says how far it is encoded.
 * @param {{ time: number, front: number, duration: number, begin: number }} facts in seconds
 */
export function questionOf({ time, front, duration, begin }) {
  if (front - time < AHEAD_S && front < duration - LAST_S) return front;
  return begin > 0 ? time : null;
}

/**
 * Return a function that asks the API for the parts of a film, and has a position encoded next that is in none of them.
 * @param {string} id
 * @param {{ data: PlaybackSession | null }} session
 * @param {Stream} stream
 * @returns {(position: number) => Promise<{ parts: FilmPart[] }>}
 */
export const requestOf = (id, session, stream) => (position) =>
  ask(api(`titles/${encodeURIComponent(id)}/playback/position`), {
    method: "POST",
    body: { stream_ticket: stream.ticket, job_id: session.data?.job_id, position_s: position },
  });

export class Parts {
  #request;
  #renew;
  #facts;
  #onWait;
  #onWithdrawn;
  #wait;
  #repeat;
  #search = 0;
  #stop = () => {};

  /**
   * `request(position)` asks the API for the parts; `renew()` requests a new session; `facts()` describes the film;
   * `onWait()` is called while a position is being prepared, `onWithdrawn()` if the part that plays is damaged. `wait` and `follow` are `pause` and `repeat` of net.js.
   * @param {{
   *   request: (position: number) => Promise<{ parts: FilmPart[] }>, renew: () => Promise<unknown>,
   *   facts: () => { time: number, front: number, duration: number, begin: number, running: boolean },
   *   onWait: () => void, onWithdrawn: () => void,
   *   wait?: (ms: number) => Promise<void>, follow?: (turn: () => unknown, delay: () => number | null) => () => void,
   * }} film
   */
  constructor({ request, renew, facts, onWait, onWithdrawn, wait = pause, follow = repeat }) {
    this.#request = request;
    this.#renew = renew;
    this.#facts = facts;
    this.#onWait = onWait;
    this.#onWithdrawn = onWithdrawn;
    this.#wait = wait;
    this.#repeat = follow;
    /** The part that plays; null if the film plays from its start. @type {FilmPart | null} */
    this.playing = null;
    /** The position that is being prepared, in seconds; null if there is none. @type {number | null} */
    this.awaited = null;
  }

  /**
   * Return the address of a manifest and the position at which to start, once the position can be watched. `wanted` is
   * null if the viewer did not choose it. Return null if another call has replaced this one.
   * @param {PlaybackSession} session
   * @param {string} address the manifest of the film from its start
   * @param {number | null} wanted in seconds
   */
  async open(session, address, wanted) {
    this.#search += 1;
    this.#stop();
    this.playing = null;
    this.awaited = null;
    const { status, front_s: front = 0, duration_s: duration = 0 } = session;
    const time = Math.min(wanted ?? 0, Math.max(0, duration - LAST_S));
    if (wanted !== null && status === "encoding" && time > front - FRONT_MARGIN_S) {
      const search = this.#search;
      const part = await this.#find(time, search);
      if (search !== this.#search) return null;
      this.awaited = null;
      if (part && part.from_s > 0) {
        this.#follow(part);
        return { address: part.manifest_url, time };
      }
      if (part) return this.#atStart(address, time);
    }
    return this.#atStart(address, startTime(session, wanted));
  }

  /**
   * @param {string} address
   * @param {number} time
   */
  #atStart(address, time) {
    this.#follow(null);
    return { address, time };
  }

  /**
   * Return the part with a position as soon as there is one; null if the encode or this search has ended before.
   * @param {number} time
   * @param {number} search
   */
  async #find(time, search) {
    while (search === this.#search) {
      const { running } = this.#facts(); // before the request: the last answer has all that was encoded
      const part = partAt(await this.#ask(time), time);
      if (part || !running) return part;
      this.awaited = time;
      this.#onWait();
      await this.#wait(POLL_MS);
    }
    return null;
  }

  /** @param {FilmPart | null} part */
  #follow(part) {
    this.playing = part;
    this.#stop = this.#repeat(() => this.#turn(), () => (this.#facts().running ? POLL_MS : null));
  }

  async #turn() {
    const question = questionOf(this.#facts());
    if (question === null) return;
    const { playing } = this;
    const parts = await orElse(this.#ask(question), []); // whoever may no longer watch learns it from the session
    const grown = parts.find(({ from_s: from }) => from === (playing?.from_s ?? 0));
    if (!grown || playing !== this.playing) return;
    if (grown.until_s < this.#facts().time - WITHDRAWN_S) this.#onWithdrawn();
    else if (playing) this.playing = grown;
  }

  /**
   * Return the parts that can be watched; none if the request must be repeated.
   * @param {number} position
   * @returns {Promise<FilmPart[]>}
   */
  async #ask(position) {
    try {
      return (await this.#request(position)).parts;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (!isTemporary(error)) await this.#renew(); // the stream has ended, or the film was uploaded again
      return [];
    }
  }
}
