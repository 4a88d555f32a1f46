/** The player's two menus: subtitles and audio; quality and speed. */
import { hooks, piece, hook } from "../dom.js";
import { languageName } from "../text.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/** Heights to choose from, best first, each once. */
export const heightsOf = (tracks) => [...new Set(tracks.map((track) => track.height).filter(Boolean))].sort((a, b) => b - a);

/** A label for a text or audio track that tells it from its neighbours. */
export const trackLabel = (track) => track.label || languageName(track.language);

function subtitles(player, choose) {
  const tracks = player.getTextTracks();
  if (!tracks.length) return null;
  const choice = (label, track) => ({ label, chosen: track ? track.active : !tracks.some((one) => one.active), choose: () => choose(track) });
  return { heading: "Subtitles", choices: [choice("Off", null), ...tracks.map((track) => choice(trackLabel(track), track))] };
}

function audio(player) {
  const tracks = player.getAudioTracks();
  if (tracks.length < 2) return null;
  const choices = tracks.map((track) => ({ label: trackLabel(track), chosen: track.active, choose: () => player.selectAudioTrack(track) }));
  return { heading: "Audio", choices };
}

function quality(player) {
  const tracks = player.getVideoTracks();
  const heights = heightsOf(tracks);
  const automatic = player.getConfiguration().abr.enabled;
  const active = tracks.find((track) => track.active)?.height;
  const fix = (height) => {
    player.configure("abr.enabled", false);
    player.selectVideoTrack(tracks.find((track) => track.height === height), true);
  };
  return {
    heading: "Quality",
    choices: [
      { label: automatic && active ? `Auto (${active}p)` : "Auto", chosen: automatic, choose: () => player.configure("abr.enabled", true) },
      ...heights.map((height) => ({ label: `${height}p`, chosen: !automatic && height === active, choose: () => fix(height) })),
    ],
  };
}

function speed(video) {
  const choices = SPEEDS.map((rate) => ({ label: rate === 1 ? "Normal" : `${rate}×`, chosen: video.playbackRate === rate, choose: () => { video.playbackRate = rate; } }));
  return { heading: "Speed", choices };
}

function groupNode({ heading, choices }, done) {
  const node = piece("menu-group");
  hook(node, "heading").textContent = heading;
  node.setAttribute("aria-label", heading);
  for (const { label, chosen, choose } of choices) {
    const button = piece("menu-choice");
    hook(button, "label").textContent = label;
    button.setAttribute("aria-pressed", String(chosen));
    button.addEventListener("click", () => { choose(); done(); });
    node.append(button);
  }
  return node;
}

/** Make an anchor's button open and close its panel, filled by `groups()` each time. */
function bindMenu(anchor, groups) {
  const { opener, panel } = hooks(anchor);
  const close = ({ refocus = false } = {}) => {
    if (panel.hidden) return;
    panel.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    if (refocus) opener.focus();
  };
  const open = () => {
    panel.replaceChildren(...groups().filter(Boolean).map((group) => groupNode(group, () => close({ refocus: true }))));
    panel.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    panel.querySelector('[aria-pressed="true"]')?.focus();
  };
  opener.addEventListener("click", () => (panel.hidden ? open() : close()));
  anchor.addEventListener("keydown", (event) => {
    if (panel.hidden) return;
    const choices = [...panel.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close({ refocus: true });
    else if (step) choices[(choices.indexOf(document.activeElement) + step + choices.length) % choices.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", (event) => { if (!anchor.contains(event.target)) close(); });
  return { isOpen: () => !panel.hidden };
}

/** Bind both menus; `chooseText(track | null)` switches subtitles. */
export function bindMenus(root, { player, video, chooseText }) {
  const anchors = Object.fromEntries([...root.querySelectorAll("[data-menu]")].map((node) => [node.dataset.menu, node]));
  const menus = [
    bindMenu(anchors.tracks, () => [subtitles(player, chooseText), audio(player)]),
    bindMenu(anchors.settings, () => [quality(player), speed(video)]),
  ];
  const update = () => { anchors.tracks.hidden = !player.getTextTracks().length && player.getAudioTracks().length < 2; };
  player.addEventListener("trackschanged", update);
  update();
  return { isOpen: () => menus.some((menu) => menu.isOpen()), update };
}
