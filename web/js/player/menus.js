/** The player's two menus: subtitles and audio; quality and speed. */
import { hooks, piece, hook } from "../dom.js";
import { languageName } from "../text.js";

/** @typedef {{ label?: string | null, language: string, active?: boolean, id?: number }} Track */
/** @typedef {{ height: number | null, active?: boolean }} VideoTrack */
/** @typedef {{ label: string, chosen: boolean, choose: () => void }} Choice */
/** @typedef {{ heading: string, choices: Choice[] }} Group */
/** @typedef {(track: any) => void} ChooseText called with the track to show, or null for none */

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/**
 * Return the selectable heights, best first, without duplicates.
 * @param {VideoTrack[]} tracks
 */
export const heightsOf = (tracks) => [...new Set(tracks.map((track) => track.height ?? 0).filter(Boolean))].sort((a, b) => b - a);

/**
 * Return a label that distinguishes a text or audio track from the others.
 * @param {Track} track
 */
export const trackLabel = (track) => track.label || languageName(track.language);

/** @param {string} tag */
const baseOf = (tag) => tag.split("-")[0].toLowerCase();

/**
 * Return the track that matches the earliest possible language in `languages`, exactly or ignoring the region ("pt" for
 * "pt-BR"); the first track if none matches, null if there is no track.
 * @template {Track} T
 * @param {T[]} tracks
 * @param {readonly string[]} languages
 * @returns {T | null}
 */
export function preferredTrack(tracks, languages) {
  for (const language of languages) {
    const exact = tracks.find((track) => track.language.toLowerCase() === language.toLowerCase());
    const alike = exact ?? tracks.find((track) => baseOf(track.language) === baseOf(language));
    if (alike) return alike;
  }
  return tracks[0] ?? null;
}

/**
 * @param {any} player
 * @param {ChooseText} choose
 * @returns {Group | null}
 */
function subtitles(player, choose) {
  /** @type {Track[]} */
  const tracks = player.getTextTracks();
  if (!tracks.length) return null;
  const off = { label: "Off", chosen: !tracks.some((track) => track.active), choose: () => choose(null) };
  const choices = tracks.map((track) => ({ label: trackLabel(track), chosen: Boolean(track.active), choose: () => choose(track) }));
  return { heading: "Subtitles", choices: [off, ...choices] };
}

/**
 * @param {any} player
 * @returns {Group | null}
 */
function audio(player) {
  /** @type {Track[]} */
  const tracks = player.getAudioTracks();
  if (tracks.length < 2) return null;
  const choices = tracks.map((track) => ({ label: trackLabel(track), chosen: Boolean(track.active), choose: () => player.selectAudioTrack(track) }));
  return { heading: "Audio", choices };
}

/**
 * @param {any} player
 * @returns {Group}
 */
function quality(player) {
  /** @type {VideoTrack[]} */
  const tracks = player.getVideoTracks();
  const isAutomatic = player.getConfiguration().abr.enabled;
  const active = tracks.find((track) => track.active)?.height;
  const fix = (/** @type {number} */ height) => {
    player.configure("abr.enabled", false);
    player.selectVideoTrack(tracks.find((track) => track.height === height), true);
  };
  const automatic = { label: isAutomatic && active ? `Auto (${active}p)` : "Auto", chosen: isAutomatic, choose: () => player.configure("abr.enabled", true) };
  const heights = heightsOf(tracks).map((height) => ({ label: `${height}p`, chosen: !isAutomatic && height === active, choose: () => fix(height) }));
  return { heading: "Quality", choices: [automatic, ...heights] };
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Group}
 */
function speed(video) {
  const choices = SPEEDS.map((rate) => ({ label: rate === 1 ? "Normal" : `${rate}×`, chosen: video.playbackRate === rate, choose: () => { video.playbackRate = rate; } }));
  return { heading: "Speed", choices };
}

/**
 * @param {Group} group
 * @param {() => void} done
 */
function groupNode({ heading, choices }, done) {
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
 * @param {{ player: any, video: HTMLVideoElement, chooseText: ChooseText }} parts
 */
export function bindMenus(root, { player, video, chooseText }) {
  const anchor = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-menu="${name}"]`));
  const tracks = anchor("tracks");
  const menus = [
    bindMenu(tracks, () => [subtitles(player, chooseText), audio(player)]),
    bindMenu(anchor("settings"), () => [quality(player), speed(video)]),
  ];
  const update = () => { tracks.hidden = !player.getTextTracks().length && player.getAudioTracks().length < 2; };
  player.addEventListener("trackschanged", update);
  update();
  return { isOpen: () => menus.some((menu) => menu.isOpen()), update };
}
