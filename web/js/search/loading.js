/** Loads what the search needs, once per page: MiniSearch and the published index of all titles. */
import { suitable } from "../cards.js";
import { getJson, orElse, RequestError } from "../net.js";
import { dialogueSearch } from "./dialogue.js";
import { entriesOf, Search } from "./engine.js";
import { t } from "../texts.js";

/** @import { CatalogueIndex } from "../types.js" */
/** @import { Said } from "./dialogue.js" */
/** @import { Entry } from "./engine.js" */

const INDEX = "/catalogue/index.json";

/** @type {Promise<Search> | null} */
let loading = null;

/** @type {CatalogueIndex} */
const NOTHING = { dialogue: false, people: [], genres: [], titles: [] };

/**
 * Return the published index; an empty one if nothing has been published yet. Raises RequestError.
 * @returns {Promise<CatalogueIndex>}
 */
async function fetchIndex() {
  try {
    return await getJson(INDEX);
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return NOTHING;
    throw error;
  }
}

/**
 * Return all titles that the profile may watch; none if nothing has been published yet. Raises RequestError.
 * @returns {Promise<Entry[]>}
 */
export const fetchEntries = async () => suitable(entriesOf(await fetchIndex()));

/**
 * Return the titles in which the words of a query are said; none without a connection.
 * @param {Pick<Search, "entries" | "hasDialogue">} search
 * @param {string} query
 * @returns {Promise<Said[]>}
 */
export const findSaid = async ({ hasDialogue, entries }, query) => (hasDialogue ? orElse(dialogueSearch.find(query, entries), []) : []);

/**
 * Return the search; raise RequestError if there is no connection.
 * @returns {Promise<Search>}
 */
export function loadSearch() {
  loading ??= load().catch((error) => {
    loading = null; // so that the next attempt loads it again
    throw error;
  });
  return loading;
}

async function load() {
  const [library, index] = await Promise.all([importLibrary(), fetchIndex()]);
  return new Search(library.default, suitable(entriesOf(index)), { hasDialogue: index.dialogue }).read();
}

async function importLibrary() {
  try {
    return await import(document.documentElement.dataset.minisearch ?? "");
  } catch {
    throw new RequestError(0, "unreachable", t("common.there_no_connection_notflix"));
  }
}
