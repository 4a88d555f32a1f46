/**
 * Heartbeats: where the film is, for how long it was watched and how well it came, told every 15 seconds while it plays,
 * on pause, seek and end, and when the page is left. A heartbeat that does not arrive is made up for by the next.
 */
import { api } from "../net.js";

export const EVERY_MS = 15_000;
const SETTLED_MS = 600;
const LONGEST_STEP_S = 3; // the playhead tells its time more often than that, even at double speed in a hidden tab

/** Counts a sitting: seconds played, start-up, stalls; `now` is a clock that never jumps, in milliseconds. */
export class Tally {
  #now;
  #began;
  #time = null;
  #stalled = null;
  #sequence = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#began = now();
    this.startupMs = null;
    this.watchedS = 0;
    this.rebuffers = 0;
    this.rebufferMs = 0;
  }

  get begun() {
    return this.startupMs !== null;
  }

  /** The film has been asked for, if it does not play yet. */
  asked() {
    if (!this.begun) this.#began = this.#now();
  }

  /** The picture moves. */
  plays() {
    if (!this.begun) this.startupMs = Math.round(this.#now() - this.#began);
  }

  /** The playhead is at `time`: what lies between is watched, unless it was leapt over. */
  reaches(time) {
    const step = this.#time === null ? 0 : time - this.#time;
    if (step > 0 && step <= LONGEST_STEP_S) this.watchedS += step;
    this.#time = time;
  }

  /** The playhead leaps: nothing before it counts from here. */
  leaps() {
    this.#time = null;
  }

  /** The film waits for data, or no longer; `counts` says whether that is a fault of the network. */
  waits(on, counts = true) {
    if (on && counts && this.begun && this.#stalled === null) {
      this.rebuffers += 1;
      this.#stalled = this.#now();
    } else if (!on && this.#stalled !== null) {
      this.rebufferMs += Math.round(this.#now() - this.#stalled);
      this.#stalled = null;
    }
  }

  /** The next heartbeat. */
  heartbeat({ ticket, time, bitrateKbps = null, droppedFrames = 0 }) {
    const since = this.#stalled === null ? 0 : Math.round(this.#now() - this.#stalled);
    this.#sequence += 1;
    return {
      ticket,
      sequence: this.#sequence,
      position_s: Math.round(time * 1000) / 1000,
      watched_s: Math.round(this.watchedS * 1000) / 1000,
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

/** Send heartbeats of what plays in `video`; `session` holds the ticket and can ask for another. */
export class Usage {
  #address;
  #video;
  #session;
  #bitrateKbps;
  #told = "";
  #settling = 0;

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
    const on = (name, act) => video.addEventListener(name, act);
    on("playing", () => tally.plays());
    on("timeupdate", () => { if (!video.seeking) tally.reaches(video.currentTime); });
    on("seeking", () => tally.leaps());
    on("seeked", () => {
      clearTimeout(this.#settling); // somebody who drags the bar seeks many times
      this.#settling = setTimeout(() => this.#send(), SETTLED_MS);
    });
    on("pause", () => { if (!video.ended) this.#send(); });
    on("ended", () => this.#send());
    setInterval(() => { if (!video.paused) this.#send(); }, EVERY_MS);
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") this.leave(); });
    window.addEventListener("pagehide", () => this.leave());
  }

  /** Tell where the film is as the page goes away: a beacon outlives it, but can only POST, and without headers. */
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
    }).catch(() => null); // no connection: the next heartbeat tells it all
    if (answer?.ok) return;
    this.#told = "";
    if (answer?.status === 401) await this.#session.renew().catch(() => null); // a ticket lives for a day
  }

  /** The next heartbeat; null before the film has begun, without a ticket, and when there is nothing new. */
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
