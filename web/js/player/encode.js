/** The progress of the film's encode while somebody watches the film; it is polled every few seconds until it ends. */
import { arrivedPercent } from "../text.js";
import { orElse, pause, persist, repeat, RequestError } from "../net.js";

/** @import { PlaybackSession, Title } from "../types.js" */
/**
 * @typedef {object} EncodeState
 * @property {string} status
 * @property {number} percent how much of the film is encoded
 * @property {number | null} uploaded how many percent of the film have arrived while it is uploaded; null once all of it has
 * @property {number} front up to where the film plays, in seconds
 * @property {number} duration in seconds
 */

export const POLL_MS = 2500;

/**
 * Return the state after a response of `GET /api/titles/{id}`.
 * @param {EncodeState} state
 * @param {Pick<Title, "status" | "progress">} title
 * @returns {EncodeState}
 */
export function progressed(state, { progress = null, status }) {
  if (status === "ready") return { ...state, status: "ready", percent: 100, uploaded: null, front: state.duration };
  if (status === "failed" || progress?.status === "failed") return { ...state, status: "failed" };
  return {
    ...state,
    percent: Math.max(state.percent, Math.floor(progress?.percent ?? 0)),
    uploaded: arrivedPercent(progress),
    front: Math.max(state.front, progress?.front_s ?? 0),
  };
}

/**
 * Return a playback session, once the encoder has written the first seconds of the film. Raises RequestError, whose code
 * says if the film will not start by itself: "announced" or "encode_failed".
 * @param {() => Promise<PlaybackSession>} renew requests a session
 * @param {{ fetchTitle: () => Promise<Title>, onWait: () => void }} parts
 */
export async function whenPlayable(renew, { fetchTitle, onWait }) {
  for (;;) {
    try {
      return await renew();
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "not_playable") throw error;
      const { status } = await persist(fetchTitle);
      if (status === "announced") throw Object.assign(error, { code: "announced" });
      if (status === "failed") throw Object.assign(error, { code: "encode_failed" });
      onWait();
      await pause(POLL_MS);
    }
  }
}

export class Encode {
  #ask;
  #onChange;
  #stop = () => {};

  /**
   * `ask()` fetches the title from the API; `onChange(before)` is called after each change of the state.
   * @param {() => Promise<Title>} ask
   * @param {(before: EncodeState) => void} onChange
   */
  constructor(ask, onChange) {
    this.#ask = ask;
    this.#onChange = onChange;
    /** @type {EncodeState} */
    this.state = { status: "ready", percent: 100, uploaded: null, front: 0, duration: 0 };
  }

  get running() {
    return this.state.status === "encoding";
  }

  /** Whether a part of the film is missing, temporarily or permanently. */
  get partial() {
    return this.state.status !== "ready";
  }

  /**
   * Start with the state given by a playback session, and poll for changes.
   * @param {Pick<PlaybackSession, "status" | "percent" | "uploaded_percent" | "front_s" | "duration_s">} session
   */
  follow({ status, percent, uploaded_percent, front_s: front, duration_s: duration }) {
    this.#stop();
    this.#set({ status, percent: Math.floor(percent ?? 0), uploaded: arrivedPercent({ uploaded_percent }), front: front ?? 0, duration: duration ?? 0 });
    const turn = async () => {
      const title = await orElse(this.#ask(), null); // a failed request is repeated later
      if (title) this.#set(progressed(this.state, title));
    };
    this.#stop = repeat(turn, () => (this.running ? POLL_MS : null));
  }

  /** @param {EncodeState} state */
  #set(state) {
    const before = this.state;
    this.state = state;
    if (JSON.stringify(state) !== JSON.stringify(before)) this.#onChange(before);
  }
}
