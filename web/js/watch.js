/** The watch page: opens a playback session, plays the film, and shows messages about its state. */
import { Choices, heightsOf } from "./player/choices.js";
import { actsOn, bindControls, bindSound, unlessCovered } from "./player/controls.js";
import { bindDrag } from "./player/drag.js";
import { mustPlayNatively, playsAv1, unlock } from "./player/decryption.js";
import { bitrateOf, chapterAt, createPlayer, placeIn } from "./player/engine.js";
import { Extras } from "./player/extras.js";
import { bindLook } from "./player/look.js";
import { bindMenus } from "./player/menus.js";
import { Encode, whenPlayable } from "./player/encode.js";
import { Ending } from "./player/ending.js";
import { here, withNext } from "./account/next.js";
import { loginAddress, session as loggedIn } from "./account/session.js";
import { isSuspended } from "./billing/access.js";
import { hooks, rootOf, say } from "./dom.js";
import { Notices, Problem, TROUBLES } from "./player/messages.js";
import { api, ask, isTemporary, orElse, RequestError } from "./net.js";
import { Native, playsNatively, sourceOf } from "./player/native.js";
import { showStill, thumbnailAt } from "./player/pictures.js";
import { Parts, requestOf } from "./player/parts.js";
import { explained, Recovery } from "./player/recovery.js";
import { atFront, reachable, Timeline } from "./player/timeline.js";
import { sessionFor } from "./player/opening.js";
import { loadShaka } from "./player/shaka.js";
import { statsOf } from "./player/stats.js";
import { Skipping } from "./player/skipping.js";
import { Stream } from "./player/stream.js";
import { AfterTrailer } from "./player/trailer.js";
import { StoredSession } from "./offline/playing.js";
import { SystemControls } from "./player/system.js";
import { Transcript } from "./player/transcript.js";
import { Next } from "./player/next.js";
import { Usage } from "./player/usage.js";
import { offerDownload } from "./offline/offer.js";
import { storedAddress, titleAddress, trailerAddress, watchAddress } from "./addresses.js";
import { clock } from "./text.js";
import { inLanguage, t } from "./texts.js";

