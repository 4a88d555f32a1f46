/** A title's page: what it is, who made it, and whether it plays; follows the encode while there is one. */
import "./nav.js";
import { clock, encodeText, facts, kindName } from "./text.js";
import { hook, hooks, picture, piece, say, showProblem, writeFacts } from "./dom.js";
import { hueOf, watchAddress, writeCards } from "./cards.js";
import { withNext } from "./account/next.js";
import { onChange } from "./account/session.js";
import { fetchAccess } from "./billing/access.js";
import { fetchSimilar } from "./recommendations.js";
import { fetchTraces, leftText, setListed, setRating } from "./viewing.js";
import { api, ask, getJson, persist, RequestError, repeat } from "./net.js";

const POLL_MS = 3000;

/** What the top of the page offers: to go on, to play, to wait, or a reason why neither. */
export function offer(title, traces = null, access = null) {
  const playable = Boolean(title.playback);
  const resume = playable ? (traces?.resume_s ?? 0) : 0;
  const fresh = title.status === "encoding" ? "Play while it encodes" : traces?.view?.finished ? "Play again" : "Play";
  return {
    play: playable && access !== false ? (resume ? `Resume at ${clock(resume)}` : fresh) : "",
    subscribe: playable && access === false,
    again: resume > 0 && access !== false,
    place: resume > 0 ? leftText(traces.view) : "",
    progress: traces?.view?.progress ?? 0,
    soon: title.status === "announced",
    encode:
      title.status === "encoding"
        ? encodeText(title.progress, playable)
        : title.status === "failed" && !playable
          ? "This film could not be encoded. Whoever runs this service can see why."
          : "",
    percent: title.status === "encoding" ? Math.floor(title.progress?.percent ?? 0) : null,
  };
}

/** Credits in reading order, without the empty ones. */
export function credits(title) {
  const plural = (one, many, list) => [list?.length === 1 ? one : many, list ?? []];
  return [
    plural("Director", "Directors", title.directors),
    plural("Writer", "Writers", title.writers),
    ["Cast", title.actors ?? []],
    plural("Language", "Languages", title.languages),
    plural("Country", "Countries", title.countries),
  ].filter(([, people]) => people.length);
}

/** Ratings for a person: what was given, or IMDb's own number when only that is known. */
export function scores(title) {
  const given = (title.ratings ?? []).map(({ source, value }) => ({ source: source === "Internet Movie Database" ? "IMDb" : source, value }));
  if (title.imdb_rating && !given.some((score) => score.source === "IMDb")) given.unshift({ source: "IMDb", value: `${title.imdb_rating}/10` });
  return given;
}

/** The picture qualities in words: 1080 lines are "HD", more are "4K". */
export function qualityBadge(playback) {
  const height = Math.max(0, ...(playback?.renditions ?? []).map((rendition) => rendition.height));
  if (height > 1440) return "4K";
  return height >= 720 ? "HD" : "";
}

const PEOPLE = new Set(["Director", "Directors", "Writer", "Writers", "Cast"]);
const searchFor = (text) => `/search.html?q=${encodeURIComponent(text)}`;

function creditNode([role, people]) {
  const node = piece("credit");
  hook(node, "role").textContent = role;
  const names = people.flatMap((name, index) => {
    const separator = index ? [", "] : [];
    if (!PEOPLE.has(role)) return [...separator, name];
    const link = piece("person");
    link.href = searchFor(name);
    link.textContent = name;
    return [...separator, link];
  });
  hook(node, "people").append(...names);
  return node;
}

function scoreNode({ source, value }) {
  const node = piece("score");
  hook(node, "value").textContent = value;
  hook(node, "source").textContent = source;
  return node;
}

function genreNode(genre) {
  const node = piece("genre");
  const link = hook(node, "link");
  link.textContent = genre;
  link.href = `/search.html?genre=${encodeURIComponent(genre)}`;
  return node;
}

function writeOffer(at, title, traces, access) {
  const state = offer(title, traces, access);
  at.subscribe.hidden = !state.subscribe;
  at.subscribe.href = withNext("/plans.html", watchAddress(title.id));
  at.again.hidden = !state.again;
  at.again.href = `${watchAddress(title.id)}&from=0`;
  at.place.hidden = !state.place;
  at["place-text"].textContent = state.place;
  at["place-bar"].style.setProperty("--share", `${Math.round(state.progress * 100)}%`);
  at.play.hidden = !state.play;
  at.play.href = watchAddress(title.id);
  at["play-label"].textContent = state.play;
  at.soon.hidden = !state.soon;
  at.encode.hidden = !state.encode;
  at.meter.hidden = state.percent === null;
  say(at["encode-text"], state.encode);
  if (state.percent !== null) {
    at.meter.setAttribute("aria-valuenow", String(state.percent));
    at["meter-fill"].style.setProperty("--share", `${state.percent}%`);
  }
}

