/** The page of a genre or of a person: all titles that belong to it. */
import "./nav.js";
import { hooks, rootOf, showProblem } from "./dom.js";
import { playable, writeCards } from "./cards.js";
import { RequestError, tryLater } from "./net.js";
import { plain } from "./search/engine.js";
import { fetchEntries } from "./search/loading.js";
import { genreName } from "./text.js";
import { t } from "./texts.js";

/** @import { Entry } from "./search/engine.js" */

/**
 * Return the titles of a genre or person, and the name as the newest of them spells it.
 * @param {Entry[]} entries newest first
 * @param {"genres" | "people"} kind
 * @param {string} name
 */
export function collected(entries, kind, name) {
  const isWanted = (/** @type {string} */ other) => plain(other) === plain(name);
  const titles = entries.filter((entry) => entry[kind].some(isWanted));
  return { titles, name: titles[0]?.[kind].find(isWanted) ?? name };
}

/**
 * Return the sentence below the heading.
 * @param {number} count
 */
export const countOf = (count) => (count ? t("films.count", { count }) : t("films.none_here"));

/** @param {HTMLElement} root */
async function start(root) {
  const at = hooks(root);
  const asked = new URLSearchParams(location.search).get("name") ?? "";
  const kind = root.dataset.collection === "people" ? "people" : "genres";
  /** @type {Entry[]} */
  let entries;
  try {
    entries = await fetchEntries();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showProblem(root, { heading: t("common.catalogue_did_not_load"), text: tryLater(error), retry: () => location.reload() });
    return;
  }
  const { titles, name } = collected(entries, kind, asked);
  const films = playable(titles);
  const soon = titles.filter(({ status }) => status === "announced");
  const heading = kind === "genres" ? genreName(name) : name;
  document.title = t("site.page_title", { name: heading });
  at.heading.textContent = heading;
  at.count.textContent = countOf(titles.length);
  writeCards(at.results, films);
  at.soon.hidden = soon.length === 0;
  writeCards(at["soon-cards"], soon);
  root.removeAttribute("aria-busy");
}

const page = rootOf("collection");
if (page) start(page);
