/** The watch page: opens a playback session, plays the film, and shows messages about its state. */
import { actsOn, bindControls, bindSound, remember, remembered } from "./player/controls.js";
import { addExtras, createPlayer, placeIn, startTime } from "./player/engine.js";
import { bindMenus, preferredTrack } from "./player/menus.js";
import { Encode } from "./player/encode.js";
import { here, withNext } from "./account/next.js";
import { authorized } from "./account/session.js";
import { isSuspended } from "./billing/access.js";
import { hooks, rootOf, say } from "./dom.js";
import { Notices, Problem, problemFor, TROUBLES } from "./player/messages.js";
import { api, ask, isTemporary, orElse, pause, persist, RequestError } from "./net.js";
import { HLS, Native, playsNatively } from "./player/native.js";
import { explained, Recovery } from "./player/recovery.js";
import { bufferedEnd, reachable, Timeline } from "./player/timeline.js";
import { Session } from "./player/session.js";
import { Next } from "./player/next.js";
import { Usage } from "./player/usage.js";
import { titleAddress, watchAddress } from "./cards.js";
import { clock } from "./text.js";

/** @import { PlaybackSession } from "./types.js" */
/** @import { EncodeState } from "./player/encode.js" */

const ASK_AGAIN_MS = 2500;
const FRONT_MARGIN_S = 6;
const LEAST_BUFFER_S = 1;

/**
 * Return whether the film is waiting for a part that has not been encoded yet. The margin is one segment plus the part
 * that may have been encoded since the last poll, because the player does not know about that part yet.
 * @param {{ encoding: boolean, time: number, front: number }} facts
 */
export const atFront = ({ encoding, time, front }) => encoding && time >= front - FRONT_MARGIN_S;

class Watch {
  /**
   * @param {HTMLElement} root
   * @param {string} id
   */
  constructor(root, id) {
    this.root = root;
    this.id = id;
    this.at = hooks(root);
    /** @type {HTMLVideoElement} */
    this.video = this.at.video;
    this.session = new Session(() => persist(() => this.openSession()), { onRefused: (error) => this.willStop(error) });
    this.encode = new Encode(() => ask(api(`titles/${encodeURIComponent(id)}`)), (before) => this.encodeChanged(before));
    this.recovery = new Recovery({
      retry: () => this.player.retryStreaming(0),
      reload: () => this.reopen({ failed: true }),
      renew: () => this.session.renew(),
      onTrouble: (trouble) => {
        this.notices.tell({ trouble: TROUBLES[trouble] ?? "" });
        this.watchFlow();
      },
      onStop: (error) => this.stopsAfterBuffer(error),
    });
    this.notices = new Notices(this.at.notice);
    this.problem = new Problem(this.at, { reachable: () => this.session.renew(), load: () => this.load() });
    this.timeline = new Timeline(root, { facts: () => this.facts(), seek: (time) => this.seek(time), thumbnail: (time) => this.thumbnail(time) });
    this.usage = new Usage(id, { video: this.video, session: this.session, bitrateKbps: () => this.bitrateKbps() });
    this.next = new Next(this.at.next, { id, video: this.video, leave: (address) => location.assign(address) });
    this.native = playsNatively(globalThis) ? new Native((how) => this.reopen(how)) : null;
    this.isHls = new URLSearchParams(location.search).has("hls");
    this.stoppedAt = placeIn(location.search);
    this.loading = true;
    this.wantsToPlay = true;
    this.stuck = false;
    this.stalls = 0;
    /** @type {any} */
    this.player = null;
    /** @type {{ isOpen: () => boolean, update: () => void } | null} */
    this.menus = null;
    /** @type {any} */
    this.thumbnails = null;
    /** @type {any} */
    this.ending = null;
    this.lastSubtitles = "";
    /** @type {string[]} */
    this.errors = [];
  }

