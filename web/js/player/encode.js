/** How far the encode of the film is while somebody watches it: asked every few seconds until it ends. */
import { repeat } from "../net.js";

export const POLL_MS = 2500;

/** Fold an answer of `GET /api/titles/{id}` into the state. */
export function progressed(state, title) {
  const { progress = null, status } = title;
  if (status === "ready") return { ...state, status: "ready", percent: 100, front: state.duration };
  if (status === "failed" || progress?.status === "failed") return { ...state, status: "failed" };
  return {
    ...state,
    percent: Math.max(state.percent, Math.floor(progress?.percent ?? 0)),
    front: Math.max(state.front, progress?.front_s ?? 0),
  };
}

export class Encode extends EventTarget {
  #ask;
  #stop = null;

  /** `ask()` gives the title as the API tells it; state changes arrive as `change` events. */
  constructor(ask) {
    super();
    this.#ask = ask;
    this.state = { status: "ready", percent: 100, front: 0, duration: 0 };
  }

  get running() {
    return this.state.status === "encoding";
  }

  /** Is something of the film missing, be it yet or for good? */
  get partial() {
    return this.state.status !== "ready";
  }

  /** Take the session's word for where it stands and follow it from there. */
  follow({ status, percent, front_s: front, duration_s: duration }) {
    this.#stop?.();
    this.#set({ status, percent: Math.floor(percent ?? 0), front: front ?? 0, duration: duration ?? 0 });
    const turn = async () => {
      const title = await this.#ask().catch((error) => {
        if (error.name !== "RequestError") throw error;
        return null; // no answer this time: the state stays, the next turn asks again
      });
      if (title) this.#set(progressed(this.state, title));
    };
    this.#stop = repeat(turn, () => (this.running ? POLL_MS : null));
  }

  #set(state) {
    const changed = JSON.stringify(state) !== JSON.stringify(this.state);
    const before = this.state;
    this.state = state;
    if (changed) this.dispatchEvent(new CustomEvent("change", { detail: { before } }));
  }
}
