import assert from "node:assert/strict";
import { test } from "node:test";
import { hueOf, pictureFor, under } from "../../../web/js/cards.js";
import { isEmpty, refreshDelay, shapeOf } from "../../../web/js/home.js";
import { addressFor, countText, genresOf } from "../../../web/js/search.js";
import { avifSources, titleAddress, titleIdIn } from "../../../web/js/addresses.js";
import { arrows } from "../../../web/js/shelf.js";
import { credits, offer, qualityBadge, scores, withSeen } from "../../../web/js/title.js";

const card = (name, more = {}) => ({ id: name.toLowerCase(), name, year: 2020, genres: [], people: [], plot: "", status: "ready", ...more });
const home = (titles, more = {}) => ({ generated_at: "2026-01-01T00:00:00Z", hero: titles[0] ?? null, rows: [{ id: "new", name: "New", titles }], ...more });
const LATER = Date.parse("2026-01-01T01:00:00Z");

test("a page without films is empty and refreshes soon", () => {
  assert.equal(isEmpty(home([])), true);
  assert.equal(refreshDelay(home([]), LATER), 3000);
});

test("a page refreshes often while a film is encoded, and rarely otherwise", () => {
  assert.equal(refreshDelay(home([card("A", { status: "encoding" })]), LATER), 4000);
  assert.equal(refreshDelay(home([card("A")]), LATER), 30_000);
  assert.equal(refreshDelay(home([card("A")]), Date.parse("2026-01-01T00:00:30Z")), 4000);
});

test("announced films are shown by their posters", () => {
  assert.equal(shapeOf({ id: "soon" }), "poster");
  assert.equal(shapeOf({ id: "genre-drama" }), "card");
});

test("a card falls back to the next best picture", () => {
  assert.equal(pictureFor({ poster: "p", card: null, backdrop: "b" }, "card"), "b");
  assert.equal(pictureFor({ poster: null, card: "c", backdrop: null }, "poster"), "c");
  assert.equal(pictureFor(null, "card"), null);
});

test("a title without a picture always has the same colour", () => {
  assert.equal(hueOf("abc"), hueOf("abc"));
  assert.notEqual(hueOf("abc"), hueOf("abd"));
});

test("a poster has its name below it, a card its facts", () => {
  const title = card("Low Tide", { rated: "12", runtime_min: 93, genres: ["Drama", "Mystery"] });
  assert.equal(under(title, "poster"), "Low Tide");
  assert.equal(under(title, "card"), "2020 · 12 · 1 h 33 min · Drama");
});

test("arrows are shown only if there are more cards", () => {
  assert.deepEqual(arrows({ left: 0, width: 100, whole: 100 }), { back: false, forward: false });
  assert.deepEqual(arrows({ left: 0, width: 100, whole: 300 }), { back: false, forward: true });
  assert.deepEqual(arrows({ left: 200, width: 100, whole: 300 }), { back: true, forward: false });
});

const SHELF = [
  card("Amélie", { people: ["Audrey Tautou"], genres: ["Comedy"], plot: "A waitress in Paris." }),
  card("The Comedy Man", { people: ["Kenneth More"], genres: ["Drama"] }),
  card("Paris, Texas", { people: ["Wim Wenders"], genres: ["Drama"] }),
];

test("genres are listed by how many titles they have", () => {
  assert.deepEqual(genresOf(SHELF), ["Drama", "Comedy"]);
});

test("the query is part of the address", () => {
  assert.equal(addressFor({ query: "", genre: "" }), "/search.html");
  assert.equal(addressFor({ query: "a b", genre: "Sci-Fi" }), "/search.html?q=a+b&genre=Sci-Fi");
});

test("the count is a sentence even if there are no results", () => {
  assert.equal(countText(1, { query: "", genre: "Drama" }), "1 film in Drama");
  assert.match(countText(0, { query: "x", genre: "" }), /Nothing found for “x”/);
  assert.equal(countText(0, { query: "", genre: "" }), "No films yet.");
});

test("a title offers to play only what can be played", () => {
  assert.equal(offer({ status: "ready", playback: {} }).play, "Play");
  assert.equal(offer({ status: "encoding", playback: {}, progress: { percent: 42 } }).play, "Watch now");
  assert.equal(offer({ status: "encoding", playback: {}, progress: { percent: 0, uploaded_percent: 64.2 } }).percent, 64);
  assert.equal(offer({ status: "encoding", playback: null, progress: null }).play, "");
  assert.equal(offer({ status: "announced", playback: null }).soon, true);
  assert.match(offer({ status: "failed", playback: null }).encode, /not available/);
  assert.equal(offer({ status: "failed", playback: {} }).encode, "");
});

test("credits and ratings omit missing values", () => {
  assert.deepEqual(credits({ directors: ["A"], writers: ["B", "C"], actors: [] }), [
    { role: "Director", names: ["A"], arePeople: true },
    { role: "Writers", names: ["B", "C"], arePeople: true },
  ]);
  assert.deepEqual(scores({ ratings: [], imdb_rating: 7.1 }), [{ source: "IMDb", value: "7.1/10" }]);
  assert.deepEqual(scores({ ratings: [{ source: "Internet Movie Database", value: "7/10" }], imdb_rating: 7 }), [{ source: "IMDb", value: "7/10" }]);
  assert.deepEqual([null, { renditions: [{ height: 480 }] }, { renditions: [{ height: 1080 }] }, { renditions: [{ height: 2160 }] }].map(qualityBadge), ["", "", "HD", "4K"]);
});

test("the address of a title contains its id, even if its page is not written yet", () => {
  assert.equal(titleIdIn(new URL(titleAddress("ringfall-1a2b3c"), "https://example.org")), "ringfall-1a2b3c");
  assert.equal(titleIdIn(new URL("https://example.org/title.html?id=ringfall-1a2b3c")), "ringfall-1a2b3c");
  assert.equal(titleIdIn(new URL("https://example.org/title/")), "");
  assert.equal(titleIdIn(new URL("https://example.org/other/ringfall")), "");
});

test("the address of a picture lists the widths in which it exists as AVIF", () => {
  assert.equal(avifSources("art/x/card.jpg?v=1&avif=320.480"), "/art/x/card-320.avif?v=1 320w, /art/x/card-480.avif?v=1 480w");
  assert.equal(avifSources("art/x/card.jpg?v=1"), "");
});

test("similar titles that the viewer sees already stay where they are", () => {
  const made = (/** @type {string} */ id, name = id) => /** @type {any} */ ({ id, name });
  const similar = [made("c"), made("b", "better"), made("a")];
  assert.deepEqual(withSeen(similar, []), similar);
  assert.deepEqual(withSeen(similar, [made("x"), made("b")]), [made("x"), made("b", "better"), made("c"), made("a")]);
});
