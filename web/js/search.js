/** The search page: all titles of catalogue/index.json, filtered while the viewer types. */
import "./nav.js";
import { momentAddress, titleAddress } from "./addresses.js";
import { hook, hooks, picture, piece, rootOf, showProblem } from "./dom.js";
import { pictureFor, playable, writeCards } from "./cards.js";
import { RequestError, tryLater } from "./net.js";
import { findSaid, loadSearch } from "./search/loading.js";
import { clock, genreName } from "./text.js";
import { inLanguage, t } from "./texts.js";

/** @import { Card } from "./types.js" */
/** @import { Said } from "./search/dialogue.js" */
/** @import { Entry, Search } from "./search/engine.js" */
/** @typedef {{ query?: string, genre?: string }} Asked */

/** How many cards are shown at first, and added by each "Show more". */
const SOME = 60;

/**
 * Return the titles in `genre` that match `query`, best first; without a query, return all titles in `genre` by name.
 * @param {Pick<Search, "entries" | "find">} search
 * @param {Asked} asked
 * @returns {Entry[]}
 */
export function find(search, { query = "", genre = "" }) {
  const found = query ? search.find(query).titles : [...search.entries].sort((a, b) => a.name.localeCompare(b.name));
  return found.filter((title) => !genre || title.genres.includes(genre));
}

/**
 * Return the genres of the titles, most used first.
 * @param {Pick<Card, "genres">[]} titles
 */
export function genresOf(titles) {
  /** @type {Map<string, number>} */
  const count = new Map();
  for (const genre of titles.flatMap((title) => title.genres ?? [])) count.set(genre, (count.get(genre) ?? 0) + 1);
  return [...count].sort(([a, many], [b, more]) => more - many || a.localeCompare(b)).map(([genre]) => genre);
}

/**
 * Return the page's address for a query and a genre.
 * @param {Asked} asked
 */
export function addressFor({ query, genre }) {
  const asked = new URLSearchParams();
  if (query) asked.set("q", query);
  if (genre) asked.set("genre", genre);
  return inLanguage(`/search.html${asked.size ? `?${asked}` : ""}`);
}

/**
 * @param {number} count
 * @param {Asked} asked
 */
export function countText(count, { query = "", genre: asked = "" }) {
  const genre = genreName(asked);
  if (!query && !genre) return count ? t("films.count", { count }) : t("search.no_films");
  if (!count) {
    const nothing = !genre ? t("search.nothing_for", { query }) : query ? t("search.nothing_in_for", { genre, query }) : t("search.nothing_in", { genre });
    return `${nothing} ${t("search.try_fewer")}`;
  }
  if (!genre) return t("search.count_for", { count, query });
  return query ? t("search.count_in_for", { count, genre, query }) : t("search.count_in", { count, genre });
}

/**
 * Return the text for a query that matches only what is said in films.
 * @param {number} count
 * @param {string} query
 */
export const onlySaidText = (count, query) => t("search.only_said", { count, query });

/**
 * @param {Said} said
 * @param {Entry} title
 */
function saidNode({ id, seconds }, title) {
  const node = piece("said");
  const at = hooks(node);
  at.name.textContent = title.name;
  at.name.href = titleAddress(id);
  picture(at.picture, pictureFor(title.artwork, "card"));
  at.moments.replaceChildren(...seconds.map((second) => {
    const moment = piece("moment");
    hook(moment, "time").textContent = clock(second);
    moment.href = momentAddress(id, second);
    moment.setAttribute("aria-label", t("search.play_at", { name: title.name, time: clock(second) }));
    return moment;
  }));
  return node;
}

/** @param {HTMLElement} root */
async function start(root) {
  const at = hooks(root);
  const asked = new URLSearchParams(location.search);
  at.query.value ||= asked.get("q") ?? ""; // the viewer may have typed before this script was loaded
  const state = { query: at.query.value.trim(), genre: asked.get("genre") ?? "", shown: SOME };
  /** @type {Search} */
  let search;
  /** @type {string[]} */
  let genres = [];

  const write = () => {
    const found = find(search, state);
    const films = playable(found);
    const soon = found.filter(({ status }) => status === "announced");
    writeCards(at.results, films.slice(0, state.shown));
    at.more.hidden = films.length <= state.shown;
    at.soon.hidden = soon.length === 0;
    writeCards(at["soon-cards"], soon.slice(0, SOME));
    at.count.textContent = countText(films.length + soon.length, state);
    writeSaid();
    at.genres.replaceChildren(...["", ...genres].map(genreNode));
    history.replaceState(null, "", addressFor(state));
  };
  const writeSaid = async () => {
    const { query, genre } = state;
    const titles = search.entries.filter((title) => !genre || title.genres.includes(genre));
    const found = await findSaid({ hasDialogue: search.hasDialogue, entries: titles }, query);
    if (query !== state.query || genre !== state.genre) return; // the query has changed in the meantime
    const isNamed = find(search, state).length > 0;
    if (found.length && !isNamed) at.count.textContent = onlySaidText(found.length, query);
    at["said-jump"].hidden = found.length === 0 || !isNamed;
    at.said.hidden = found.length === 0;
    at["said-heading"].textContent = t("search.said_in", { query });
    at["said-films"].replaceChildren(...found.map((one) => saidNode(one, /** @type {Entry} */ (titles.find(({ id }) => id === one.id)))));
  };
  const look = (/** @type {Asked} */ change) => {
    Object.assign(state, change, { shown: SOME });
    if (search) write();
  };
  const genreNode = (/** @type {string} */ genre) => {
    const node = piece("genre");
    const link = hook(node, "link");
    link.textContent = genre ? genreName(genre) : t("common.all");
    link.href = addressFor({ ...state, genre });
    if (genre === state.genre) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      look({ genre });
      at.genres.querySelector("[aria-current]").focus();
    });
    return node;
  };
  at.form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    at.query.blur(); // closes the keyboard on a phone
  });
  at.query.addEventListener("input", () => look({ query: at.query.value.trim() })); // also while the catalogue loads
  at.more.addEventListener("click", () => {
    state.shown += SOME;
    write();
  });
  try {
    search = await loadSearch();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showProblem(root, { heading: t("common.catalogue_did_not_load"), text: tryLater(error), retry: () => location.reload() });
    return;
  }
  genres = genresOf(search.entries);
  write();
  if (!state.query && !state.genre && matchMedia("(hover: hover)").matches) at.query.focus();
}

const page = rootOf("search");
if (page) start(page);