  /** Open a playback session; a session that replaces another keeps its ticket for heartbeats. */
  openSession() {
    const { usage_ticket: ticket } = this.session.data ?? {};
    return authorized(`titles/${encodeURIComponent(this.id)}/playback`, { method: "POST", body: ticket ? { usage_ticket: ticket } : {} });
  }

  /** Return the current bitrate in kbit/s; null if the player does not know it. */
  bitrateKbps() {
    const { streamBandwidth } = this.player?.getStats() ?? {};
    return Number.isFinite(streamBandwidth) && streamBandwidth > 0 ? Math.round(streamBandwidth / 1000) : null;
  }

  async start() {
    this.bindPage();
    this.bindVideo();
    bindSound(this.video, this.at.unmute);
    this.showStill();
    try {
      this.player = await createPlayer(window.shaka, {
        video: this.video,
        stage: this.at.stage,
        session: this.session,
        recovery: this.recovery,
        onFatal: (error) => { if (this.loading || !this.native?.recovers()) this.failed(error); },
      });
    } catch (error) {
      this.failed(error);
      return;
    }
    this.player.addEventListener("buffering", () => this.watchFlow());
    this.video.addEventListener("timeupdate", () => this.moved());
    window.notflix = { player: this.player, video: this.video, stats: () => this.stats() };
    this.bindActs();
    this.usage.bind();
    this.next.bind();
    await this.load();
  }

  bindPage() {
    const { at } = this;
    at.back.href = titleAddress(this.id);
    at.leave.href = titleAddress(this.id);
    at.plans.href = withNext("/plans.html", here(location));
    at["big-play"].addEventListener("click", () => this.video.play());
    at.retry.addEventListener("click", () => {
      this.wantsToPlay = true;
      this.load();
    });
  }

  bindVideo() {
    const { video } = this;
    for (const name of ["timeupdate", "progress", "durationchange", "loadedmetadata"]) video.addEventListener(name, () => this.timeline.update());
    for (const name of ["waiting", "seeking", "seeked", "canplay", "playing", "timeupdate", "pause", "ended"]) video.addEventListener(name, () => this.watchFlow());
    video.addEventListener("play", () => {
      this.wantsToPlay = true;
      this.at["big-play"].hidden = true;
    });
    video.addEventListener("pause", () => { if (!this.loading && !video.error) this.wantsToPlay = false; }); // errors also pause the video
  }

  /** Show the title's backdrop, if the catalogue has one, until the first frame of the film. */
  async showStill() {
    const title = await orElse(ask(`/catalogue/titles/${encodeURIComponent(this.id)}.json`), null);
    const still = title?.artwork?.backdrop ?? title?.artwork?.card;
    if (still) this.video.poster = still;
  }

  bindActs() {
    const { player, video, root } = this;
    const chooseText = (/** @type {any} */ track) => {
      player.selectTextTrack(track);
      remember({ subtitles: track?.language ?? "" });
    };
    const captions = () => {
      /** @type {any[]} */
      const tracks = player.getTextTracks();
      const active = tracks.find((track) => track.active);
      const last = remembered().subtitles || this.lastSubtitles;
      if (active) this.lastSubtitles = active.language;
      chooseText(active ? null : preferredTrack(tracks, [...(last ? [last] : []), ...navigator.languages]));
    };
    this.menus = bindMenus(root, { player, video, chooseText });
    const acts = actsOn({ root, video, seek: (time) => this.seek(time), captions, shortcuts: this.at.shortcuts });
    bindControls(root, { video, stage: this.at.stage, acts, menus: this.menus });
  }

  /**
   * Open the film again at the same position, because the native player's address expires soon or (`failed`) because
   * the player has given up.
   */
  async reopen({ failed = false } = {}) {
    if (this.loading) return;
    if (!failed) {
      try {
        await this.session.renew();
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (isTemporary(error)) this.native?.again();
        else this.stopsAfterBuffer(error);
        return;
      }
    }
    if (this.video.currentTime > 0) this.stoppedAt = this.video.currentTime;
    await this.load();
  }

