/** Buttons, keys and touch; the controls disappear after three seconds without input. */
import { hooks } from "../dom.js";
import { remember, remembered } from "./remembered.js";
import { t } from "../texts.js";

/** @typedef {Record<string, (argument?: any) => any>} Acts all actions of a viewer, by name */

const REST_MS = 3000;
const DOUBLE_TAP_MS = 300;
const SKIP_S = 10;

/**
 * Return the action of a key as its name and argument, or null. Keys with a modifier are left to the browser.
 * @param {{ key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean }} event
 * @returns {[string, number?] | null}
 */
export function actForKey({ key, ctrlKey = false, metaKey = false, altKey = false }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (/^[0-9]$/.test(key)) return ["tenth", Number(key)];
  /** @type {Record<string, [string, number?]>} */
  const acts = {
    " ": ["play"], k: ["play"], ArrowLeft: ["skip", -10], ArrowRight: ["skip", 10], j: ["skip", -30], l: ["skip", 30],
    ArrowUp: ["louder", 0.1], ArrowDown: ["louder", -0.1], m: ["mute"], c: ["captions"], f: ["full"], s: ["pass"], t: ["transcript"], "?": ["help"],
  };
  return acts[key.length === 1 ? key.toLowerCase() : key] ?? null;
}

/**
 * Return how many seconds to skip for a second tap at `x` on a stage `width` wide: negative in the left third, positive
 * in the right third, 0 in the middle.
 * @param {number} x
 * @param {number} width
 */
export const skipForTap = (x, width) => (x < width / 3 ? -SKIP_S : x > (2 * width) / 3 ? SKIP_S : 0);

/**
 * Restore the stored volume; show the unmute button if the film begins muted.
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} unmute
 */
export function bindSound(video, unmute) {
  const { volume = 1, muted = false } = remembered();
  video.volume = volume;
  video.muted = muted;
  video.addEventListener("playing", () => { unmute.hidden = !video.muted; }, { once: true });
  video.addEventListener("volumechange", () => { if (!video.muted) unmute.hidden = true; });
  unmute.addEventListener("click", () => { video.muted = false; });
}

/**
 * @param {HTMLElement} root
 * @param {HTMLVideoElement} video
 */
function toggleFull(root, video) {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (root.requestFullscreen) return root.requestFullscreen();
  return video.webkitEnterFullscreen?.();
}

/**
 * Return all actions of a viewer; `seek(time)` stays within the available part of the film.
 * @param {{
 *   root: HTMLElement, video: HTMLVideoElement, seek: (time: number) => void, captions: () => void, pass: () => void,
 *   transcript: () => void, shortcuts: HTMLDialogElement,
 * }} parts
 * @returns {Acts}
 */
export function actsOn({ root, video, seek, captions, pass, transcript, shortcuts }) {
  const volume = (/** @type {number} */ value) => {
    video.volume = Math.round(Math.min(1, Math.max(0, value)) * 100) / 100;
    video.muted = video.volume === 0;
  };
  return {
    play: () => (video.paused ? video.play() : video.pause()),
    skip: (seconds) => seek(video.currentTime + seconds),
    back: () => seek(video.currentTime - SKIP_S),
    forward: () => seek(video.currentTime + SKIP_S),
    tenth: (digit) => seek((video.duration * digit) / 10),
    volume,
    louder: (by) => volume((video.muted ? 0 : video.volume) + by),
    mute: () => {
      if (video.muted && video.volume === 0) volume(0.5);
      else video.muted = !video.muted;
    },
    captions,
    pass,
    transcript,
    pip: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()),
    airplay: () => video.webkitShowPlaybackTargetPicker?.(),
    full: () => toggleFull(root, video),
    help: () => (shortcuts.open ? shortcuts.close() : shortcuts.showModal()),
  };
}

/** The actions that do not concern the film. */
const ALWAYS = new Set(["full", "help", "transcript"]);

/**
 * Return the same actions; while `isCovered()`, because a message has taken the place of the film, those on the film do
 * nothing.
 * @param {Acts} acts
 * @param {() => boolean} isCovered
 * @returns {Acts}
 */
export const unlessCovered = (acts, isCovered) =>
  Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, (argument) => (isCovered() && !ALWAYS.has(name) ? undefined : act(argument))]));

/** @type {Record<string, [string, string]>} */
const LABELS = { play: [t("common.play"), t("common.pause")], mute: [t("player.mute"), t("player.unmute")], full: [t("player.full_screen"), t("player.exit_full_screen")] };

/**
 * @param {HTMLElement} root
 * @param {string} act
 * @param {boolean} on
 */
function showState(root, act, on) {
  const button = /** @type {HTMLElement} */ (root.querySelector(`[data-act="${act}"]`));
  const label = LABELS[act][on ? 1 : 0];
  button.classList.toggle("is-on", on);
  button.setAttribute("aria-label", label);
  button.title = label;
}

