/** The player's two menus: subtitles and audio; quality and speed. */
import { hooks, piece, hook } from "../dom.js";
import { languageName } from "../text.js";
import { heightsOf, SPEEDS } from "./choices.js";
import { t } from "../texts.js";

/** @import { Choices, Track, VideoTrack } from "./choices.js" */
/** @typedef {{ label: string, chosen: boolean, choose: () => void }} Choice */
/** @typedef {{ heading: string, choices: Choice[], more?: { label: string, open: () => void } }} Group */

/** How the labels of captions end that were made automatically; manifests are in English. */
const AUTOMATIC = " (automatic)";

/**
 * Return a label that distinguishes a text or audio track from the others.
 * @param {Track} track
 */
export function trackLabel(track) {
  if (track.label?.endsWith(AUTOMATIC)) return t("player.automatic", { language: languageName(track.language) });
  return track.label || languageName(track.language);
}

/**
 * @param {any} player
 * @param {Choices} chosen
 * @param {() => void} openLook
 * @returns {Group | null}
 */
function subtitles(player, chosen, openLook) {
  /** @type {Track[]} */
  const tracks = player.getTextTracks();
  if (!tracks.length) return null;
  const off = { label: t("player.off"), chosen: !tracks.some((track) => track.active), choose: () => chosen.text(null) };
  const choices = tracks.map((track) => ({ label: trackLabel(track), chosen: Boolean(track.active), choose: () => chosen.text(track) }));
  return { heading: t("common.subtitles"), choices: [off, ...choices], more: { label: t("player.appearance"), open: openLook } };
}

/**
 * @param {any} player
 * @param {Choices} chosen
 * @returns {Group | null}
 */
function audio(player, chosen) {
  /** @type {Track[]} */
  const tracks = player.getAudioTracks();
  if (tracks.length < 2) return null;
  const choices = tracks.map((track) => ({ label: trackLabel(track), chosen: Boolean(track.active), choose: () => chosen.audio(track) }));
  return { heading: t("player.audio"), choices };
}

/**
 * @param {any} player
 * @param {Choices} chosen
 * @returns {Group}
 */
function quality(player, chosen) {
  /** @type {VideoTrack[]} */
  const tracks = player.getVideoTracks();
  const isAutomatic = player.getConfiguration().abr.enabled;
  const active = tracks.find((track) => track.active)?.height;
  const automatic = { label: isAutomatic && active ? t("player.auto_at", { height: `${active}p` }) : t("player.auto"), chosen: isAutomatic, choose: () => chosen.quality(0) };
  const heights = heightsOf(tracks).map((height) => ({ label: `${height}p`, chosen: !isAutomatic && height === active, choose: () => chosen.quality(height) }));
  return { heading: t("common.quality"), choices: [automatic, ...heights] };
}

/**
 * @param {HTMLVideoElement} video
 * @param {Choices} chosen
 * @returns {Group}
 */
function speed(video, chosen) {
  const choices = SPEEDS.map((rate) => ({ label: rate === 1 ? t("player.normal") : `${rate}×`, chosen: video.playbackRate === rate, choose: () => chosen.speed(rate) }));
  return { heading: t("player.speed"), choices };
}

/**
 * @param {Group} group
 * @param {() => void} done
 */
function groupNode({ heading, choices, more }, done) {
  const node = piece("menu-group");
  hook(node, "heading").textContent = heading;
  node.setAttribute("aria-label", heading);
  for (const { label, chosen, choose } of choices) {
    const button = piece("menu-choice");
    hook(button, "label").textContent = label;
    button.setAttribute("aria-pressed", String(chosen));
    button.addEventListener("click", () => {
      choose();
      done();
    });
    node.append(button);
  }
  if (more) {
    const button = piece("menu-more");
    button.textContent = more.label;
    button.addEventListener("click", () => {
      done();
      more.open();
    });
    node.append(button);
  }
  return node;
}

/**
 * Make the button in `anchor` open and close its panel, which `groups()` fills each time it opens.
 * @param {HTMLElement} anchor
 * @param {() => (Group | null)[]} groups
 */
function bindMenu(anchor, groups) {
  const { opener, panel } = hooks(anchor);
  const close = ({ refocus = false } = {}) => {
    if (panel.hidden) return;
    panel.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    if (refocus) opener.focus();
  };
  const open = () => {
    const shown = groups().filter((group) => group !== null);
    panel.replaceChildren(...shown.map((group) => groupNode(group, () => close({ refocus: true }))));
    panel.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    panel.querySelector('[aria-pressed="true"]')?.focus();
  };
  opener.addEventListener("click", () => (panel.hidden ? open() : close()));
  anchor.addEventListener("keydown", (event) => {
    if (panel.hidden) return;
    const choices = [...panel.querySelectorAll("button")];
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") close({ refocus: true });
    else if (step) choices[(choices.indexOf(document.activeElement) + step + choices.length) % choices.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", ({ target }) => { if (!(target instanceof Node && anchor.contains(target))) close(); });
  return { isOpen: () => !panel.hidden };
}

/**
 * Bind both menus.
 * @param {HTMLElement} root
 * @param {{ player: any, video: HTMLVideoElement, chosen: Choices, openLook: () => void }} parts
 */
export function bindMenus(root, { player, video, chosen, openLook }) {
  const anchor = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-menu="${name}"]`));
  const tracks = anchor("tracks");
  const menus = [
    bindMenu(tracks, () => [subtitles(player, chosen, openLook), audio(player, chosen)]),
    bindMenu(anchor("settings"), () => [quality(player, chosen), speed(video, chosen)]),
  ];
  const update = () => { tracks.hidden = !player.getTextTracks().length && player.getAudioTracks().length < 2; };
  player.addEventListener("trackschanged", update);
  update();
  return { isOpen: () => menus.some((menu) => menu.isOpen()), update };
}
