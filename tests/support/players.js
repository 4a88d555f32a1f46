/**
 * A page that plays a film with Shaka, dash.js or hls.js, and reads the number that each shown picture contains (see
 * `tests/support/media.py`). Tests call the functions of `film`.
 */
const { shaka, dashjs, Hls } = window;
const COLUMNS = 64;
const LINES = 36;
const BITS = 16;
/** Lines inside the upper third, which has the number, and inside the lower third, which has its inverse. */
const ABOVE = 4;
const BELOW = 31;
const TICK_MS = 50;
const TICKS_OF_A_SEEK = 100;
const NEAR_S = 1;
/** After this, a seek that has shown no picture is an error. */
const MOST_TICKS_OF_A_SEEK = 2400;
/** Seconds that a player may buffer, so that a change of rendition is soon seen. */
const BUFFER_S = 8;

const video = document.querySelector("video");
const canvas = new OffscreenCanvas(COLUMNS, LINES);
const picture = canvas.getContext("2d", { willReadFrequently: true });
const errors = [];
/** What was shown: the time of each picture in seconds, the number in it, and its height in pixels. */
const shown = [];
let longestStallS = 0;
let rungs = () => [];
let change = (_rung) => {};
let codec = () => "";
let hear = (_channels) => {};

/** Return the number in the picture that the video shows; null if it cannot be read. */
function number() {
  picture.drawImage(video, 0, 0, COLUMNS, LINES);
  const { data } = picture.getImageData(0, 0, COLUMNS, LINES);
  const light = (column, line) => data[4 * (line * COLUMNS + column) + 1];
  let found = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const column = Math.floor(((bit + 0.5) * COLUMNS) / BITS);
    const [above, below] = [light(column, ABOVE), light(column, BELOW)];
    if (Math.abs(above - below) < 60) return null;
    found = found * 2 + (above > below ? 1 : 0);
  }
  return found;
}

function watch() {
  const note = (_now, { mediaTime }) => {
    // after a seek, a busy browser may report the last picture before it when the video already shows the next one
    const isNow = !video.seeking && Math.abs(video.currentTime - mediaTime) < NEAR_S;
    if (isNow) shown.push({ at: mediaTime, number: number(), height: video.videoHeight });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  video.addEventListener("error", () => errors.push(`video: ${video.error?.message}`));
  let [time, since] = [-1, performance.now()];
  setInterval(() => {
    const waits = !video.paused && !video.ended && !video.seeking && video.currentTime === time && video.played.length > 0;
    if (waits) longestStallS = Math.max(longestStallS, (performance.now() - since) / 1000);
    else [time, since] = [video.currentTime, performance.now()];
  }, TICK_MS);
}

/** Return bytes that are written in hexadecimal in base64, as Clear Key wants it. */
const base64Url = (hex) => btoa(String.fromCharCode(...hex.match(/../g).map((byte) => parseInt(byte, 16)))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const PLAYERS = {
  async shaka(folder, keys) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.configure({ abr: { enabled: false }, manifest: { dash: { autoCorrectDrift: false } }, streaming: { bufferingGoal: BUFFER_S, segmentPrefetchLimit: 0 } }); // as on the site
    player.configure("drm.clearKeys", keys);
    player.addEventListener("error", ({ detail }) => errors.push(`Shaka: ${detail.code} ${detail.data}`));
    await player.load(`${folder}/manifest.mpd`, 0);
    const tracks = () => player.getVariantTracks().sort((one, other) => one.height - other.height);
    rungs = () => tracks().map((track) => track.height);
    change = (rung) => player.selectVariantTrack(tracks()[rung], false);
    codec = () => tracks().find((track) => track.active)?.videoCodec ?? "";
    hear = (channels) => player.selectAudioTrack(player.getAudioTracks().find(({ channelsCount }) => channelsCount === channels));
  },
  async dash(folder, keys) {
    const player = dashjs.MediaPlayer().create();
    const buffer = { bufferTimeDefault: BUFFER_S, bufferTimeAtTopQuality: BUFFER_S, bufferTimeAtTopQualityLongForm: BUFFER_S };
    player.on("error", ({ error }) => errors.push(`dash.js: ${error.code} ${error.message}`));
    player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } }, buffer, utcSynchronization: { enabled: false } } });
    player.initialize(video, null, true);
    const inBase64 = Object.entries(keys).map((pair) => pair.map(base64Url));
    if (inBase64.length) player.setProtectionData({ "org.w3.clearkey": { clearkeys: Object.fromEntries(inBase64) } });
    player.attachSource(`${folder}/manifest.mpd`, 0);
    rungs = () => player.getRepresentationsByType("video").map(({ height }) => height);
    change = (rung) => player.setRepresentationForTypeByIndex("video", rung);
    codec = () => player.getCurrentRepresentationForType("video")?.codecs ?? "";
  },
  async hls(folder) {
    const player = new Hls({ maxBufferLength: BUFFER_S, maxMaxBufferLength: BUFFER_S });
    player.on("hlsError", (_event, { fatal, details }) => { if (fatal) errors.push(`hls.js: ${details}`); });
    player.loadSource(`${folder}/master.m3u8`);
    player.attachMedia(video);
    rungs = () => player.levels.map(({ height }) => height);
    change = (rung) => { player.nextLevel = rung; };
    codec = () => player.levels[player.currentLevel]?.videoCodec ?? "";
    hear = (channels) => { player.audioTrack = player.audioTracks.findIndex((track) => track.channels === String(channels)); };
  },
};

window.film = {
  /** Play the film in a folder with one of the players; `keys` has the key of an encrypted film by its id. */
  async start(player, folder, keys) {
    watch();
    await PLAYERS[player](folder, keys);
    if (video.readyState < video.HAVE_METADATA) await new Promise((resolve) => { video.addEventListener("loadedmetadata", resolve, { once: true }); });
    await video.play();
  },
  /** Switch to rendition number `turn`, modulo the number of renditions, from the next segment on. */
  change(turn) {
    change(turn % rungs().length);
  },
  /**
   * Seek to a time, in seconds; return once a picture from there was shown. On a busy machine, the pictures near that
   * time may be dropped, so the seek is repeated.
   */
  async seek(time) {
    const known = shown.length;
    const isThere = () => shown.slice(known).some(({ at }) => Math.abs(at - time) < NEAR_S);
    for (let tick = 0; !isThere() && !errors.length; tick += 1) {
      if (tick === MOST_TICKS_OF_A_SEEK) errors.push(`A seek to ${time} s has shown no picture.`);
      if (tick === 0 || (tick % TICKS_OF_A_SEEK === 0 && !video.seeking)) video.currentTime = time;
      await new Promise((resolve) => { setTimeout(resolve, TICK_MS); });
    }
  },
  /** Choose the first sound with a number of channels. */
  hear(channels) {
    hear(channels);
  },
  shown,
  /** Return how far the film has been played, and what was noticed. */
  state() {
    const { totalVideoFrames: frames } = video.getVideoPlaybackQuality();
    const { currentTime: time, ended } = video;
    return { time, ended, frames, errors, longestStallS, rungs: rungs(), codec: codec() };
  },
};