/**
 * @param {HTMLElement} root
 * @param {HTMLVideoElement} video
 * @param {Acts} acts
 */
function bindButtons(root, video, acts) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-act]"))) {
    button.addEventListener("click", () => acts[button.dataset.act ?? ""]());
    if (button.dataset.act === "pip") button.hidden = !document.pictureInPictureEnabled;
  }
  const airplay = /** @type {HTMLElement} */ (root.querySelector('[data-act="airplay"]'));
  video.addEventListener("webkitplaybacktargetavailabilitychanged", (/** @type {any} */ { availability }) => { airplay.hidden = availability !== "available"; });
  const { volume } = hooks(root);
  const paint = () => {
    const level = video.muted ? 0 : video.volume;
    volume.value = String(level);
    volume.style.setProperty("--share", `${level * 100}%`);
    showState(root, "mute", level === 0);
    remember({ volume: video.volume, muted: video.muted });
  };
  volume.addEventListener("input", () => acts.volume(Number(volume.value)));
  video.addEventListener("volumechange", paint);
  for (const name of ["play", "pause", "ended", "emptied"]) video.addEventListener(name, () => showState(root, "play", !video.paused));
  document.addEventListener("fullscreenchange", () => showState(root, "full", Boolean(document.fullscreenElement)));
  paint();
}

/** @param {Acts} acts */
function bindKeys(acts) {
  document.addEventListener("keydown", (event) => {
    const act = actForKey(event);
    const on = event.target instanceof Element ? event.target : null;
    const pressesItself = event.key === " " && on?.matches("button, a"); // the space key activates a focused button
    const isTyping = on?.matches('input:not([type="range"]), textarea, select');
    if (!act || pressesItself || isTyping) return;
    event.preventDefault();
    acts[act[0]](act[1]);
  });
}

/**
 * A click plays or pauses, and a double click toggles full screen. A tap shows or hides the controls; a second tap at
 * one side skips, and so does each further tap that follows soon.
 * @param {HTMLElement} root
 * @param {HTMLElement} stage
 * @param {Acts} acts
 * @param {{ wake: () => void, now: () => void }} rest
 */
function bindStage(root, stage, acts, rest) {
  const { skipped } = hooks(root);
  let isTouch = false;
  let tappedAt = -Infinity;
  let tappedSkip = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  const tap = (/** @type {MouseEvent} */ event) => {
    const skip = skipForTap(event.clientX, stage.clientWidth);
    const isSecond = event.timeStamp - tappedAt < DOUBLE_TAP_MS && skip === tappedSkip;
    tappedAt = event.timeStamp;
    tappedSkip = skip;
    if (!isSecond || !skip) return false;
    acts.skip(skip);
    skipped.textContent = skip > 0 ? t("player.skipped_forward", { seconds: skip }) : t("player.skipped_back", { seconds: -skip });
    skipped.dataset.side = skip > 0 ? "right" : "left";
    skipped.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { skipped.hidden = true; }, 2 * DOUBLE_TAP_MS);
    return true;
  };
  stage.addEventListener("pointerdown", (event) => { isTouch = event.pointerType === "touch"; });
  stage.addEventListener("click", (event) => {
    if (!isTouch) acts.play();
    else if (tap(event)) return;
    else if (root.classList.contains("is-resting")) rest.wake();
    else rest.now();
  });
  stage.addEventListener("dblclick", () => { if (!isTouch) acts.full(); });
}

/**
 * Hide the controls after a while without input; they stay visible while `mayRest()` returns false.
 * @param {HTMLElement} root
 * @param {() => boolean} mayRest
 */
function bindRest(root, mayRest) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const now = () => { if (mayRest()) root.classList.add("is-resting"); };
  const wake = () => {
    root.classList.remove("is-resting");
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (mayRest()) now();
      else wake();
    }, REST_MS);
  };
  const onChrome = (/** @type {Event} */ { target }) => target instanceof Element && Boolean(target.closest("[data-chrome]"));
  root.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch" || onChrome(event)) wake(); });
  root.addEventListener("keydown", wake);
  root.addEventListener("focusin", wake);
  root.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") now(); });
  wake();
  return { wake, now };
}

/**
 * Bind the whole player.
 * @param {HTMLElement} root
 * @param {{ video: HTMLVideoElement, stage: HTMLElement, acts: Acts, menus: { isOpen: () => boolean } }} parts
 */
export function bindControls(root, { video, stage, acts, menus }) {
  const rest = bindRest(root, () => !video.paused && !video.ended && !menus.isOpen() && !root.classList.contains("is-scrubbing"));
  for (const name of ["pause", "play", "ended"]) video.addEventListener(name, rest.wake);
  bindButtons(root, video, acts);
  bindKeys(acts);
  bindStage(root, stage, acts, rest);
}
