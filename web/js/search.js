/** The search page: all titles of catalogue/search.json, filtered while the viewer types. */
import "./nav.js";
import { hook, hooks, piece, rootOf, showProblem } from "./dom.js";
import { playable, writeCards } from "./cards.js";
import { getJson, RequestError } from "./net.js";

/** @import { Card } from "./types.js" */
/** @typedef {{ query?: string, genre?: string }} Asked */

/**
 * Return the text in lower case without accents, so that "amelie" finds "Amélie".
 * @param {string} text
 */
export const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const words = (/** @type {string} */ text) => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/**
 * Return how well a title matches the words, 0 for no match; a name counts more than a person, and a person more than a
 * plot.
 * @param {Card} title
 * @param {string[]} wanted
 */
export function rank(title, wanted) {
  const name = words(title.name);
  const people = words((title.people ?? []).join(" "));
  const genres = words((title.genres ?? []).join(" "));
  const plot = new Set(words(title.plot ?? ""));
  let sum = 0;
  for (const word of wanted) {
    const starts = (/** @type {string} */ text) => text.startsWith(word);
    if (name.some(starts)) sum += name[0].startsWith(word) ? 9 : 8;
    else if (people.some(starts)) sum += 5;
    else if (genres.some(starts)) sum += 4;
    else if (String(title.year ?? "") === word) sum += 4;
    else if (plot.has(word)) sum += 1;
    else return 0;
  }
  return sum;
}

/**
 * Return the titles in `genre` that match `query`, best first, equally good matches by name; without a query, return
 * all titles in `genre`.
 * @param {Card[]} titles
 * @param {Asked} asked
 */
export function find(titles, { query = "", genre = "" }) {
  const wanted = words(query);
  return titles
    .filter((title) => !genre || (title.genres ?? []).includes(genre))
    .map((title) => ({ title, score: wanted.length ? rank(title, wanted) : 1 }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.title.name.localeCompare(b.title.name))
    .map(({ title }) => title);
}

/**
 * Return the genres of the titles, most used first.
 * @param {Card[]} titles
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
  return `/search.html${asked.size ? `?${asked}` : ""}`;
}

/**
 * @param {number} count
 * @param {Asked} asked
 */
export function countText(count, { query, genre }) {
  const what = [genre && `in ${genre}`, query && `for “${query}”`].filter(Boolean).join(" ");
  if (!count) return what ? `Nothing found ${what}. Try fewer letters, a name or a genre.` : "No films yet.";
  return `${count} film${count === 1 ? "" : "s"}${what ? ` ${what}` : ""}`;
}

/** @param {HTMLElement} root */
async function start(root) {
  const at = hooks(root);
  const asked = new URLSearchParams(location.search);
  const state = { query: asked.get("q") ?? "", genre: asked.get("genre") ?? "" };
  at.query.value = state.query;
  /** @type {Card[]} */
  let titles;
  try {
    ({ titles } = await getJson("/catalogue/search.json"));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status !== 404) {
      showProblem(root, { heading: "The catalogue did not load.", text: `${error.message} Try again in a moment.`, retry: () => location.reload() });
      return;
    }
    titles = []; // nothing has been published yet
  }
  const genres = genresOf(titles);

  const write = () => {
    const found = find(titles, state);
    const films = playable(found);
    writeCards(at.results, films);
    at.soon.hidden = films.length === found.length;
    writeCards(at["soon-cards"], found.filter(({ status }) => status === "announced"));
    at.count.textContent = countText(found.length, state);
    at.genres.replaceChildren(...["", ...genres].map(genreNode));
    history.replaceState(null, "", addressFor(state));
  };
  const genreNode = (/** @type {string} */ genre) => {
    const node = piece("genre");
    const link = hook(node, "link");
    link.textContent = genre || "All";
    link.href = addressFor({ ...state, genre });
    if (genre === state.genre) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      state.genre = genre;
      write();
      at.genres.querySelector("[aria-current]").focus();
    });
    return node;
  };
  at.form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    at.query.blur(); // closes the keyboard on a phone
  });
  at.query.addEventListener("input", () => {
    state.query = at.query.value.trim();
    write();
  });
  write();
  if (!state.query && !state.genre && matchMedia("(hover: hover)").matches) at.query.focus();
}

const page = rootOf("search");
if (page) start(page);
