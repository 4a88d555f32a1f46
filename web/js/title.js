/** A title's page: its description, its credits and how to watch it; it follows a running encode. */
import "./nav.js";
import { arrivedPercent, clock, encodeText, facts, genreName, kindName } from "./text.js";
import { hook, hooks, picture, piece, rootOf, say, setText, showNodes, showProblem, writeFacts } from "./dom.js";
import { genreAddress, personAddress, titleIdIn, trailerAddress, watchAddress } from "./addresses.js";
import { hueOf, playable as playableOf, writeCards } from "./cards.js";
import { withNext } from "./account/next.js";
import { ageLimit, onChange, session } from "./account/session.js";
import { fetchAccess } from "./billing/access.js";
import { isSuitable } from "./certificates.js";
import { offerDownload } from "./offline/offer.js";
import { fetchSimilar } from "./recommendations.js";
import { fetchTraces, leftText, setListed, setRating } from "./viewing.js";
import { Marks } from "./marks.js";
import { api, ask, getJson, orElse, persist, RequestError, repeat, tryLater } from "./net.js";
import { t } from "./texts.js";

/** @import { AccountSession, Card, Hooks, Playback, Title, Traces } from "./types.js" */
/** @typedef {{ role: string, names: string[], arePeople: boolean }} Credit a line of the credits */
/** @import { Access } from "./billing/access.js" */

const ENCODING_POLL_MS = 3000;
const ANNOUNCED_POLL_MS = 10_000;
const RETRY_MS = 4000;

/**
 * Return the main action of the page: continue, play, subscribe or wait, or the reason why there is none.
 * @param {Partial<Title>} title
 * @param {Partial<Traces> | null} traces
 * @param {Access | null} access
 */
export function offer(title, traces = null, access = null, limit = ageLimit()) {
  const isForProfile = isSuitable(title, limit);
  const playable = Boolean(title.playback) && isForProfile;
  const isEncoding = title.status === "encoding";
  const isShut = access !== null && !access.entitled;
  const resume = playable ? (traces?.resume_s ?? 0) : 0;
  const fresh = isEncoding ? t("common.watch_now") : traces?.view?.finished ? t("title.play_again") : t("common.play");
  const failed = !isForProfile ? t("title.not_for_profile") : title.status === "failed" && !playable ? t("title.film_not_available_at") : "";
  return {
    play: playable && !isShut ? (resume ? t("title.resume_at", { time: clock(resume) }) : fresh) : "",
    subscribe: playable && isShut && !access.suspended,
    settle: playable && isShut && access.suspended,
    again: resume > 0 && !isShut,
    place: resume > 0 && traces?.view ? leftText(traces.view) : "",
    progress: traces?.view?.progress ?? 0,
    soon: title.status === "announced",
    encode: isEncoding && isForProfile ? encodeText(title.progress, playable) : failed,
    percent: isEncoding && isForProfile ? (arrivedPercent(title.progress) ?? Math.floor(title.progress?.percent ?? 0)) : null,
  };
}

/**
 * Return the credits in reading order; empty ones are left out.
 * @param {Partial<Title>} title
 * @returns {Credit[]}
 */
export function credits(title) {
  /** @type {(role: string, names?: string[], arePeople?: boolean) => Credit} */
  const line = (role, names = [], arePeople = false) => ({ role: t(role, { count: names.length }), names, arePeople });
  return [
    line("title.directors", title.directors, true),
    line("title.writers", title.writers, true),
    line("title.cast", title.actors, true),
    line("title.languages", title.languages),
    line("title.countries", title.countries),
  ].filter(({ names }) => names.length);
}

/**
 * Return the ratings to show; the separate IMDb rating if it is the only one known.
 * @param {Partial<Title>} title
 */
export function scores(title) {
  const given = (title.ratings ?? []).map(({ source, value }) => ({ source: source === "Internet Movie Database" ? "IMDb" : source, value }));
  if (title.imdb_rating && !given.some((score) => score.source === "IMDb")) given.unshift({ source: "IMDb", value: `${title.imdb_rating}/10` });
  return given;
}

/**
 * Return similar titles, but first those that the viewer sees already, so that none of them moves.
 * @param {Card[]} similar
 * @param {Card[]} seen
 */
export function withSeen(similar, seen) {
  const ids = new Set(seen.map((title) => title.id));
  return [...seen.map((title) => similar.find((each) => each.id === title.id) ?? title), ...similar.filter((title) => !ids.has(title.id))];
}

/**
 * Return how many cards of a list are at least partly in view.
 * @param {HTMLElement} list
 */
const seenIn = (list) => [...list.children].filter((card) => card.getBoundingClientRect().top < window.innerHeight).length;

/**
 * Return the badge for the best picture quality: "HD" for 720 lines or more, "4K" for more than 1440.
 * @param {Playback | null | undefined} playback
 */
