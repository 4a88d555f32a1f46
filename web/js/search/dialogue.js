/**
 * The search in what is said in films. The published index (functions/catalogue/dialogue_index.py) consists of shards
 * and of one file per title. The shards list the titles in which each word is said; a title's file lists the seconds at
 * which its words are said. The index contains no sentences.
 */
import { getJson, RequestError } from "../net.js";
import { words } from "./engine.js";

/** @import { DialogueShard, TitleDialogue } from "../types.js" */
/** @typedef {{ id: string, seconds: number[] }} Said the moments of a title, best first */

const FOLDER = "/catalogue/dialogue";
const SHARDS = 64;
const SHORTEST = 2;
/** A single word must have this many letters, because shorter words are said everywhere. */
const SHORTEST_ALONE = 3;
/** The words of a query must be said within this time, in seconds. */
const SPAN_S = 8;
const MOST_TITLES = 8;
const MOST_MOMENTS = 3;

/**
 * Return the number of a word's shard. It depends on the first two letters, so an unfinished word has the same shard.
 * @param {string} word
 */
export function shardOf(word) {
  const [first, second] = [...word].map((letter) => letter.codePointAt(0) ?? 0);
  return (31 * first + second) % SHARDS;
}

/**
 * Return the words of a query that can be searched; none if the query is too short. The last one may be unfinished.
 * @param {string} query
 */
export function wordsOf(query) {
  const wanted = words(query).filter((word) => [...word].length >= SHORTEST);
  return wanted.some((word) => [...word].length >= SHORTEST_ALONE) ? wanted : [];
}

/**
 * @param {string} word
 * @param {boolean} isLast
 * @returns {(said: string) => boolean}
 */
const matches = (word, isLast) => (said) => said === word || (isLast && word.length >= SHORTEST_ALONE && said.startsWith(word));

/**
 * Return the titles in which a word is said.
 * @param {DialogueShard} shard
 * @param {string} word
 * @param {boolean} isLast
 * @returns {Set<string>}
 */
function titlesWith({ titles, words: said }, word, isLast) {
  const found = Object.keys(said).filter(matches(word, isLast));
  return new Set(found.flatMap((one) => said[one].map((position) => titles[position])));
}

/**
 * Return the seconds at which all words of a query are said close together, earliest first. Frequent words are said
 * everywhere, so the index has no seconds for them, and they are ignored. If all words are frequent, the result is
 * empty.
 * @param {TitleDialogue} dialogue
 * @param {string[]} wanted
 * @returns {number[]}
 */
export function momentsIn({ words: said }, wanted) {
  /** @type {number[][]} */
  const places = [];
  for (const [index, word] of wanted.entries()) {
    const alike = Object.keys(said).filter(matches(word, index === wanted.length - 1));
    if (!alike.length) return [];
    const isFrequent = Object.hasOwn(said, word) && !said[word].length;
    const seconds = alike.flatMap((one) => said[one]);
    if (!isFrequent && seconds.length) places.push(seconds);
  }
  if (!places.length) return [];
  const [rarest, ...others] = places.sort((a, b) => a.length - b.length);
  const moments = rarest.flatMap((at) => {
    const near = others.map((list) => list.filter((one) => Math.abs(one - at) <= SPAN_S));
    return near.every((list) => list.length) ? [Math.min(at, ...near.flat())] : [];
  });
  const sorted = [...new Set(moments)].sort((a, b) => a - b);
  return sorted.filter((at, index) => index === 0 || at - sorted[index - 1] > SPAN_S);
}

export class DialogueSearch {
  #fetch;
  /** @type {Map<string, Promise<any>>} */
  #files = new Map();

  /** @param {(address: string) => Promise<any>} fetchJson */
  constructor(fetchJson = getJson) {
    this.#fetch = fetchJson;
  }

  /**
   * Return the titles in which the words of a query are said close together, in the order of `titles`. Raises
   * RequestError without a connection.
   * @param {string} query
   * @param {{ id: string, status: string }[]} titles all titles, of which those that can be played are searched
   * @returns {Promise<Said[]>}
   */
  async find(query, titles) {
    const wanted = wordsOf(query);
    if (!wanted.length) return [];
    const shards = await Promise.all(wanted.map((word) => this.#file(`${FOLDER}/shards/${shardOf(word)}.json`)));
    const sets = shards.map((shard, index) => (shard ? titlesWith(shard, wanted[index], index === wanted.length - 1) : new Set()));
    const candidates = titles.filter(({ id, status }) => status === "ready" && sets.every((set) => set.has(id))).slice(0, MOST_TITLES);
    const found = await Promise.all(
      candidates.map(async ({ id }) => {
        const dialogue = await this.#file(`${FOLDER}/${encodeURIComponent(id)}.json`);
        return { id, seconds: dialogue ? momentsIn(dialogue, wanted).slice(0, MOST_MOMENTS) : [] };
      }),
    );
    return found.filter(({ seconds }) => seconds.length);
  }

  /**
   * Return a file of the index, which is loaded once; null if it does not exist, because no title has its words.
   * @param {string} address
   */
  #file(address) {
    const known = this.#files.get(address);
    if (known) return known;
    const file = this.#fetch(address).catch((error) => {
      if (error instanceof RequestError && error.status === 404) return null;
      this.#files.delete(address); // so that the next attempt loads it again
      throw error;
    });
    this.#files.set(address, file);
    return file;
  }
}

/** The index of this page. */
export const dialogueSearch = new DialogueSearch();
