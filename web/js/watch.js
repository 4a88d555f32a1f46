/** The watch page: opens a session, plays it, and tells what is going on. */
import { actsOn, bindControls, remember, remembered } from "./player/controls.js";
import { addExtras, createPlayer, placeIn, startTime } from "./player/engine.js";
import { bindMenus } from "./player/menus.js";
import { Encode } from "./player/encode.js";
import { here, withNext } from "./account/next.js";
import { authorized } from "./account/session.js";
import { hooks, say } from "./dom.js";
import { Notices, Problem, problemFor, TROUBLES } from "./player/messages.js";
import { api, ask, isPassing, pause, persist, RequestError } from "./net.js";
import { HLS, Native, playsNatively } from "./player/native.js";
import { Recovery, remedy } from "./player/recovery.js";
import { bufferedEnd, reachable, Timeline } from "./player/timeline.js";
import { Session } from "./player/session.js";
import { Next } from "./player/next.js";
import { Usage } from "./player/usage.js";
import { titleAddress, watchAddress } from "./cards.js";
import { clock } from "./text.js";

const ASK_AGAIN_MS = 2500;

/**
 * Is the playhead waiting for what has not been encoded yet? The margin is a segment and what the encoder may have done
 * since it was last asked: the player has not heard of it yet either.
 */
export const atFront = ({ encoding, time, front }) => encoding && time >= front - 6;

class Watch {
  constructor(root, id) {
    this.root = root;
    this.id = id;
    this.at = hooks(root);
    this.video = this.at.video;
    this.session = new Session(() => persist(() => this.openSession()), { onRefused: (error) => this.notices.tell({ end: problemFor(error).heading }) });
    this.recovery = new Recovery({
      retry: () => this.player.retryStreaming(0),
      reload: () => this.goOn({ failed: true }),
      renew: () => this.session.renew(),
      onTrouble: (trouble) => { this.notices.tell({ trouble: TROUBLES[trouble] ?? "" }); this.watchFlow(); },
      onStop: (error) => this.stopsAfterBuffer(error),
    });
    this.notices = new Notices(this.at.notice);
    this.problem = new Problem(this.at, { reachable: () => this.session.renew(), load: () => this.load() });
    this.ending = null;
    this.encode = new Encode(() => ask(api(`titles/${encodeURIComponent(id)}`)));
    this.errors = [];
    this.stalls = 0;
    this.stuck = false;
    this.loading = true;
    this.thumbnails = null;
    this.wantsToPlay = true;
    this.hls = new URLSearchParams(location.search).has("hls");
    this.native = playsNatively(globalThis) ? new Native((how) => this.goOn(how)) : null;
    this.stoppedAt = placeIn(location.search);
    this.usage = new Usage(id, { video: this.video, session: this.session, bitrateKbps: () => this.bitrateKbps() });
    this.next = new Next(this.at.next, { id, video: this.video, leave: (address) => location.assign(address) });
  }

  /** Ask for a session; one that renews another goes on with its ticket for heartbeats. */
  openSession() {
    const { usage_ticket: ticket } = this.session.data ?? {};
    return authorized(`titles/${encodeURIComponent(this.id)}/playback`, { method: "POST", body: ticket ? { usage_ticket: ticket } : {} });
  }

  /** The bitrate of what plays now, in kbit/s; null when the player does not know. */
  bitrateKbps() {
    const { streamBandwidth } = this.player?.getStats() ?? {};
    return Number.isFinite(streamBandwidth) && streamBandwidth > 0 ? Math.round(streamBandwidth / 1000) : null;
  }

  async start() {
    this.at.back.href = titleAddress(this.id);
    this.at.leave.href = titleAddress(this.id);
    this.at.plans.href = withNext("/plans.html", here(location));
    this.at.retry.addEventListener("click", () => {
      this.wantsToPlay = true;
      this.load();
    });
    this.timeline = new Timeline(this.root, { facts: () => this.facts(), seek: (time) => this.seek(time), thumbnail: (time) => this.thumbnail(time) });
    this.encode.addEventListener("change", ({ detail }) => this.encodeChanged(detail.before));
    for (const name of ["timeupdate", "progress", "durationchange", "loadedmetadata"]) this.video.addEventListener(name, () => this.timeline.update());
    for (const name of ["waiting", "seeking", "seeked", "canplay", "playing", "timeupdate", "pause", "ended"]) this.video.addEventListener(name, () => this.watchFlow());
    this.bindSound();
    this.showStill();
    this.video.addEventListener("play", () => {
      this.wantsToPlay = true;
      this.at["big-play"].hidden = true;
    });
    this.video.addEventListener("pause", () => { if (!this.loading && !this.video.error) this.wantsToPlay = false; }); // an error pauses too
    this.at["big-play"].addEventListener("click", () => this.video.play());
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
    this.bindPerson();
    this.usage.bind();
    this.next.bind();
    await this.load();
  }