export function qualityBadge(playback) {
  const height = Math.max(0, ...(playback?.renditions ?? []).map((rendition) => rendition.height));
  if (height > 1440) return "4K";
  return height >= 720 ? "HD" : "";
}

/** @param {Credit} credit */
function creditNode({ role, names: people, arePeople }) {
  const node = piece("credit");
  hook(node, "role").textContent = role;
  const names = people.flatMap((name, index) => {
    const separator = index ? [", "] : [];
    if (!arePeople) return [...separator, name];
    const link = piece("person");
    link.href = personAddress(name);
    link.textContent = name;
    return [...separator, link];
  });
  hook(node, "people").append(...names);
  return node;
}

/** @param {{ source: string, value: string }} score */
function scoreNode({ source, value }) {
  const node = piece("score");
  hook(node, "value").textContent = value;
  hook(node, "source").textContent = source;
  return node;
}

/** @param {string} genre */
function genreNode(genre) {
  const node = piece("genre");
  const link = hook(node, "link");
  link.textContent = genreName(genre);
  link.href = genreAddress(genre);
  return node;
}

/**
 * @param {Hooks} at
 * @param {Title} title
 * @param {Traces | null} traces
 * @param {Access | null} access
 */
function writeOffer(at, title, traces, access) {
  const state = offer(title, traces, access);
  at.subscribe.hidden = !state.subscribe;
  at.subscribe.href = withNext("/plans.html", watchAddress(title.id));
  at.settle.hidden = !state.settle;
  at.again.hidden = !state.again;
  at.again.href = `${watchAddress(title.id)}&from=0`;
  at.place.hidden = !state.place;
  setText(at["place-text"], state.place);
  at["place-bar"].style.setProperty("--share", `${Math.round(state.progress * 100)}%`);
  at.play.hidden = !state.play;
  at.play.href = watchAddress(title.id);
  setText(at["play-label"], state.play);
  at.trailer.hidden = !title.trailer || !isSuitable(title, ageLimit());
  at.trailer.href = trailerAddress(title.id);
  at.soon.hidden = !state.soon;
  at.encode.hidden = !state.encode;
  at.meter.hidden = state.percent === null;
  say(at["encode-text"], state.encode);
  if (state.percent !== null) {
    at.meter.setAttribute("aria-valuenow", String(state.percent));
    at["meter-fill"].style.setProperty("--share", `${state.percent}%`);
  }
}

/**
 * @param {Hooks} at
 * @param {Title} title
 */
function writeStory(at, title) {
  setText(at.name, title.name);
  const badge = qualityBadge(title.playback);
  writeFacts(at.facts, [{ text: kindName(title.kind) }, ...facts(title), ...(badge ? [{ text: badge, badge: true }] : [])]);
  setText(at.plot, title.plot || t("title.no_description_yet"));
  showNodes(at.scores, scores(title).map(scoreNode));
  at.scores.hidden = scores(title).length === 0;
  say(at.awards, title.awards ?? "");
  showNodes(at.genres, (title.genres ?? []).map(genreNode));
  showNodes(at.credits, credits(title).map(creditNode));
  picture(at.backdrop, title.artwork?.backdrop ?? title.artwork?.card);
  picture(at.poster, title.artwork?.poster, t("title.poster", { name: title.name }));
}

/**
 * Show the viewer's list entry and rating; if they could not be fetched, show none.
 * @param {Hooks} at
 * @param {Traces | null} traces
 */
function writeMarks(at, traces) {
  const pressed = (/** @type {HTMLElement} */ button, /** @type {boolean} */ on) => button.setAttribute("aria-pressed", String(on));
  pressed(at.listed, traces?.listed ?? false);
  pressed(at.up, traces?.rating === 1);
  pressed(at.down, traces?.rating === -1);
}

const RATED = new Map([[1, t("title.liked")], [-1, t("title.disliked")], [0, t("title.rating_removed")]]);

/**
 * Return what to say about a mark that has been stored.
 * @param {"listed" | "rating"} kind
 * @param {any} value
 */
const markText = (kind, value) => (kind === "rating" ? (RATED.get(value) ?? "") : value ? t("title.added_list") : t("title.removed_from_list"));

/**
 * Let the viewer change the list entry and rating; a change is shown immediately, and undone with a message if the API
 * refuses it.
 * @param {Hooks} at
 * @param {Marks} marks
 * @param {() => Traces | null} traces
 */
function bindMarks(at, marks, traces) {
  at.listed.addEventListener("click", () => marks.press("listed", !traces()?.listed));
  for (const [name, thumb] of /** @type {const} */ ([["up", 1], ["down", -1]])) {
    at[name].addEventListener("click", () => marks.press("rating", traces()?.rating === thumb ? 0 : thumb));
  }
}

/**
 * @param {HTMLElement} node
 * @param {Title} title
 * @param {Traces | null} traces
 * @param {Access | null} access
 */