  moved() {
    this.problem.forget();
    if (this.native && !this.loading && this.video.currentTime > (this.stoppedAt ?? 0)) this.native.moves();
  }

  /**
   * Show why the film will stop soon.
   * @param {any} error
   */
  willStop(error) {
    this.notices.tell({ end: problemFor(explained(error, window.shaka)).heading });
  }

  /**
   * Play the rest of the buffer while showing why the film cannot continue, then stop.
   * @param {any} error
   */
  stopsAfterBuffer(error) {
    const { video } = this;
    if (this.ending || this.problem.shown) return;
    if (bufferedEnd(video.buffered, video.currentTime) - video.currentTime < LEAST_BUFFER_S) {
      this.failed(error);
      return;
    }
    this.ending = error;
    this.willStop(error);
  }

  /**
   * Return the arguments for the player's `load`: an address, and its media type if the player cannot detect it.
   * @param {PlaybackSession} session
   */
  source(session) {
    if (this.native) return { address: api(session.hls_ticket_url), kind: HLS };
    return { address: this.isHls ? session.hls_url : session.manifest_url, kind: undefined };
  }

  /** Open a session and play the film, from the position where it stopped if it was playing before. */
  async load() {
    this.problem.hide();
    this.ending = null;
    this.notices.tell({ end: "", encode: "" });
    this.recovery.reset();
    this.loading = true;
    this.showWaiting(true);
    this.usage.tally.asked();
    try {
      const session = await this.open();
      document.title = `${session.name}: Notflix`;
      this.at.name.textContent = session.name;
      this.at.heading.textContent = `Watch ${session.name}`;
      this.video.setAttribute("aria-label", session.name);
      this.encode.follow(session);
      const { address, kind } = this.source(session);
      await this.player.load(address, startTime(session, this.stoppedAt), kind);
      this.native?.follow(session.expires_at);
      await this.loaded(session);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Return a session; wait until the encoder has written the first seconds. */
  async open() {
    for (;;) {
      try {
        return await this.session.renew();
      } catch (error) {
        if (!(error instanceof RequestError) || error.status !== 409) throw error;
        const { status } = await persist(() => ask(api(`titles/${encodeURIComponent(this.id)}`)));
        if (status === "announced") throw Object.assign(error, { code: "announced" });
        if (status === "failed") throw Object.assign(error, { code: "encode_failed" });
        this.showWaiting(true, "This film is being prepared. It starts here in a moment.");
        await pause(ASK_AGAIN_MS);
      }
    }
  }

  /** @param {PlaybackSession} session */
  async loaded(session) {
    this.loading = false;
    history.replaceState(null, "", watchAddress(this.id) + (this.isHls ? "&hls" : "")); // `from` applies once
    this.showWaiting(false);
    this.timeline.update();
    await this.addExtras(session);
    const language = remembered().subtitles;
    const track = language && this.player.getTextTracks().find((/** @type {any} */ one) => one.language === language);
    if (track) this.player.selectTextTrack(track);
    if ("mediaSession" in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: session.name, artist: "Notflix" });
    if (!this.wantsToPlay) return;
    await this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.at["big-play"].hidden = false; // a user gesture is required first
      else if (error.name !== "AbortError") throw error;
    });
  }

  /** @param {PlaybackSession} session */
  async addExtras(session) {
    const extras = this.native ? { ...session, subtitles: [] } : session; // native players read them from playlists
    this.thumbnails = (await addExtras(this.player, extras)) ?? this.thumbnails;
    this.menus?.update();
  }

  facts() {
    const encoding = this.encode.partial;
    const { duration, front } = this.encode.state;
    const whole = Number.isFinite(this.video.duration) && this.video.duration > 0 ? this.video.duration : 0;
    return {
      time: this.video.currentTime,
      duration: encoding ? duration : whole || duration,
      // While a film is growing, its manifest declares only the final length, not how much is available yet.
      front: encoding ? front : whole || duration,
      encoding,
      buffered: this.video.buffered,
    };
  }

  /** @param {number} target in seconds */
  seek(target) {
    const facts = this.facts();
    const time = reachable(target, facts);
    if (facts.encoding && target > time + 1) this.notices.notice(`Available up to ${clock(facts.front)} so far.`);
    this.video.currentTime = time;
    this.timeline.update();
  }

  /** @param {number} time in seconds */
  async thumbnail(time) {
    if (!this.thumbnails) return null;
    const piece = await this.player.getThumbnails(this.thumbnails.id, time);
    if (!piece) return null;
    const address = await this.session.signed(piece.uris[0]);
    return { address, x: piece.positionX, y: piece.positionY, width: piece.width, height: piece.height };
  }

  /** Show what the film is waiting for, if it should play but does not. */
  watchFlow() {
    if (this.loading) return;
    const { video } = this;
    const stuck = !video.paused && !video.ended && (video.readyState < video.HAVE_FUTURE_DATA || this.player.isBuffering());
    const front = atFront(this.facts());
    const starved = stuck && !video.seeking && video.played.length > 0 && !front;
    if (starved && !this.stuck) this.stalls += 1;
    this.usage.tally.waits(stuck, starved && !this.stuck);
    this.stuck = stuck;
    if (stuck && this.ending) this.failed(this.ending);
    else if (stuck && front && !this.encode.running) this.failed(Object.assign(new Error("The film is incomplete."), { code: "encode_stopped" }));
    else this.showWaiting(stuck, front ? "Waiting for the next part…" : this.recovery.trouble ? "Waiting for the connection…" : "");
  }

  /** @param {boolean} on */
  showWaiting(on, text = "") {
    this.at.wait.hidden = !on;
    this.at["wait-text"].textContent = text;
  }

  /** @param {EncodeState} before */
  encodeChanged(before) {
    const { status, percent } = this.encode.state;
    this.root.classList.toggle("is-encoding", this.encode.partial);
    say(this.at.badge, this.encode.running ? `Encoding, ${percent} %` : "");
    this.timeline.update();
    if (before.status !== "encoding" || this.encode.running) return;
    if (status === "failed") this.notices.tell({ encode: "The rest of this film is not ready yet. You can watch the first part." });
    else this.session.renew().then((session) => this.addExtras(session), (error) => this.note(error)); // thumbnails now exist
  }

  /** @param {any} error */
  note(error) {
    this.errors.push(String(error.code ?? error.message ?? error));
  }

  /** @param {any} error */
  async failed(error) {
    const { LOAD_INTERRUPTED } = window.shaka?.util.Error.Code ?? {};
    if (error.code === LOAD_INTERRUPTED && LOAD_INTERRUPTED) return; // a newer load has replaced this one
    this.note(error);
    if (this.video.currentTime > 0) this.stoppedAt = this.video.currentTime;
    this.loading = true; // until the viewer tries again
    this.ending = null;
    this.notices.tell({ end: "", encode: "" });
    this.video.pause();
    this.usage.tally.waits(false);
    this.showWaiting(false);
    if (error.status === 402) error.suspended = await isSuspended();
    this.problem.show(explained(error, window.shaka));
  }

  stats() {
    const quality = this.video.getVideoPlaybackQuality();
    const { duration } = this.facts();
    return {
      total: quality.totalVideoFrames,
      dropped: quality.droppedVideoFrames,
      ended: this.video.ended,
      errors: [...this.errors],
      time: this.video.currentTime,
      duration,
      stalls: this.stalls,
    };
  }
}

const page = rootOf("player");
if (page) new Watch(page, new URLSearchParams(location.search).get("id") ?? "").start();
