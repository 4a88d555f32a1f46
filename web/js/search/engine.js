/**
 * The search in titles, people and genres, forgiving of typos and accents. MiniSearch does the work; it is passed in,
 * because a page loads it only when somebody searches.
 */

/** @import { Card, CatalogueIndex } from "../types.js" */

/** @typedef {Card & { people: string[], genres: string[] }} Entry */
/** @typedef {{ titles: Entry[], people: string[], genres: string[] }} Found */

const LETTERS = new Map([["ø", "o"], ["ł", "l"], ["đ", "d"], ["æ", "ae"], ["œ", "oe"], ["þ", "th"], ["ð", "d"], ["ı", "i"], ["ß", "ss"]]);
const BOOST = { name: 4, people: 2 };
const BEST = 100; // results in which people and genres are looked for
const SOME_PEOPLE = 4;
const SOME_GENRES = 3;

/**
 * Return the text in lower case without accents, so that "amelie" finds "Amélie".
 * @param {string} text
 */
export const plain = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[øłđæœþðıß]/g, (letter) => LETTERS.get(letter) ?? letter);

/**
 * Return the words of a text as they are compared; an apostrophe does not end a word.
 * @param {string} text
 */
export const words = (text) => plain(text).replace(/['’]/g, "").split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/**
 * Return how many wrong letters to allow in a word: up to two, because two swapped letters count as two. A short word
 * allows none, because many other words are similar to it.
 * @param {string} word
 */
export const typosIn = (word) => (word.length >= 6 ? 2 : word.length >= 4 ? 1 : 0);

/**
 * Return the titles of the published index, in which people and genres are numbers.
 * @param {CatalogueIndex} index
 * @returns {Entry[]}
 */
export function entriesOf({ titles, people, genres }) {
  return titles.map(([id, name, kind, year, rated, minutes, status, card, ofGenres, ofPeople]) => ({
    id,
    name,
    kind,
    year,
    rated,
    runtime_min: minutes,
    status,
    artwork: { poster: null, card, backdrop: null },
    genres: ofGenres.map((number) => genres[number]),
    people: ofPeople.map((number) => people[number]),
  }));
}

/** @param {Entry[]} titles */
const playableFirst = (titles) => [...titles.filter(({ status }) => status !== "announced"), ...titles.filter(({ status }) => status === "announced")];

export class Search {
  /** @type {any} */
  #mini;
  /** @type {Map<string, Entry>} */
  #entries;

  /**
   * @param {any} MiniSearch the class
   * @param {Entry[]} entries
   * @param {{ hasDialogue?: boolean }} [index] `hasDialogue`: there is an index of what is said in the films
   */
  constructor(MiniSearch, entries, { hasDialogue = false } = {}) {
    this.entries = entries;
    this.hasDialogue = hasDialogue;
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
    this.#mini = new MiniSearch({
      fields: ["name", "people", "genres", "year"],
      tokenize: words,
      processTerm: (/** @type {string} */ word) => word,
      extractField: (/** @type {any} */ entry, /** @type {string} */ field) => (Array.isArray(entry[field]) ? entry[field].join(" ") : String(entry[field] ?? "")),
    });
  }

  /** Read the titles a few at a time, so that the page stays responsive. */
  async read() {
    await this.#mini.addAllAsync(this.entries, { chunkSize: 250 });
    return this;
  }

  /**
   * Return what a query finds, best matches first, but playable titles before announced ones. All words must match, the
   * last one may be unfinished; if no title matches all words, any of them is enough.
   * @param {string} query
   * @returns {Found}
   */
  find(query) {
    const wanted = words(query);
    if (wanted.length === 1 && wanted[0].length === 1) return this.#beginning(wanted[0]);
    const options = { boost: BOOST, fuzzy: typosIn, prefix: (/** @type {string} */ _word, /** @type {number} */ index) => index === wanted.length - 1 };
    let results = this.#mini.search(query, { ...options, combineWith: "AND" });
    if (!results.length && wanted.length > 1) results = this.#mini.search(query, { ...options, combineWith: "OR" });
    /** @type {Entry[]} */
    const titles = results.map((/** @type {{ id: string }} */ { id }) => this.#entries.get(id));
    return {
      titles: playableFirst(titles),
      people: this.#named(results, "people", wanted.length, SOME_PEOPLE),
      genres: this.#named(results, "genres", 1, SOME_GENRES),
    };
  }

  /**
   * Return the titles whose name begins with a letter; a search by words would find most titles.
   * @param {string} letter
   * @returns {Found}
   */
  #beginning(letter) {
    return { titles: playableFirst(this.entries.filter(({ name }) => plain(name).startsWith(letter))), people: [], genres: [] };
  }

  /**
   * Return the people or genres of the found titles whose names match at least `least` words of the query.
   * @param {{ id: string, match: Record<string, string[]> }[]} results
   * @param {"people" | "genres"} field
   * @param {number} least
   * @param {number} most
   */
  #named(results, field, least, most) {
    /** @type {Set<string>} */
    const found = new Set();
    for (const { id, match } of results.slice(0, BEST)) {
      const terms = new Set(Object.keys(match).filter((term) => match[term].includes(field)));
      for (const name of terms.size ? (this.#entries.get(id)?.[field] ?? []) : []) {
        if (words(name).filter((word) => terms.has(word)).length >= least) found.add(name);
      }
      if (found.size >= most) break;
    }
    return [...found].slice(0, most);
  }
}
