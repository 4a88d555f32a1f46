/**
 * The seek bar: the position, the loaded part, the encoded part, and a thumbnail for the position under the pointer.
 */
import { clock } from "../text.js";
import { hooks } from "../dom.js";
import { t } from "../texts.js";

/** @typedef {Pick<TimeRanges, "length" | "start" | "end">} Ranges */
/**
 * @typedef {object} Facts the state of the film; times in seconds
 * @property {number} time
 * @property {number} duration
 * @property {number} begin the beginning of the encoded part that plays
 * @property {number} front the end of the encoded part that plays
 * @property {boolean} encoding
 * @property {Ranges} buffered
 */
/** @typedef {{ address: string, x: number, y: number, width: number, height: number }} Thumbnail a part of a sheet of pictures */

const FRONT_MARGIN_S = 1;
const NEXT_PART_S = 6;

/**
 * Return whether the film is waiting for a part that has not been encoded yet. The margin is one segment plus the part
 * that may have been encoded since the last poll, because the player does not know about that part yet.
 * @param {{ encoding: boolean, time: number, front: number }} facts
 */
export const atFront = ({ encoding, time, front }) => encoding && time >= front - NEXT_PART_S;

/**
 * Return the available position nearest to `target`: inside the film and within the encoded part that plays.
 * @param {number} target
 * @param {Pick<Facts, "duration" | "front" | "encoding"> & { begin?: number }} facts
 */
export function reachable(target, { duration, front, encoding, begin = 0 }) {
  const last = encoding ? Math.min(duration, Math.max(0, front - FRONT_MARGIN_S)) : duration;
  return Math.min(Math.max(begin, target), Math.max(begin, last));
}

/**
 * Return the end of the buffered range around `time`, or `time` itself if nothing is buffered there.
 * @param {Ranges} ranges
 * @param {number} time
 */
export function bufferedEnd(ranges, time) {
  for (let index = 0; index < ranges.length; index += 1) {
    if (ranges.start(index) <= time + 0.1 && time <= ranges.end(index)) return ranges.end(index);
  }
  return time;
}

/**
 * Return the centre, in pixels, at which a preview of `width` pixels stays inside a bar of `whole` pixels.
 * @param {number} at
 * @param {number} width
 * @param {number} whole
 */
export const previewLeft = (at, width, whole) => Math.min(Math.max(at, width / 2), Math.max(width / 2, whole - width / 2));

export class Timeline {
  #at;
  #root;
  #facts;
  #seek;
  #thumbnail;
  #chapter;
  #isScrubbing = false;
  #previewed = -1;

  /**
   * @param {HTMLElement} root
   * @param {{ facts: () => Facts, seek: (time: number) => void, thumbnail: (time: number) => Promise<Thumbnail | null>, chapter?: (time: number) => string }} film
   */
  constructor(root, { facts, seek, thumbnail, chapter = () => "" }) {
    this.#root = root;
    this.#at = hooks(root);
    this.#facts = facts;
    this.#seek = seek;
    this.#thumbnail = thumbnail;
    this.#chapter = chapter;
    const { range, track, preview } = this.#at;
    range.addEventListener("input", () => this.scrubTo(Number(range.value)));
    range.addEventListener("change", () => this.release(Number(range.value)));
    track.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (event.pointerType === "touch" && !this.#isScrubbing) return;
      const box = track.getBoundingClientRect();
      this.#preview(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.#facts().duration);
    });
    track.addEventListener("pointerleave", () => { if (!this.#isScrubbing) preview.hidden = true; });
    track.addEventListener("pointercancel", () => this.abandon());
  }

  /**
   * Show a position to which the viewer may seek, while the film keeps playing.
   * @param {number} time
   */
  scrubTo(time) {
    this.#scrub(true);
    this.#at.range.value = String(time);
    this.#show(time);
    this.#preview(time);
  }

  /**
   * Seek to the position at which scrubbing ends.
   * @param {number} time
   */
  release(time) {
    this.#seek(time);
    this.abandon();
  }

  /** End scrubbing without a seek. */
  abandon() {
    this.#scrub(false);
    this.#at.preview.hidden = true;
    this.update();
  }

  update() {
    const { time, duration, begin, front, encoding, buffered } = this.#facts();
    const share = (/** @type {number} */ seconds) => (duration ? Math.min(1, seconds / duration) : 0);
    const { range, track } = this.#at;
    range.max = String(Math.max(1, Math.round(duration)));
    track.style.setProperty("--begin", share(begin));
    track.style.setProperty("--front", encoding ? share(front) : 1);
    track.style.setProperty("--buffered", share(bufferedEnd(buffered, time)));
    this.#at.duration.textContent = clock(Math.round(duration));
    if (!this.#isScrubbing) {
      range.value = String(time);
      this.#show(time);
    }
  }

  /** @param {number} time */
  #show(time) {
    const { duration } = this.#facts();
    this.#at.track.style.setProperty("--played", duration ? Math.min(1, time / duration) : 0);
    this.#at.time.textContent = clock(time);
    this.#at.range.setAttribute("aria-valuetext", t("player.time_of", { time: clock(time), duration: clock(duration) }));
  }

  /** @param {boolean} on */
  #scrub(on) {
    this.#isScrubbing = on;
    this.#root.classList.toggle("is-scrubbing", on);
  }

  /** @param {number} time */
  async #preview(time) {
    const { preview, track } = this.#at;
    const picture = this.#at["preview-picture"];
    const { duration, begin, front, encoding } = this.#facts();
    if (!duration) return;
    this.#previewed = time;
    const exists = !encoding || (begin <= time && time <= front);
    const chapter = this.#chapter(time);
    this.#at["preview-time"].textContent = exists ? [clock(time), chapter].filter(Boolean).join(" · ") : t("player.not_yet", { time: clock(time) });
    const place = () => {
      const at = (time / duration) * track.clientWidth;
      preview.style.left = `${previewLeft(at, preview.offsetWidth, track.clientWidth)}px`;
    };
    preview.hidden = false;
    place();
    const piece = exists ? await this.#thumbnail(time) : null;
    if (this.#previewed !== time) return; // the pointer has moved in the meantime
    picture.hidden = !piece;
    if (piece) {
      Object.assign(picture.style, {
        width: `${piece.width}px`,
        height: `${piece.height}px`,
        backgroundImage: `url("${piece.address}")`,
        backgroundPosition: `-${piece.x}px -${piece.y}px`,
      });
    }
    place();
  }
}
