/**
 * Heartbeats with the position of the film, the time watched and the streaming quality. They are sent every 15 seconds
 * while it plays, on pause, seek and end, and when the page is left. Each heartbeat contains totals, so losing one
 * does no harm.
 */
import { api } from "../net.js";

/** @import { AnySession } from "./opening.js" */

export const EVERY_MS = 15_000;
const SETTLED_MS = 600;
const LONGEST_STEP_S = 3; // time updates are more frequent than this, even at double speed in a hidden tab

/**
 * Counts the seconds played, the startup time and the stalls of one viewing session; `now` is a monotonic clock in
 * milliseconds.
 */
export class Tally {
  #now;
  #began;
  /** @type {number | null} */
  #time = null;
  /** @type {number | null} */
  #stalled = null;
  #sequence = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#began = now();
    /** @type {number | null} */
    this.startupMs = null;
    this.watchedS = 0;
    this.rebuffers = 0;
    this.rebufferMs = 0;
    /** Whether the browser could play the film in AV1. */
    this.playsAv1 = false;
  }

  get begun() {
    return this.startupMs !== null;
  }

  /** Record that the film has been requested; the startup time lasts until it plays. */
  asked() {
    if (!this.begun) this.#began = this.#now();
  }

  /** Record that the film plays. */
  plays() {
    if (!this.begun) this.startupMs = Math.round(this.#now() - this.#began);
  }

  /**
   * Record that playback has reached `time`; the interval since the previous call counts as watched unless it was
   * skipped.
   * @param {number} time
   */
  reaches(time) {
    const step = this.#time === null ? 0 : time - this.#time;
    if (step > 0 && step <= LONGEST_STEP_S) this.watchedS += step;
    this.#time = time;
  }

  /** Record a seek; the skipped interval does not count as watched. */
  leaps() {
    this.#time = null;
  }

  /**
   * Record that the film waits for data (`on`) or no longer waits; `counts` is true if the network is the cause.
   * @param {boolean} on
   */
  waits(on, counts = true) {
    if (on && counts && this.begun && this.#stalled === null) {
      this.rebuffers += 1;
      this.#stalled = this.#now();
    } else if (!on && this.#stalled !== null) {
      this.rebufferMs += Math.round(this.#now() - this.#stalled);
      this.#stalled = null;
    }
  }

  /**
   * Return the next heartbeat.
   * @param {{ ticket: string, time: number, bitrateKbps?: number | null, droppedFrames?: number }} state
   */
  heartbeat({ ticket, time, bitrateKbps = null, droppedFrames = 0 }) {
    const since = this.#stalled === null ? 0 : Math.round(this.#now() - this.#stalled);
    this.#sequence += 1;
    return {
      ticket,
      sequence: this.#sequence,
      position_s: Math.round(time * 1000) / 1000,
      watched_s: Math.round(this.watchedS * 1000) / 1000,
      av1: this.playsAv1,
      qoe: {
        startup_ms: this.startupMs,
        rebuffers: this.rebuffers,
        rebuffer_ms: this.rebufferMs + since,
        bitrate_kbps: bitrateKbps,
        dropped_frames: droppedFrames,
      },
    };
  }
}

/** Sends heartbeats for the film in `video`; `session` contains the ticket and can request a new one. */
export class Usage {
  #address;
  #video;
  #session;
  #bitrateKbps;
  #told = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling;

  /**
   * @param {string} id
   * @param {{ video: HTMLVideoElement, session: AnySession, bitrateKbps: () => number | null }} parts
   */
  constructor(id, { video, session, bitrateKbps }) {
    this.#address = api(`usage/${encodeURIComponent(id)}`);
    this.#video = video;
    this.#session = session;
    this.#bitrateKbps = bitrateKbps;
    this.tally = new Tally();
  }

  /** Listen to the video and to the page. */
  bind() {
    const { tally } = this;
    const video = this.#video;
    video.addEventListener("playing", () => tally.plays());
    video.addEventListener("timeupdate", () => { if (!video.seeking) tally.reaches(video.currentTime); });
    video.addEventListener("seeking", () => tally.leaps());
    video.addEventListener("seeked", () => {
      clearTimeout(this.#settling); // dragging the seek bar causes many seeks
      this.#settling = setTimeout(() => this.#send(), SETTLED_MS);
    });
    video.addEventListener("pause", () => { if (!video.ended) this.#send(); });
    video.addEventListener("ended", () => this.#send());
    setInterval(() => { if (!video.paused) this.#send(); }, EVERY_MS);
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") this.leave(); });
    window.addEventListener("pagehide", () => this.leave());
  }

  /**
   * Send the position when the page is closed. A beacon outlives the page, but it is always a POST without custom
   * headers.
   */
  leave() {
    const beat = this.#next();
    if (beat) navigator.sendBeacon(this.#address, JSON.stringify(beat));
  }

  async #send() {
    const beat = this.#next();
    if (!beat) return;
    const answer = await fetch(this.#address, {
      method: "PUT",
      keepalive: true,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(beat),
    }).catch(() => null); // no connection: the next heartbeat contains everything
    if (answer?.ok) return;
    this.#told = "";
    if (answer?.status === 401) await this.#session.renew().catch(() => null); // a ticket expires after a day
  }

  /** Return the next heartbeat; null if the film has not begun, there is no ticket, or nothing has changed. */
  #next() {
    const { tally } = this;
    const ticket = this.#session.data?.usage_ticket;
    const time = this.#video.currentTime;
    if (!tally.begun || !ticket) return null;
    const state = `${ticket} ${time} ${tally.watchedS}`;
    if (state === this.#told) return null;
    this.#told = state;
    const droppedFrames = this.#video.getVideoPlaybackQuality().droppedVideoFrames;
    return tally.heartbeat({ ticket, time, bitrateKbps: this.#bitrateKbps(), droppedFrames });
  }
}