function write(node, title, traces, access) {
  const at = hooks(node);
  document.title = t("site.page_title", { name: title.year ? `${title.name} (${title.year})` : title.name });
  document.querySelector('meta[name="description"]')?.setAttribute("content", title.plot || t("title.on_notflix", { name: title.name }));
  node.style.setProperty("--hue", hueOf(title.id));
  node.classList.toggle("has-art", Boolean(title.artwork?.backdrop ?? title.artwork?.card));
  writeStory(at, title);
  writeOffer(at, title, traces, access);
  writeMarks(at, traces);
  if (!title.more) return;
  const more = playableOf(title.more);
  at.more.hidden = more.length === 0;
  writeCards(at["more-cards"], more);
}

/**
 * Return whose marks a page shows: those of a profile, or of an account that has only its own.
 * @param {AccountSession | null} known
 */
const viewerOf = (known) => known?.profile_id ?? known?.user_id ?? "";

/** @param {string} id */
const publishedAddress = (id) => `/catalogue/titles/${encodeURIComponent(id)}.json`;
/** @param {string} id */
const liveAddress = (id) => api(`titles/${encodeURIComponent(id)}`);

/**
 * @param {string} id
 * @returns {Promise<Title>}
 */
async function fetchTitle(id) {
  const published = await getJson(publishedAddress(id));
  if (published.status !== "encoding") return published;
  return { ...published, ...(await orElse(ask(liveAddress(id)), {})) }; // if the API fails, the published page is shown
}

/**
 * Show the title's page. The published page contains the title already: it can be used before the title is loaded, and
 * stays if it cannot be loaded.
 * @param {HTMLElement} root
 */
async function start(root) {
  const id = titleIdIn(location);
  /** @type {Title | null} */
  let title = null;
  /** @type {Traces | null} */
  let traces = null;
  /** @type {Access | null} */
  let access = null;
  const published = root.querySelector("article");
  const node = /** @type {HTMLElement} */ (published ?? piece("title"));
  const at = hooks(node);
  const show = () => {
    if (title) write(node, title, traces, access);
    else writeMarks(at, traces);
  };
  const marks = new Marks({
    store: { listed: (on) => setListed(id, on), rating: (rating) => setRating(id, rating) },
    onChange: (kind, value, error) => {
      change(marks.added(traces));
      if (error !== undefined) say(at["marks-said"], error?.message ?? markText(kind, value));
    },
  });
  const fetchMarked = () => fetchTraces(id).then(marks.asked());
  const asked = fetchMarked();
  const change = (/** @type {Traces | null} */ found) => {
    traces = found;
    show();
  };
  bindMarks(at, marks, () => traces); // before anything is awaited: start.js repeats what was pressed
  asked.then(change);
  const lookForAccess = async () => {
    access = await fetchAccess();
    show();
    if (access?.entitled && title?.status === "ready" && isSuitable(title, ageLimit())) offerDownload(at.download, id, { resume: true });
  };
  const look = () => fetchMarked().then(change);
  let viewer = viewerOf(session());
  onChange((now) => {
    if (viewerOf(now) !== viewer) marks.forget();
    viewer = viewerOf(now);
    look();
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    marks.forget();
    look(); // back from the player
  });
  const load = async () => {
    const found = await fetchTitle(id);
    if (title) return; // it was loaded by two attempts at once
    title = found;
    show();
    if (node.parentElement !== root) root.replaceChildren(node);
    root.removeAttribute("aria-busy");
    lookForAccess();
    onChange(lookForAccess);
    fetchSimilar(id).then((similar) => {
      if (!title || !similar?.length) return; // keep the similar titles that were published with the title
      title = { ...title, more: withSeen(similar, playableOf(title.more ?? []).slice(0, seenIn(at["more-cards"]))) };
      show();
    });
  };
  let isGone = !id;
  /** @param {unknown} error */
  const complain = (error) => {
    if (!(error instanceof RequestError)) throw error;
    isGone ||= error.status === 404;
    if (published && !isGone) return;
    showProblem(root, {
      heading: isGone ? t("common.film_not_available") : t("common.page_did_not_load"),
      text: isGone ? t("common.may_have_been_removed") : tryLater(error),
      retry: isGone ? null : () => load().catch(complain),
    });
  };
  await load().catch(complain);
  const follow = async () => {
    if (!title) {
      await load().catch(complain);
      return;
    }
    const live = await orElse(persist(() => ask(liveAddress(id)), { attempts: 2 }), null);
    if (!live) return; // the next repetition tries again
    const newer = { ...title, ...live };
    title = live.status === "encoding" ? newer : { ...newer, ...(await orElse(getJson(publishedAddress(id)), {})), more: title.more };
    show();
  };
  repeat(follow, () => {
    if (!title) return isGone ? null : RETRY_MS;
    return title.status === "encoding" ? ENCODING_POLL_MS : title.status === "announced" ? ANNOUNCED_POLL_MS : null;
  });
}

const page = rootOf("title");
if (page) start(page);
