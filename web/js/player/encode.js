/** The encode of the film while somebody watches it: asked for every few seconds until it ends. */
import { orElse, repeat } from "../net.js";

/** @import { PlaybackSession, Title } from "../types.js" */
/** @typedef {{ status: string, percent: number, front: number, duration: number }} EncodeState `front` and `duration` in seconds */

export const POLL_MS = 2500;

/**
 * Return the state after an answer of `GET /api/titles/{id}`.
 * @param {EncodeState} state
 * @param {Pick<Title, "status" | "progress">} title
 * @returns {EncodeState}
 */
export function progressed(state, { progress = null, status }) {
  if (status === "ready") return { ...state, status: "ready", percent: 100, front: state.duration };
  if (status === "failed" || progress?.status === "failed") return { ...state, status: "failed" };
  return {
    ...state,
    percent: Math.max(state.percent, Math.floor(progress?.percent ?? 0)),
    front: Math.max(state.front, progress?.front_s ?? 0),
  };
}

export class Encode {
  #ask;
  #onChange;
  #stop = () => {};

  /**
   * `ask()` gives the title as the API tells it; `onChange(before)` is told of changes of the state.
   * @param {() => Promise<Title>} ask
   * @param {(before: EncodeState) => void} onChange
   */
  constructor(ask, onChange) {
    this.#ask = ask;
    this.#onChange = onChange;
    /** @type {EncodeState} */
    this.state = { status: "ready", percent: 100, front: 0, duration: 0 };
  }

  get running() {
    return this.state.status === "encoding";
  }

  /** Is something of the film missing, for now or for good? */
  get partial() {
    return this.state.status !== "ready";
  }

  /**
   * Start from the state that a playback session tells, and follow it.
   * @param {Pick<PlaybackSession, "status" | "percent" | "front_s" | "duration_s">} session
   */
  follow({ status, percent, front_s: front, duration_s: duration }) {
    this.#stop();
    this.#set({ status, percent: Math.floor(percent ?? 0), front: front ?? 0, duration: duration ?? 0 });
    const turn = async () => {
      const title = await orElse(this.#ask(), null); // without an answer the state stays, and the next turn asks again
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
