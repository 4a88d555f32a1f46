/** The cues of a WebVTT file as the entries of a transcript; pure functions. */
import { plain, words } from "../search/engine.js";
import { clock } from "../text.js";

/** @typedef {{ start: number, end: number, text: string }} Entry what is said; times in seconds */
/** @typedef {{ text: string, isFound: boolean }} Piece a part of an entry's text */

const TIMES = /^\s*((?:\d+:)?\d\d:\d\d\.\d{3})\s*-->\s*((?:\d+:)?\d\d:\d\d\.\d{3})/;
const ARROW = "-->";
/** The same text is one entry if it is shown again so soon, in seconds; later, somebody says it again. */
const REPEATED_S = 1;

/** @type {Record<string, string>} */
const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", lrm: "\u200e", rlm: "\u200f" };
const LAST_CODE_POINT = 0x10ffff;

/** @param {string} time such as "01:02:03.456" or "02:03.456" */
const secondsOf = (time) => time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

/**
 * Return a character for a reference such as "&amp;" or "&#233;"; the reference itself if it is not known.
 * @param {string} reference
 * @param {string} name
 */
function characterOf(reference, name) {
  if (!name.startsWith("#")) return CHARACTERS[name.toLowerCase()] ?? reference;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= LAST_CODE_POINT ? String.fromCodePoint(code) : reference;
}

/**
 * Return what is said in a cue: without markup, with the name of a speaker, and in one line, unless each line belongs to
 * another speaker.
 * @param {string} payload
 */
export function textOf(payload) {
  const named = payload.replace(/<v(?:\.[^\s>]*)?\s+([^>]+)>/g, (_, name) => `${name.trim()}: `);
  const text = named.replace(/<[^>]*>/g, "").replace(/&(#x[\da-f]+|#\d+|[a-z]+);/gi, characterOf);
  const lines = text.split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean);
  return lines.join("\n").replace(/\n(?![-–—‐])/g, " ");
}

/**
 * Return the entries of a WebVTT file in order, without those that say nothing. Cues whose times cannot be read are left
 * out.
 * @param {string} vtt
 * @returns {Entry[]}
 */
export function entriesOf(vtt) {
  const lines = vtt.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n").split("\n");
  /** @type {Entry[]} */
  const cues = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, start, end] = TIMES.exec(lines[at]) ?? [];
    if (start === undefined) continue;
    let last = at + 1;
    while (last < lines.length && lines[last].trim() && !lines[last].includes(ARROW)) last += 1;
    const text = textOf(lines.slice(at + 1, last).join("\n"));
    if (text) cues.push({ start: secondsOf(start), end: secondsOf(end), text });
    at = last - 1;
  }
  return merged(cues.sort((one, other) => one.start - other.start));
}

/** @param {Entry[]} cues */
function merged(cues) {
  /** @type {Entry[]} */
  const entries = [];
  for (const cue of cues) {
    const before = entries.at(-1);
    if (before && before.text === cue.text && cue.start - before.end <= REPEATED_S) before.end = Math.max(before.end, cue.end);
    else entries.push({ ...cue });
  }
  return entries;
}

/**
 * Return the position of the entry that is said at a time, or was said last; -1 before the first one.
 * @param {Entry[]} entries
 * @param {number} time in seconds
 */
export function positionAt(entries, time) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Return the text as it is compared: without case, accents and apostrophes, and with one form of the Greek sigma.
 * @param {string} text
 */
const folded = (text) => plain(text).replace(/['’]/g, "").replaceAll("ς", "σ");

/**
 * Return the words of a query that a transcript is searched for.
 * @param {string} query
 */
export const wanted = (query) => words(query).map(folded);

/**
 * Return whether a text contains all words, of which any may be a part of a longer word.
 * @param {string} text
 * @param {string[]} sought
 */
export function contains(text, sought) {
  const said = sought.length ? folded(text) : "";
  return sought.every((word) => said.includes(word));
}

/**
 * Return a text in pieces, of which those are marked that a search for `sought` finds.
 * @param {string} text
 * @param {string[]} sought
 * @returns {Piece[]}
 */
export function piecesOf(text, sought) {
  const found = foundIn(text, sought);
  /** @type {Piece[]} */
  const pieces = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = pieces.at(-1);
    if (last?.isFound === found[at]) last.text += text[at];
    else pieces.push({ text: text[at], isFound: found[at] });
  }
  return pieces;
}

/**
 * Return for each unit of a text whether it belongs to a word that is sought. Folding changes the length of a text, so
 * each folded letter keeps the place that it has in the text.
 * @param {string} text
 * @param {string[]} sought
 */
function foundIn(text, sought) {
  const found = Array.from({ length: text.length }, () => false);
  let said = "";
  /** @type {[number, number][]} */
  const places = [];
  let at = 0;
  for (const letter of text) {
    const form = folded(letter);
    for (let unit = 0; unit < form.length; unit += 1) places.push([at, at + letter.length]);
    said += form;
    at += letter.length;
  }
  for (const word of sought) {
    for (let from = said.indexOf(word); from >= 0; from = said.indexOf(word, from + 1)) {
      let end = places[from + word.length - 1][1];
      while (/^\p{M}/u.test(text.slice(end))) end += 1; // an accent belongs to the letter before it
      found.fill(true, places[from][0], end);
    }
  }
  return found;
}

/**
 * Return a transcript as a text file: headings, and a line for each entry with its time.
 * @param {string[]} headings
 * @param {Entry[]} entries
 */
export function transcriptText(headings, entries) {
  const lines = entries.map(({ start, text }) => `${clock(start)}  ${text.replaceAll("\n", " ")}`);
  return `${headings.join("\n")}\n\n${lines.join("\n")}\n`;
}