  /** What stands there until the film's first frame: its backdrop, if the catalogue has one. */
  async showStill() {
    const title = await ask(`/catalogue/titles/${encodeURIComponent(this.id)}.json`).catch((error) => {
      if (error.name !== "RequestError") throw error;
      return null; // not published: the stage stays black
    });
    const still = title?.artwork?.backdrop ?? title?.artwork?.card;
    if (still) this.video.poster = still;
  }

  bindPerson() {
    const { player, video, root } = this;
    const chooseText = (track) => {
      player.selectTextTrack(track);
      remember({ subtitles: track?.language ?? "" });
    };
    const captions = () => {
      const tracks = player.getTextTracks();
      const language = remembered().subtitles || this.lastSubtitles;
      const on = tracks.some((track) => track.active);
      if (on) this.lastSubtitles = tracks.find((track) => track.active).language;
      chooseText(on ? null : (tracks.find((track) => track.language === language) ?? tracks[0] ?? null));
    };
    this.menus = bindMenus(root, { player, video, chooseText });
    const acts = actsOn({ root, video, seek: (time) => this.seek(time), captions, shortcuts: this.at.shortcuts });
    bindControls(root, { video, stage: this.at.stage, acts, menus: this.menus });
  }

  bindSound() {
    const { volume = 1, muted = false } = remembered();
    this.video.volume = volume;
    this.video.muted = muted;
    const { unmute } = this.at;
    this.video.addEventListener("playing", () => { unmute.hidden = !this.video.muted; }, { once: true });
    this.video.addEventListener("volumechange", () => { if (!this.video.muted) unmute.hidden = true; });
    unmute.addEventListener("click", () => { this.video.muted = false; });
  }

  /**
   * Open the film anew where it is: the address that a native player was given has expired or soon will, or (`failed`)
   * the player has given up.
   */
  async goOn({ failed = false } = {}) {
    if (this.loading) return;
    if (!failed) {
      try {
        await this.session.renew();
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (isPassing(error)) this.native.again();
        else this.stopsAfterBuffer(error);
        return;
      }
    }
    if (this.video.currentTime > 0) this.stoppedAt = this.video.currentTime;
    await this.load();
  }

  moved() {
    this.problem.forget();
    if (this.native && !this.loading && this.video.currentTime > this.stoppedAt) this.native.moves();
  }

  /** The film cannot go on: play what is loaded, saying why, then stop. */
  stopsAfterBuffer(error) {
    const { video } = this;
    if (this.ending || (this.problem.shown)) return;
    if (bufferedEnd(video.buffered, video.currentTime) - video.currentTime < 1) {
      this.failed(error);
      return;
    }
    this.ending = error;
    this.notices.tell({ end: problemFor(this.explained(error)).heading });
  }

  /** What the player is given to load: an address, and of what kind where it cannot find out. */
  source(session) {
    if (this.native) return [api(session.hls_ticket_url), HLS];
    return [this.hls ? session.hls_url : session.manifest_url];
  }

