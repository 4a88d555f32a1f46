/**
 * Frames of a title's film as its pictures. The browser decodes them from the film itself, so every film has them, in
 * its best resolution, and nothing needs to be stored for them.
 */
import { hook, hooks, piece, say } from "../dom.js";
import { pause, RequestError } from "../net.js";
import { authorized } from "../account/session.js";
import { SETTINGS } from "../player/engine.js";
import { Session } from "../player/session.js";
import { causeOf } from "../player/recovery.js";
import { loadShaka } from "../player/shaka.js";
import { clock } from "../text.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */
/** @typedef {(title: Title, slot: string, file: File) => unknown} Use */

const COUNT = 6;
const TALLEST = 1080;
const QUALITY = 0.92;
const FRAME_MS = 30_000;
/** A picture that is not reported as shown by then, such as one that lasts for many seconds, is used as it is. */
const SHOWN_MS = 3000;
const NOT_LOADED = t("frames.film_does_not_load");
/** Successive multiples of the golden ratio fall into the widest gap, so every round shows new places of the film. */
const GOLDEN_RATIO = 0.618;

/**
 * Return times in seconds that are spread evenly over a film; each round has others.
 * @param {number} durationS
 * @param {number} round 0, 1, …
 */
export function frameTimes(durationS, round) {
  const shift = (0.5 + round * GOLDEN_RATIO) % 1;
  return Array.from({ length: COUNT }, (_, number) => (durationS * (number + shift)) / COUNT);
}

/**
 * Return the largest picture that is not taller than 1080 lines; the smallest, if all are taller.
 * @template {{ height: number | null }} T
 * @param {T[]} tracks
 */
export function bestTrack(tracks) {
  const sorted = [...tracks].sort((one, other) => (other.height ?? 0) - (one.height ?? 0));
  return sorted.find(({ height }) => (height ?? 0) <= TALLEST) ?? sorted.at(-1);
}

/**
 * Return what to tell the owner about an error of the API or of Shaka; "" for any other.
 * @param {any} error
 */
function troubleText(error) {
  const cause = causeOf(error);
  if (cause instanceof RequestError) return cause.message;
  return window.shaka && error instanceof window.shaka.util.Error ? NOT_LOADED : "";
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob | null>}
 */
const jpegOf = (canvas) => new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });

/** A film that is opened for its frames; it makes no sound and is not on the page. */
class FrameReader {
  /**
   * @param {any} shaka
   * @param {HTMLVideoElement} video
   */
  constructor(shaka, video) {
    this.player = new shaka.Player();
    this.video = video;
    /** @type {Promise<never>} */
    this.failing = new Promise((_resolve, reject) => { this.player.addEventListener("error", (/** @type {any} */ { detail }) => reject(detail)); });
    this.failing.catch(() => {}); // whoever waits for a frame handles it
    this.noteShown();
  }

