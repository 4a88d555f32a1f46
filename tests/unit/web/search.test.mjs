import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { collected, countOf } from "../../../web/js/collection.js";
import { find } from "../../../web/js/search.js";
import { entriesOf, plain, Search, typosIn, words } from "../../../web/js/search/engine.js";
import { moved, suggestionsFor } from "../../../web/js/search/suggestions.js";

const MiniSearch = createRequire(join(process.env.WEB_PACKAGES, "minisearch", "package.json"))("minisearch");

const PEOPLE = ["Audrey Tautou", "Lin Zhao", "Wim Wenders", "Zoë Ængström"];
const GENRES = ["Comedy", "Drama", "Science Fiction"];
/** @returns {[string, string, string, number, string, number, string, string, number[], number[]]} */
const row = (id, name, { year = 2020, status = "ready", genres = [], people = [] } = {}) => [id, name, "movie", year, "12", 93, status, `art/${id}/card.jpg?v=1`, genres, people];
const INDEX = {
  dialogue: false,
  people: PEOPLE,
  genres: GENRES,
  titles: [
    row("ringfall", "Ringfall", { genres: [2, 1], people: [1] }),
    row("amelie", "Amélie", { year: 2001, genres: [0], people: [0] }),
    row("comedy-man", "The Comedy Man", { genres: [1], people: [2] }),
    row("paris", "Paris, Texas", { year: 1984, genres: [1], people: [2] }),
    row("ringing", "Ringing", { status: "announced", genres: [1], people: [3] }),
    row("schindler", "Schindler's List", { genres: [1] }),
  ],
};
const search = await new Search(MiniSearch, entriesOf(INDEX)).read();
const names = (query) => search.find(query).titles.map(({ name }) => name);

test("a typo, a missing letter and missing accents are forgiven", () => {
  assert.equal(plain("Amélie ÅSA Øre"), "amelie asa ore");
  assert.deepEqual(names("rinfall"), ["Ringfall"]);
  assert.deepEqual(names("ringfal"), ["Ringfall"]);
  assert.deepEqual(names("amelei"), ["Amélie"]);
  assert.deepEqual(names("tautuo"), ["Amélie"]);
  assert.deepEqual([typosIn("war"), typosIn("ring"), typosIn("ringfall")], [0, 1, 2]);
});

test("the last word may be unfinished, and every word must match", () => {
  assert.deepEqual(names("amel"), ["Amélie"]);
  assert.deepEqual(names("paris wend"), ["Paris, Texas"]);
  assert.deepEqual(names("schindlers li"), ["Schindler's List"]);
  assert.deepEqual(names("1984"), ["Paris, Texas"]);
  assert.deepEqual(names("zzzz"), []);
});

test("one letter finds the names that begin with it", () => {
  assert.deepEqual(names("r"), ["Ringfall", "Ringing"]);
  assert.deepEqual(names("t"), ["The Comedy Man"]);
});

test("if nothing matches all words, any of them is enough", () => {
  assert.deepEqual(names("ringfall unheardof"), ["Ringfall"]);
});

test("a name counts more than a genre, and what can be played comes first", () => {
  assert.deepEqual(names("comedy"), ["The Comedy Man", "Amélie"]);
  assert.deepEqual(names("ring"), ["Ringfall", "Ringing"]);
});

test("people and genres are found by their names, people by all words of the query", () => {
  assert.deepEqual(search.find("lin zhaoo").people, ["Lin Zhao"]);
  assert.deepEqual(search.find("angstrom").people, ["Zoë Ængström"]);
  assert.deepEqual(search.find("aengstrom").people, ["Zoë Ængström"]);
  assert.deepEqual(search.find("fiction").genres, ["Science Fiction"]);
  assert.deepEqual(search.find("ringfall").people, []);
});

test("an apostrophe does not end a word", () => {
  assert.deepEqual(words("Schindler’s List, 2nd"), ["schindlers", "list", "2nd"]);
});

test("suggestions are titles, then people, then genres", () => {
  const shown = suggestionsFor(search.find("wenders"));
  assert.deepEqual(shown.map(({ text, address }) => [text, address]), [
    ["The Comedy Man", "/title/comedy-man"],
    ["Paris, Texas", "/title/paris"],
    ["Wim Wenders", "/person.html?name=Wim%20Wenders"],
  ]);
  assert.equal(suggestionsFor(search.find("ringing"))[0].note, "Coming soon");
});

test("the arrow keys wrap around, with the field between the last and the first suggestion", () => {
  assert.equal(moved({ active: -1, count: 3, step: 1 }), 0);
  assert.equal(moved({ active: 2, count: 3, step: 1 }), -1);
  assert.equal(moved({ active: -1, count: 3, step: -1 }), 2);
});

test("without a query all titles are listed by name, and a genre narrows what is found", () => {
  assert.equal(find(search, {})[0].name, "Amélie");
  assert.deepEqual(find(search, { genre: "Comedy" }).map(({ id }) => id), ["amelie"]);
  assert.deepEqual(find(search, { query: "comedy", genre: "Drama" }).map(({ id }) => id), ["comedy-man"]);
});

test("the page of a genre or person has all its titles, regardless of the spelling in the address", () => {
  assert.deepEqual(collected(search.entries, "people", "wim wenders").titles.map(({ id }) => id), ["comedy-man", "paris"]);
  assert.equal(collected(search.entries, "people", "wim wenders").name, "Wim Wenders");
  assert.deepEqual(collected(search.entries, "genres", "Western"), { titles: [], name: "Western" });
  assert.deepEqual([countOf(0), countOf(1), countOf(2)], ["There are no films here.", "1 film", "2 films"]);
});

test("5,000 titles are searched between two keystrokes", () => {
  const many = Array.from({ length: 5000 }, (_, number) => row(`t${number}`, `Title ${number} of the ${number % 7} Rings`, { people: [number % 4], genres: [number % 3] }));
  const large = new Search(MiniSearch, entriesOf({ ...INDEX, titles: many }));
  return large.read().then(() => assert.ok(large.find("titel rngs").titles.length > 100));
});