  /** Open a session and play it, from where it stopped if it had been playing. */
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
      const [address, kind] = this.source(session);
      await this.player.load(address, startTime(session, this.stoppedAt), kind);
      this.native?.follow(session.expires_at);
      await this.loaded(session);
    } catch (error) {
      this.failed(error);
    }
  }

  /** A session; while the encoder has not made the first seconds, wait for them. */
  async open() {
    for (;;) {
      try {
        return await this.session.renew();
      } catch (error) {
        if (error.status !== 409) throw error;
        const { status } = await persist(() => ask(api(`titles/${encodeURIComponent(this.id)}`)));
        if (status === "announced") throw Object.assign(error, { code: "announced" });
        if (status === "failed") throw Object.assign(error, { code: "encode_failed" });
        this.showWaiting(true, "The encoder is making the first seconds. The film starts here by itself.");
        await pause(ASK_AGAIN_MS);
      }
    }
  }

  async loaded(session) {
    this.loading = false;
    history.replaceState(null, "", watchAddress(this.id) + (this.hls ? "&hls" : "")); // a place asked for is asked for once
    this.showWaiting(false);
    this.timeline.update();
    await this.addExtras(session);
    const language = remembered().subtitles;
    const track = language && this.player.getTextTracks().find((one) => one.language === language);
    if (track) this.player.selectTextTrack(track);
    if ("mediaSession" in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: session.name, artist: "Notflix" });
    if (!this.wantsToPlay) return;
    await this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.at["big-play"].hidden = false; // the browser wants a gesture first
      else if (error.name !== "AbortError") throw error;
    });
  }

  async addExtras(session) {
    const extras = this.native ? { ...session, subtitles: [] } : session; // its playlists have them, and it signs nothing
    this.thumbnails = (await addExtras(this.player, extras)) ?? this.thumbnails;
    this.menus.update();
  }

  facts() {
    const encoding = this.encode.partial;
    const { duration, front } = this.encode.state;
    const whole = Number.isFinite(this.video.duration) && this.video.duration > 0 ? this.video.duration : 0;
    return {
      time: this.video.currentTime,
      duration: encoding ? duration : whole || duration,
      front: encoding ? front : whole || duration, // the manifest of a growing film names only its whole length
      encoding,
      buffered: this.video.buffered,
    };
  }

  seek(target) {
    const facts = this.facts();
    const time = reachable(target, facts);
    if (facts.encoding && target > time + 1) this.notices.notice(`Encoded up to ${clock(facts.front)} so far.`);
    this.video.currentTime = time;
    this.timeline.update();
  }

  async thumbnail(time) {
    if (!this.thumbnails) return null;
    const piece = await this.player.getThumbnails(this.thumbnails.id, time);
    if (!piece) return null;
    const address = await this.session.signed(piece.uris[0]);
    return { address, x: piece.positionX, y: piece.positionY, width: piece.width, height: piece.height };
  }

  /** Does the picture move? If it should and does not, say what it waits for. */
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
    else if (stuck && front && !this.encode.running) this.failed(Object.assign(new Error("The film is not whole."), { code: "encode_stopped" }));
    else this.showWaiting(stuck, front ? "Waiting for the encoder…" : this.recovery.trouble ? "Waiting for the connection…" : "");
  }

  showWaiting(on, text = "") {
    this.at.wait.hidden = !on;
    this.at["wait-text"].textContent = text;
  }

  encodeChanged(before) {
    const { status, percent } = this.encode.state;
    this.root.classList.toggle("is-encoding", this.encode.partial);
    say(this.at.badge, this.encode.running ? `Still encoding, ${percent} %` : "");
    this.timeline.update();
    if (before.status !== "encoding" || this.encode.running) return;
    if (status === "failed") this.notices.tell({ encode: "The encode of this film has failed. What there is of it still plays." });
    else this.session.renew().then((session) => this.addExtras(session), (error) => this.note(error)); // now there are thumbnails
  }

  /** An error of Shaka, marked if it only means that something could not be reached. */
  explained(error) {
    const kinds = window.shaka?.util.Error;
    if (kinds && error.category === kinds.Category.NETWORK && remedy(error, kinds) === "retry") error.unreachable = true;
    return error;
  }

  note(error) {
    this.errors.push(String(error.code ?? error.message ?? error));
  }

  failed(error) {
    const { LOAD_INTERRUPTED } = window.shaka?.util.Error.Code ?? {};
    if (error.code === LOAD_INTERRUPTED && LOAD_INTERRUPTED) return; // a newer load has taken over
    this.note(error);
    if (this.video.currentTime > 0) this.stoppedAt = this.video.currentTime;
    this.loading = true; // until it is tried again
    this.notices.tell({ end: "", encode: "" });
    this.video.pause();
    this.usage.tally.waits(false);
    this.showWaiting(false);
    this.problem.show(this.explained(error));
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

const root = globalThis.document?.querySelector("[data-player]");
if (root) new Watch(root, new URLSearchParams(location.search).get("id") ?? "").start();