  /**
   * @param {HTMLElement} root
   * @param {Title} title
   */
  static async open(root, title) {
    const shaka = await loadShaka(root);
    shaka.polyfill.installAll();
    if (!shaka.Player.isBrowserSupported()) throw new RequestError(0, "unsupported", t("frames.browser_cannot_show_frames"));
    const session = new Session(() => authorized(`titles/${encodeURIComponent(title.id)}/preview`));
    const opened = await session.renew();
    // browsers do not let pages read the pictures of an encrypted film
    if (opened.clear_keys) throw new RequestError(0, "encrypted", t("frames.film_encrypted"));
    const reader = new FrameReader(shaka, document.createElement("video"));
    reader.durationS = opened.duration_s ?? 0;
    try {
      await reader.load(opened.manifest_url, session);
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  durationS = 0;
  /** The time in seconds of the picture that the video shows. */
  shownS = -Infinity;
  onShown = () => {};

  noteShown() {
    this.video.requestVideoFrameCallback?.((_now, { mediaTime }) => {
      this.shownS = mediaTime;
      this.onShown();
      this.noteShown();
    });
  }

  /**
   * Wait until the picture at a time is shown: a video that has been seeked can still show the one before.
   * @param {number} time
   */
  async shown(time) {
    if (!this.video.requestVideoFrameCallback) return;
    const mostS = this.durationS / COUNT / 2;
    const isThere = new Promise((/** @type {(value?: any) => void} */ resolve) => {
      this.onShown = () => { if (Math.abs(this.shownS - time) < mostS) resolve(); };
      this.onShown();
    });
    await Promise.race([isThere, pause(SHOWN_MS)]);
  }

  /**
   * @param {string} address
   * @param {Session} session
   */
  async load(address, session) {
    const { player, video } = this;
    video.muted = true;
    await player.attach(video);
    player.configure(SETTINGS);
    player.configure({ manifest: { disableAudio: true, disableText: true }, streaming: { bufferingGoal: 1, rebufferingGoal: 0.1 }, abr: { enabled: false } });
    player.getNetworkingEngine().registerRequestFilter(async (/** @type {any} */ _type, /** @type {{ uris: string[] }} */ request) => {
      request.uris = await Promise.all(request.uris.map((uri) => session.signed(uri)));
    });
    await this.inTime(player.load(address, frameTimes(this.durationS, 0)[0]));
    player.selectVariantTrack(bestTrack(player.getVariantTracks()), true);
  }

  /**
   * Wait for a part of the work; raise an error if the player fails or the work takes too long.
   * @param {Promise<unknown>} work
   */
  async inTime(work) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new RequestError(0, "unreachable", NOT_LOADED)), FRAME_MS); });
    try {
      await Promise.race([work, this.failing, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Return the picture at a time in seconds.
   * @param {number} time
   * @returns {Promise<HTMLCanvasElement>}
   */
  async frame(time) {
    const { video } = this;
    await this.inTime(new Promise((resolve) => {
      video.addEventListener("seeked", resolve, { once: true });
      video.currentTime = time;
    }));
    await this.shown(time);
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    return canvas;
  }

  close() {
    return this.player.destroy();
  }
}

export class FilmFrames {
  /**
   * `use(title, slot, file)` makes a frame the poster or the backdrop of its title; `open` opens a title's film.
   * @param {HTMLElement} root
   * @param {{ use: Use, open?: typeof FrameReader.open }} how
   */
  constructor(root, { use, open = FrameReader.open }) {
    this.root = root;
    this.at = hooks(root);
    this.use = use;
    this.openFilm = open;
    /** @type {Title | null} */
    this.title = null;
    this.round = 0;
    this.turn = 0;
    this.at["frames-show"].addEventListener("click", () => this.show());
  }

  /**
   * Begin with a title, of which no frames are shown yet.
   * @param {Title} title
   */
  begin(title) {
    const { at } = this;
    this.end();
    this.title = title;
    this.round = 0;
    at.frames.hidden = !title.playback || title.status !== "ready";
    at["frame-list"].replaceChildren();
    at["frames-word"].textContent = t("frames.show_frames");
    say(at["frames-said"], "");
  }

  /** Stop loading frames, because the dialog is closed. */
  end() {
    this.turn += 1;
    this.setBusy(false);
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    const { at } = this;
    at["frames-show"].classList.toggle("is-busy", busy);
    if (busy) at["frames-show"].setAttribute("aria-disabled", "true");
    else at["frames-show"].removeAttribute("aria-disabled");
  }

  /** Show the next frames of the film; they appear one after the other. */
  async show() {
    const { at, title, root } = this;
    if (!title || at["frames-show"].getAttribute("aria-disabled") === "true") return;
    const turn = (this.turn += 1);
    this.setBusy(true);
    say(at["frames-said"], t("frames.loading_film"));
    at["frame-list"].replaceChildren();
    /** @type {FrameReader | null} */
    let reader = null;
    try {
      reader = await this.openFilm(root, title);
      for (const time of frameTimes(reader.durationS, this.round)) {
        if (turn !== this.turn) break;
        const frame = await reader.frame(time);
        if (turn === this.turn) at["frame-list"].append(this.node(title, frame, time)); // otherwise another title is shown
      }
      if (turn === this.turn) say(at["frames-said"], "");
    } catch (error) {
      const text = troubleText(error);
      if (!text) throw error;
      if (turn === this.turn) say(at["frames-said"], text);
    } finally {
      await reader?.close();
      if (turn === this.turn) {
        this.round += 1;
        at["frames-word"].textContent = t("frames.show_other_frames");
        this.setBusy(false);
      }
    }
  }

  /**
   * @param {Title} title
   * @param {HTMLCanvasElement} canvas
   * @param {number} time
   */
  node(title, canvas, time) {
    const node = piece("frame");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t("frames.film_at", { time: clock(time) }));
    hook(node, "art").append(canvas);
    for (const slot of ["poster", "backdrop"]) {
      const button = hook(node, slot);
      button.setAttribute("aria-label", t(slot === "poster" ? "frames.use_as_poster" : "frames.use_as_backdrop", { time: clock(time) }));
      button.addEventListener("click", async () => {
        const jpeg = await jpegOf(canvas);
        if (jpeg) await this.use(title, slot, new File([jpeg], "frame.jpg", { type: "image/jpeg" }));
      });
    }
    return node;
  }
}
