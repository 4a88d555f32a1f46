/** Buttons, keys and the rest of the controls after three seconds of rest. */
import { hooks } from "../dom.js";

const REST_MS = 3000;

/** What a key does: the name of an act and its argument, or null. Keys with a modifier belong to the browser. */
export function actForKey({ key, ctrlKey = false, metaKey = false, altKey = false }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (/^[0-9]$/.test(key)) return ["tenth", Number(key)];
  const acts = {
    " ": ["play"], k: ["play"], ArrowLeft: ["skip", -10], ArrowRight: ["skip", 10], j: ["skip", -30], l: ["skip", 30],
    ArrowUp: ["louder", 0.1], ArrowDown: ["louder", -0.1], m: ["mute"], c: ["captions"], f: ["full"], "?": ["help"],
  };
  return acts[key.length === 1 ? key.toLowerCase() : key] ?? null;
}

const storage = {
  read: () => { try { return JSON.parse(localStorage.getItem("notflix.player") ?? "{}"); } catch { return {}; } }, // refused or garbled: defaults
  write: (value) => { try { localStorage.setItem("notflix.player", JSON.stringify(value)); } catch { /* refused: not kept */ } },
};
export const remembered = storage.read;
export const remember = (change) => storage.write({ ...storage.read(), ...change });

function toggleFull(root, video) {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (root.requestFullscreen) return root.requestFullscreen();
  return video.webkitEnterFullscreen(); // iPhones give only the video the whole screen
}

/** Everything a person can do; `seek(time)` keeps inside what is there. */
export function actsOn({ root, video, seek, captions, shortcuts }) {
  const volume = (value) => {
    video.volume = Math.round(Math.min(1, Math.max(0, value)) * 100) / 100;
    video.muted = video.volume === 0;
  };
  return {
    play: () => (video.paused ? video.play() : video.pause()),
    skip: (seconds) => seek(video.currentTime + seconds),
    back: () => seek(video.currentTime - 10),
    forward: () => seek(video.currentTime + 10),
    tenth: (digit) => seek((video.duration * digit) / 10),
    volume,
    louder: (by) => volume((video.muted ? 0 : video.volume) + by),
    mute: () => {
      if (video.muted && video.volume === 0) volume(0.5);
      else video.muted = !video.muted;
    },
    captions,
    pip: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()),
    full: () => toggleFull(root, video),
    help: () => (shortcuts.open ? shortcuts.close() : shortcuts.showModal()),
  };
}

const LABELS = { play: ["Play", "Pause"], mute: ["Mute", "Sound on"], full: ["Full screen", "Leave full screen"] };

function showState(root, act, on) {
  const button = root.querySelector(`[data-act="${act}"]`);
  const label = LABELS[act][on ? 1 : 0];
  button.classList.toggle("is-on", on);
  button.setAttribute("aria-label", label);
  button.title = label;
}

function bindButtons(root, video, acts) {
  for (const button of root.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());
  root.querySelector('[data-act="pip"]').hidden = !document.pictureInPictureEnabled;
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

function bindKeys(root, acts) {
  document.addEventListener("keydown", (event) => {
    const act = actForKey(event);
    const on = event.target;
    const pressesItself = event.key === " " && on.matches?.("button, a"); // a focused button has the space key for itself
    const isTyping = on.matches?.('input:not([type="range"]), textarea, select');
    if (!act || pressesItself || isTyping) return;
    event.preventDefault();
    acts[act[0]](act[1]);
  });
}

function bindStage(root, stage, acts, rest) {
  let touch = false;
  stage.addEventListener("pointerdown", (event) => { touch = event.pointerType === "touch"; });
  stage.addEventListener("click", () => {
    if (!touch) acts.play();
    else if (root.classList.contains("is-resting")) rest.wake();
    else rest.now();
  });
  stage.addEventListener("dblclick", () => acts.full());
}

/** Let the controls leave when nothing moved for a while; `mayRest()` says when they must stay. */
function bindRest(root, mayRest) {
  let timer = 0;
  const now = () => { if (mayRest()) root.classList.add("is-resting"); };
  const wake = () => {
    root.classList.remove("is-resting");
    clearTimeout(timer);
    timer = setTimeout(() => { if (mayRest()) now(); else wake(); }, REST_MS);
  };
  for (const name of ["pointermove", "keydown", "focusin"]) {
    root.addEventListener(name, (event) => { if (event.pointerType !== "touch" || event.target.closest("[data-chrome]")) wake(); });
  }
  root.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") now(); });
  wake();
  return { wake, now };
}

/** Bind it all. */
export function bindControls(root, { video, stage, acts, menus }) {
  const rest = bindRest(root, () => !video.paused && !video.ended && !menus.isOpen() && !root.classList.contains("is-scrubbing"));
  for (const name of ["pause", "play", "ended"]) video.addEventListener(name, rest.wake);
  bindButtons(root, video, acts);
  bindKeys(root, acts);
  bindStage(root, stage, acts, rest);
}
