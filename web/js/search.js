/** The search page: every title of catalogue/search.json, narrowed as the person types. */
import "./nav.js";
import { hook, hooks, piece, showProblem } from "./dom.js";
import { writeCards } from "./cards.js";
import { getJson, RequestError } from "./net.js";

/** Lower case without accents, so that "amelie" finds "Amélie". */
export const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const words = (text) => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/** How well one title answers the words: 0 not at all; a name counts more than a person, a person more than a plot. */
export function rank(title, wanted) {
  const name = words(title.name);
  const people = words((title.people ?? []).join(" "));
  const genres = words((title.genres ?? []).join(" "));
  const plot = new Set(words(title.plot ?? ""));
  let sum = 0;
  for (const word of wanted) {
    const starts = (text) => text.startsWith(word);
    if (name.some(starts)) sum += name[0].startsWith(word) ? 9 : 8;
    else if (people.some(starts)) sum += 5;
    else if (genres.some(starts)) sum += 4;
    else if (String(title.year ?? "") === word) sum += 4;
    else if (plot.has(word)) sum += 1;
    else return 0;
  }
  return sum;
}

/** The titles that answer `query` within `genre`, best first, equal ones by name; all of them when nothing is asked. */
export function find(titles, { query = "", genre = "" }) {
  const wanted = words(query);
  const byName = (a, b) => a.name.localeCompare(b.name);
  return titles
    .filter((title) => !genre || (title.genres ?? []).includes(genre))
    .map((title) => ({ title, score: wanted.length ? rank(title, wanted) : 1 }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || byName(a.title, b.title))
    .map(({ title }) => title);
}

/** Genres there are, most used first. */
export function genresOf(titles) {
  const count = new Map();
  for (const genre of titles.flatMap((title) => title.genres ?? [])) count.set(genre, (count.get(genre) ?? 0) + 1);
  return [...count.keys()].sort((a, b) => count.get(b) - count.get(a) || a.localeCompare(b));
}

/** The page's address for what is asked. */
export function addressFor({ query, genre }) {
  const asked = new URLSearchParams();
  if (query) asked.set("q", query);
  if (genre) asked.set("genre", genre);
  return `/search.html${asked.size ? `?${asked}` : ""}`;
}

export function countText(count, { query, genre }) {
  const what = [genre && `in ${genre}`, query && `for “${query}”`].filter(Boolean).join(" ");
  if (!count) return what ? `Nothing found ${what}. Try fewer letters, a name or a genre.` : "No films yet.";
  return `${count} film${count === 1 ? "" : "s"}${what ? ` ${what}` : ""}`;
}

async function start(root) {
  const at = hooks(root);
  const asked = new URLSearchParams(location.search);
  const state = { query: asked.get("q") ?? "", genre: asked.get("genre") ?? "" };
  at.query.value = state.query;
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

  const write = () => {
    const found = find(titles, state);
    writeCards(at.results, found);
    at.count.textContent = countText(found.length, state);
    at.genres.replaceChildren(...["", ...genresOf(titles)].map(genreNode));
    history.replaceState(null, "", addressFor(state));
  };
  const genreNode = (genre) => {
    const node = piece("genre");
    const link = hook(node, "link");
    link.textContent = genre || "All";
    link.href = addressFor({ ...state, genre });
    if (genre === state.genre) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      state.genre = genre;
      write();
      at.genres.querySelector("[aria-current]").focus();
    });
    return node;
  };
  at.form.addEventListener("submit", (event) => {
    event.preventDefault();
    at.query.blur(); // lets the phone's keyboard go
  });
  at.query.addEventListener("input", () => {
    state.query = at.query.value.trim();
    write();
  });
  write();
  if (!state.query && !state.genre && matchMedia("(hover: hover)").matches) at.query.focus();
}

const root = globalThis.document?.querySelector("[data-search]");
if (root) start(root);
