/** On a touch screen, a horizontal drag over the film seeks. */

/** A drag over the whole width moves by this time, in seconds, or by the whole film if it is shorter. */
const WIDTH_S = 180;
/** A touch that has moved less than this is a tap. */
const LEAST_PX = 16;

/**
 * Return the position in seconds to which a drag leads: `from` is where it began, and `by` how far it went over a stage
 * of `width` pixels.
 * @param {{ from: number, by: number, width: number, duration: number }} drag
 */
export const timeForDrag = ({ from, by, width, duration }) => Math.min(duration, Math.max(0, from + (by / width) * Math.min(WIDTH_S, duration)));

/**
 * Return whether a touch that has moved by (x, y) pixels drags sideways.
 * @param {number} x
 * @param {number} y
 */
export const isDrag = (x, y) => Math.abs(x) >= LEAST_PX && Math.abs(x) > 2 * Math.abs(y);

/**
 * @param {HTMLElement} stage
 * @param {{
 *   facts: () => { time: number, duration: number },
 *   timeline: { scrubTo: (time: number) => void, release: (time: number) => void, abandon: () => void },
 * }} parts
 */
export function bindDrag(stage, { facts, timeline }) {
  /** @type {{ id: number, x: number, y: number, from: number, duration: number, to: number | null } | null} */
  let touch = null;
  const ends = (/** @type {PointerEvent} */ event, /** @type {(to: number) => void} */ end) => {
    if (touch?.id !== event.pointerId) return;
    if (touch.to !== null) end(touch.to);
    touch = null;
  };
  stage.addEventListener("pointerdown", ({ pointerType, isPrimary, pointerId, clientX, clientY }) => {
    if (pointerType !== "touch" || !isPrimary) return;
    const { time, duration } = facts();
    touch = duration ? { id: pointerId, x: clientX, y: clientY, from: time, duration, to: null } : null;
  });
  stage.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
    if (touch?.id !== pointerId) return;
    const by = clientX - touch.x;
    if (touch.to === null && !isDrag(by, clientY - touch.y)) return;
    touch.to = timeForDrag({ from: touch.from, by, width: stage.clientWidth, duration: touch.duration });
    timeline.scrubTo(touch.to);
  });
  stage.addEventListener("pointerup", (event) => ends(event, (to) => timeline.release(to)));
  stage.addEventListener("pointercancel", (event) => ends(event, () => timeline.abandon()));
}