function writeStory(at, title) {
  at.name.textContent = title.name;
  const badge = qualityBadge(title.playback);
  writeFacts(at.facts, [{ text: kindName(title.kind) }, ...facts(title), ...(badge ? [{ text: badge, badge: true }] : [])]);
  at.plot.textContent = title.plot || "Nothing is known of its story yet.";
  at.scores.replaceChildren(...scores(title).map(scoreNode));
  at.scores.hidden = scores(title).length === 0;
  say(at.awards, title.awards && title.awards !== "N/A" ? title.awards : "");
  at.genres.replaceChildren(...(title.genres ?? []).map(genreNode));
  at.credits.replaceChildren(...credits(title).map(creditNode));
  picture(at.backdrop, title.artwork?.backdrop ?? title.artwork?.card);
  picture(at.poster, title.artwork?.poster, `Poster of ${title.name}`);
}

/** Show what is the viewer's own: without an answer, as for somebody new. */
function writeMarks(at, traces) {
  const pressed = (button, on) => button.setAttribute("aria-pressed", String(on));
  pressed(at.listed, traces?.listed ?? false);
  pressed(at.up, traces?.rating === 1);
  pressed(at.down, traces?.rating === -1);
}

/** Let the viewer set marks: shown at once, taken back with a sentence where the API does not take them. */
function bindMarks(at, id, { traces, change }) {
  const set = async (next, keep, done) => {
    const before = traces();
    change({ ...(before ?? { view: null, resume_s: 0, listed: false, rating: 0 }), ...next });
    try {
      await keep();
      say(at["marks-said"], done);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      change(before);
      say(at["marks-said"], error.message);
    }
  };
  at.listed.addEventListener("click", () => {
    const listed = !traces()?.listed;
    set({ listed }, () => setListed(id, listed), listed ? "It is on your list." : "It is off your list.");
  });
  for (const [name, thumb] of [["up", 1], ["down", -1]]) {
    at[name].addEventListener("click", () => {
      const rating = traces()?.rating === thumb ? 0 : thumb;
      set({ rating }, () => setRating(id, rating), { 1: "You like it.", [-1]: "It is not for you.", 0: "Your thumb is taken back." }[rating]);
    });
  }
}

function write(node, title, traces, access) {
  const at = hooks(node);
  document.title = `${title.name}${title.year ? ` (${title.year})` : ""}: Notflix`;
  document.querySelector('meta[name="description"]').content = title.plot || `${title.name} on Notflix.`;
  node.style.setProperty("--hue", hueOf(title.id));
  node.classList.toggle("has-art", Boolean(title.artwork?.backdrop ?? title.artwork?.card));
  writeStory(at, title);
  writeOffer(at, title, traces, access);
  writeMarks(at, traces);
  if (title.more) {
    at.more.hidden = title.more.length === 0;
    writeCards(at["more-cards"], title.more);
  }
}

async function fetchTitle(id) {
  const written = await getJson(`/catalogue/titles/${encodeURIComponent(id)}.json`);
  if (written.status !== "encoding") return written;
  const live = await ask(api(`titles/${encodeURIComponent(id)}`)).catch((error) => { if (error instanceof RequestError) return {}; throw error; });
  return { ...written, ...live }; // without the API the page still shows all that was published
}

async function start(root) {
  const id = new URLSearchParams(location.search).get("id") ?? "";
  let title;
  let traces = null;
  let access = null;
  const asked = fetchTraces(id);
  try {
    title = await fetchTitle(id);
  } catch (error) {
    const unknown = error.status === 404 || !id;
    showProblem(root, {
      heading: unknown ? "There is no such film here." : "This page did not load.",
      text: unknown ? "It may have been withdrawn. The home page shows what there is." : `${error.message} Try again in a moment.`,
      retry: unknown ? null : () => start(root),
    });
    return;
  }
  const node = piece("title");
  const show = () => write(node, title, traces, access);
  const change = (found) => { traces = found; show(); };
  show();
  bindMarks(hooks(node), id, { traces: () => traces, change });
  root.replaceChildren(node);
  root.removeAttribute("aria-busy");
  asked.then(change);
  const lookForAccess = () => fetchAccess().then((found) => { access = found; show(); });
  lookForAccess();
  fetchSimilar(id).then((similar) => {
    if (!similar?.length) return; // what was published with the title stays
    title = { ...title, more: similar };
    show();
  });
  const look = () => fetchTraces(id).then(change);
  onChange(look);
  onChange(lookForAccess);
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) look(); }); // back from the player
  const follow = async () => {
    try {
      title = { ...title, ...(await persist(() => ask(api(`titles/${encodeURIComponent(id)}`)), { attempts: 2 })) };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return; // asked again at the next turn
    }
    if (title.status !== "encoding") title = { ...title, ...(await getJson(`/catalogue/titles/${encodeURIComponent(id)}.json`)), more: title.more };
    show();
  };
  repeat(follow, () => (title.status === "encoding" ? POLL_MS : title.status === "announced" ? 10_000 : null));
}

const root = globalThis.document?.querySelector("[data-title]");
if (root) start(root);
