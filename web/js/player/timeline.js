/** The seek bar: where one is, what is loaded, what is encoded, and a picture of what lies under the pointer. */
import { clock } from "../text.js";
import { hooks } from "../dom.js";

const FRONT_MARGIN_S = 1;

/** A place to seek to that exists: inside the film and, while it encodes, short of what is not there yet. */
export function reachable(target, { duration, front, encoding }) {
  const last = encoding ? Math.min(duration, Math.max(0, front - FRONT_MARGIN_S)) : duration;
  return Math.min(Math.max(0, target), Math.max(0, last));
}

/** The end of the buffered range around `time`, `time` itself when nothing is buffered there. */
export function bufferedEnd(ranges, time) {
  for (let index = 0; index < ranges.length; index += 1) {
    if (ranges.start(index) <= time + 0.1 && time <= ranges.end(index)) return ranges.end(index);
  }
  return time;
}

/** Left edge in pixels that keeps a preview of `width` inside a bar of `whole` pixels. */
export const previewLeft = (at, width, whole) => Math.min(Math.max(at, width / 2), Math.max(width / 2, whole - width / 2));

export class Timeline {
  #at;
  #root;
  #facts;
  #seek;
  #thumbnail;

  /** `facts()` gives {time, duration, front, encoding, buffered}; `thumbnail(time)` a promise of a sprite's piece or null. */
  constructor(root, { facts, seek, thumbnail }) {
    this.#root = root;
    this.#at = hooks(root);
    this.#facts = facts;
    this.#seek = seek;
    this.#thumbnail = thumbnail;
    const { range, track, preview } = this.#at;
    range.addEventListener("input", () => {
      this.#scrub(true);
      this.#show(Number(range.value));
      this.#preview(Number(range.value));
    });
    range.addEventListener("change", () => {
      this.#seek(Number(range.value));
      this.#scrub(false);
      preview.hidden = true;
    });
    track.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch" && !this.scrubbing) return;
      const box = track.getBoundingClientRect();
      this.#preview(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.#facts().duration);
    });
    track.addEventListener("pointerleave", () => { if (!this.scrubbing) preview.hidden = true; });
    track.addEventListener("pointercancel", () => { this.#scrub(false); preview.hidden = true; });
  }

  scrubbing = false;

  update() {
    const { time, duration, front, encoding, buffered } = this.#facts();
    const share = (seconds) => (duration ? Math.min(1, seconds / duration) : 0);
    const { range, track } = this.#at;
    range.max = String(Math.max(1, Math.round(duration)));
    track.style.setProperty("--front", encoding ? share(front) : 1);
    track.style.setProperty("--buffered", share(bufferedEnd(buffered, time)));
    this.#at.duration.textContent = clock(Math.round(duration));
    if (!this.scrubbing) {
      range.value = String(time);
      this.#show(time);
    }
  }

  #show(time) {
    const { duration } = this.#facts();
    this.#at.track.style.setProperty("--played", duration ? Math.min(1, time / duration) : 0);
    this.#at.time.textContent = clock(time);
    this.#at.range.setAttribute("aria-valuetext", `${clock(time)} of ${clock(duration)}`);
  }

  #scrub(on) {
    this.scrubbing = on;
    this.#root.classList.toggle("is-scrubbing", on);
  }

  async #preview(time) {
    const { preview, track } = this.#at;
    const picture = this.#at["preview-picture"];
    const { duration, front, encoding } = this.#facts();
    if (!duration) return;
    this.previewed = time;
    const there = !encoding || time <= front;
    this.#at["preview-time"].textContent = there ? clock(time) : `${clock(time)}: not encoded yet`;
    const place = () => {
      const at = (time / duration) * track.clientWidth;
      preview.style.left = `${previewLeft(at, preview.offsetWidth, track.clientWidth)}px`;
    };
    preview.hidden = false;
    place();
    const piece = there ? await this.#thumbnail(time) : null;
    if (this.previewed !== time) return; // the pointer has moved on
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