/** @import { PlaybackSession, Title } from "./types.js" */
/** @import { EncodeState } from "./player/encode.js" */
/** @import { Track } from "./player/choices.js" */

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
    this.stream = new Stream();
    this.isStored = new URLSearchParams(location.search).has("offline");
    this.isTrailer = new URLSearchParams(location.search).has("trailer");
    this.session = sessionFor(id, { isStored: this.isStored, isTrailer: this.isTrailer, stream: this.stream, onRefused: (error, leftMs) => this.ending.refused(error, leftMs) });
    this.encode = new Encode(() => ask(api(`titles/${encodeURIComponent(id)}`)), (before) => this.encodeChanged(before));
    this.recovery = new Recovery({
      retry: () => this.player.retryStreaming(0),
      reload: () => this.reopen({ failed: true }),
      renew: () => this.session.renew(),
      onTrouble: (trouble) => {
        this.notices.tell({ trouble: TROUBLES[trouble] ?? "" });
        this.watchFlow();
        if (!trouble) this.extras.again();
      },
      onStop: (error) => { if (!this.problem.shown) this.ending.afterBuffer(error); },
    });
    this.parts = new Parts({
      request: requestOf(id, this.session, this.stream),
      renew: () => this.session.renew(),
      facts: () => ({ ...this.facts(), running: this.encode.running }),
      onWait: () => this.showWaiting(true, t("watch.part_being_prepared_starts")),
      onWithdrawn: () => this.reopen({ failed: true }),
    });
    this.notices = new Notices(this.at.notice);
    this.ending = new Ending({ video: this.video, notices: this.notices, fail: (error) => this.failed(error) });
    this.problem = new Problem(this.at, { reachable: () => this.session.renew(), load: () => this.load() });
    this.timeline = new Timeline(root, { facts: () => this.facts(), seek: (time) => this.seek(time), thumbnail: (time) => thumbnailAt({ player: this.player, session: this.session, track: this.extras.thumbnails }, time), chapter: (time) => chapterAt(this.extras.chapters, time) });
    this.skipping = new Skipping(this.at["skip-chapter"], { otherwise: /** @type {HTMLElement} */ (root.querySelector('[data-act="play"]')), chapters: () => this.extras.chapters, parts: () => this.extras.skippable, time: () => this.facts().time, seek: (time) => this.seek(time) });
    this.transcript = new Transcript(root, { video: this.video, session: this.session, shown: () => this.player?.getTextTracks().find((/** @type {Track} */ { active }) => active), time: () => this.facts().time, seek: (time) => this.seek(time) });
    this.usage = new Usage(id, { video: this.video, session: this.session, bitrateKbps: () => bitrateOf(this.player) });
    this.next = this.isTrailer ? new AfterTrailer(this.at.next, { video: this.video, title: () => this.published }) : new Next(this.at.next, { id, video: this.video, leave: (address) => location.assign(address) });
    this.system = new SystemControls();
    this.native = playsNatively(globalThis) ? new Native((how) => this.reopen(how)) : null;
    this.isHls = new URLSearchParams(location.search).has("hls");
    this.stoppedAt = placeIn(location.search);
    this.openedEarly = false;
    this.loading = true;
    this.wantsToPlay = true;
    this.stopped = false;
    this.stuck = false;
    this.stalls = 0;
    /** @type {any} */
    this.player = null;
    /** @type {Choices | null} */
    this.choices = null;
    /** @type {Promise<Title | null>} */
    this.published = Promise.resolve(null);
    /** @type {{ isOpen: () => boolean, update: () => void } | null} */
    this.menus = null;
    this.extras = new Extras({ player: () => this.player, native: Boolean(this.native), note: (error) => this.note(error), onAdded: () => this.showExtras() });
    /** @type {string[]} */
    this.errors = [];
  }

  async start() {
    this.bindPage();
    this.bindVideo();
    bindSound(this.video, this.at.unmute);
    if (loggedIn() || this.isTrailer) this.prefetch(); // for a film, a guest has to log in first
    await this.load();
  }

  /** Load what does not depend on the playback session: Shaka, and the title's page for its pictures. */
  prefetch() {
    orElse(loadShaka(this.root), null);
    this.published = orElse(ask(`/catalogue/titles/${encodeURIComponent(this.id)}.json`), null);
    this.published.then((title) => showStill(this.video, title));
  }

  /** Create the player, once the film may be played. */
  async preparePlayer() {
    const shaka = await loadShaka(this.root);
    if (this.session instanceof StoredSession) this.session.supply(shaka, this.video);
    this.player = await createPlayer(shaka, {
      video: this.video,
      stage: this.at.stage,
      session: this.session,
      recovery: this.recovery,
      onFatal: (error) => { if (this.loading || !this.native?.recovers()) this.failed(error); },
    });
    this.player.addEventListener("buffering", () => this.watchFlow());
    this.player.addEventListener("textchanged", () => this.transcript.update());
    this.video.addEventListener("timeupdate", () => this.moved());
    window.notflix = { player: this.player, video: this.video, stats: () => statsOf(this) };
    this.bindActs();
    this.usage.bind();
    this.next.bind();
    this.system.bind(this.video, { seek: (time) => this.seek(time), facts: () => this.facts(), isCovered: () => this.problem.shown });
  }

  bindPage() {
    const { at } = this;
    at.back.href = at.leave.href = this.isStored ? inLanguage("/downloads.html") : titleAddress(this.id);
    at.plans.href = withNext("/plans.html", here(location));
    at.login.href = loginAddress("ended");
    at["big-play"].addEventListener("click", () => this.video.play());
    at.retry.addEventListener("click", () => this.tryAgain());
    window.addEventListener("pagehide", () => this.stream.leave());
    window.addEventListener("pageshow", ({ persisted }) => { if (persisted && !this.problem.shown) this.session.renew().catch((error) => this.failed(error)); });
  }

  tryAgain() {
    if (this.stopped) this.stream.forget();
    this.wantsToPlay = true;
    this.load();
  }

  bindVideo() {
    const { video } = this;
    for (const name of ["timeupdate", "progress", "durationchange", "loadedmetadata"]) video.addEventListener(name, () => this.timeline.update());
    for (const name of ["timeupdate", "seeking"]) video.addEventListener(name, () => this.skipping.update());
    for (const name of ["waiting", "seeking", "seeked", "canplay", "playing", "timeupdate", "pause", "ended"]) video.addEventListener(name, () => this.watchFlow());
    video.addEventListener("play", () => {
      if (this.problem.shown) {
        video.pause(); // it was started by the browser's own controls
        return;
      }
      this.wantsToPlay = true;
      this.at["big-play"].hidden = true;
    });
    video.addEventListener("pause", () => { if (!this.loading && !video.error) this.wantsToPlay = false; }); // errors also pause the video
  }

  showExtras() {
    this.menus?.update();
    this.skipping.update();
    this.transcript.update();
  }

  bindActs() {
    const { player, video, root } = this;
    const chosen = (this.choices = new Choices(player, video));
    this.menus = bindMenus(root, { player, video, chosen, openLook: bindLook(root).open });
    const film = actsOn({ root, video, seek: (time) => this.seek(time), captions: () => chosen.toggleText(), pass: () => this.skipping.skip(), transcript: () => this.transcript.toggle(), shortcuts: this.at.shortcuts });
    const acts = unlessCovered(film, () => this.problem.shown);
    bindControls(root, { video, stage: this.at.stage, acts, menus: this.menus });
    bindDrag(this.at.stage, { facts: () => this.facts(), timeline: this.timeline });
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
        else if (!this.problem.shown) this.ending.afterBuffer(error);
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

  /** Open a session and play the film, from the position where it stopped if it was playing before. */
  async load() {
    this.problem.hide();
    this.ending.reset();
    this.recovery.reset();
    this.loading = true;
    this.showWaiting(true);
    this.usage.tally.asked();
    try {
      const session = await whenPlayable(() => this.session.renew(), {
        fetchTitle: () => ask(api(`titles/${encodeURIComponent(this.id)}`)),
        onWait: () => this.showWaiting(true, t("watch.film_being_prepared_starts")),
      });
      document.title = t("site.page_title", { name: session.name });
      this.at.name.textContent = session.name;
      this.at.heading.textContent = t("watch.watch", { name: session.name });
      this.video.setAttribute("aria-label", session.name);
      this.encode.follow(session);
      this.openedEarly = session.status === "encoding";
      if (!this.player) await this.preparePlayer();
      this.transcript.update(); // whoever cannot watch can read it, even if nothing plays
      playsAv1(session).then((isSo) => { this.usage.tally.playsAv1 = isSo; }); // reported later; the film does not wait
      if (!this.native && (await mustPlayNatively(session, this))) this.native = new Native((how) => this.reopen(how));
      unlock(this.player, session, { native: Boolean(this.native) });
      const { address, kind } = sourceOf(session, { native: Boolean(this.native), hls: this.isHls });
      const place = await this.parts.open(session, address, this.usesParts() ? this.stoppedAt : null);
      if (!place) return; // the viewer has chosen another position in the meantime
      this.choices?.prepare();
      await this.player.load(place.address, place.time, kind);
      this.native?.follow(session.expires_at);
      await this.loaded(session);
    } catch (error) {
      this.failed(error);
    }
  }

  /** @param {PlaybackSession} session */
  async loaded(session) {
    this.loading = false;
    const address = this.isStored ? storedAddress : this.isTrailer ? trailerAddress : watchAddress;
    history.replaceState(null, "", address(this.id) + (this.isHls && !this.isStored ? "&hls" : "")); // `from` applies once
    this.showWaiting(false);
    this.timeline.update();
    this.choices?.restore();
    this.extras.add(session).then(() => this.choices?.restore()); // the remembered subtitles may be among them
    this.describe(session.name);
    if (!this.isStored && !this.isTrailer && !this.encode.partial) offerDownload(this.at.download, this.id);
    if (!this.wantsToPlay) return;
    await this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.at["big-play"].hidden = false; // a user gesture is required first
      else if (error.name !== "AbortError") throw error;
    });
  }

  /**
   * Tell the system which film plays, and offer it the next episode.
   * @param {string} name
   */
  async describe(name) {
    const { artwork = null, kind = "" } = (await this.published) ?? {};
    this.system.describe(name, artwork);
    const next = kind === "episode" ? await this.next.episode() : null;
    if (next) this.system.offerNext(() => location.assign(next));
  }

  facts() {
    const encoding = this.encode.partial;
    const { duration, front } = this.encode.state;
    const whole = Number.isFinite(this.video.duration) && this.video.duration > 0 ? this.video.duration : 0;
    return {
      time: this.parts.awaited ?? this.video.currentTime,
      duration: encoding ? duration : whole || duration,
      begin: this.parts.playing?.from_s ?? 0,
      // While a film is growing, its manifest declares only the final length, not how much is available yet.
      front: encoding ? (this.parts.playing?.until_s ?? front) : whole || duration,
      encoding,
      buffered: this.video.buffered,
    };
  }

  /** @param {number} target in seconds */
  seek(target) {
    const facts = this.facts();
    const time = reachable(target, facts);
    const chosen = Math.min(Math.max(0, target), facts.duration);
    const isElsewhere = Math.abs(chosen - time) > 1 && (this.encode.running || chosen < facts.begin);
    if (this.usesParts() && (isElsewhere || this.parts.awaited !== null)) {
      this.jump(chosen);
      return;
    }
    if (facts.encoding && target > time + 1) this.notices.notice(t("watch.available_up_so_far", { time: clock(facts.front) }));
    this.video.currentTime = time;
    this.timeline.update();
  }

  /** Return whether the player can play parts of a growing film; HLS plays it from its start, and downloads are whole. */
  usesParts() {
    return !this.native && !this.isHls && !this.isStored;
  }

  /**
   * Open the film at a position that is not in the part that plays.
   * @param {number} position
   */
  jump(position) {
    this.loading = true;
    this.video.pause();
    this.stoppedAt = position;
    this.load();
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
    if (starved && this.hasOtherQualities()) this.reopen({ failed: true });
    else if (stuck && this.ending.due) this.failed(this.ending.due);
    else if (stuck && front && !this.encode.running) this.failed(Object.assign(new Error(t("watch.film_incomplete")), { code: "encode_stopped" }));
    else this.showWaiting(stuck, front ? t("watch.waiting_for_next_part") : this.recovery.trouble ? t("watch.waiting_for_connection") : "");
  }

  /** Return whether the film was opened while only its original could be played, but is complete now. */
  hasOtherQualities() {
    return this.openedEarly && !this.encode.partial && !this.player.isInProgress() && heightsOf(this.player.getVariantTracks()).length === 1;
  }

  /** @param {boolean} on */
  showWaiting(on, text = "") {
    this.at.wait.hidden = !on;
    this.at["wait-text"].textContent = text;
  }

  /** @param {EncodeState} before */
  encodeChanged(before) {
    const { status, percent, uploaded } = this.encode.state;
    const progress = uploaded === null ? t("watch.encoding", { percent }) : t("watch.uploading", { percent: uploaded });
    this.root.classList.toggle("is-encoding", this.encode.partial);
    say(this.at.badge, this.encode.running ? progress : "");
    this.timeline.update();
    if (before.status !== "encoding" || this.encode.running) return;
    if (status === "failed") this.notices.tell({ encode: t("watch.rest_film_not_ready") });
    else this.session.renew().then((session) => this.extras.add(session), (error) => this.note(error)); // thumbnails now exist
  }

  /** @param {any} error */
  note(error) {
    this.errors.push(String(error.code ?? error.message ?? error));
  }

  /**
   * Show why the film does not play. An earlier message stays, because it may try again by itself.
   * @param {any} error
   */
  async failed(error) {
    const { LOAD_INTERRUPTED, VIDEO_ERROR } = window.shaka?.util.Error.Code ?? {};
    if (error.code === LOAD_INTERRUPTED && LOAD_INTERRUPTED) return; // a newer load has replaced this one
    this.note(error);
    if (this.problem.shown) return;
    if (error.code === VIDEO_ERROR && this.native?.mayPass()) error.unreachable = true;
    if (this.video.currentTime > 0) this.stoppedAt = this.video.currentTime;
    this.loading = true; // until the viewer tries again
    this.ending.reset();
    this.video.pause();
    this.usage.tally.waits(false);
    this.showWaiting(false);
    this.stopped = error.code === "stream_stopped";
    error.lapsed = Boolean(this.session.data);
    if (error.status === 402) error.suspended = await isSuspended();
    this.problem.show(explained(error, window.shaka));
  }
}

const page = rootOf("player");
if (page) new Watch(page, new URLSearchParams(location.search).get("id") ?? "").start();
