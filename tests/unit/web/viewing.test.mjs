import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged } from "../../../web/js/home.js";
import { placeText, whenText } from "../../../web/js/history.js";
import { shown } from "../../../web/js/list.js";
import { offer } from "../../../web/js/title.js";
import { continueRows, leftText, orWithout } from "../../../web/js/viewing.js";

/** @returns {any} */
const entry = (id, status = "ready", more = {}) => ({ title_id: id, position_s: 30, duration_s: 120, progress: 0.25, title: { id, name: id, status }, ...more });

test("the remaining time is shown in whole minutes", () => {
  const left = (position_s, duration_s) => leftText({ position_s, duration_s });
  assert.deepEqual([left(0, 60), left(59, 60), left(60, 3600), left(0, 3600), left(0, 7500)], ["1 min left", "1 min left", "59 min left", "1 h left", "2 h 5 min left"]);
});

test("the shelf of titles to continue omits titles that are gone or not playable, and is omitted if it is empty", () => {
  const [row] = continueRows({ entries: [entry("a"), entry("b", "failed"), entry("c", "ready", { title: null })] });
  assert.deepEqual(row.titles.map(({ id, going }) => [id, going]), [["a", { progress: 0.25, left: "2 min left" }]]);
  assert.deepEqual(continueRows({ entries: [] }), []);
});

const row = (id, name, ...titles) => ({ id, name, titles });
const title = (id, status = "ready") => ({ id, name: id, status });
const home = (hero, ...rows) => ({ generated_at: "2026-01-01T00:00:00Z", hero, rows });

test("a viewer's own shelves are above those for everybody, and not on an empty page", () => {
  const own = row("continue", "Continue watching", title("a"));
  assert.deepEqual(arranged(home(null, row("new", "New", title("a"))), [own]).rows.map(({ id }) => id), ["continue", "new"]);
  assert.deepEqual(arranged(home(null), [own]).rows, []);
});

test("no two shelves have the same heading", () => {
  const page = arranged(home(title("a"), row("new", "New on Notflix", title("a"))), [row("for-new-titles", "New on Notflix", title("b"))]);
  assert.deepEqual(page.rows.map(({ id }) => id), ["new"]);
});

test("titles without a film are on the shelf Coming soon and nowhere else, and never the hero", () => {
  const soon = title("soon", "announced");
  const page = arranged(home(soon, row("new", "New", title("a"), soon), row("genre-drama", "Drama", soon), row("soon", "Coming soon", soon)), [row("for-you", "For you", soon)]);
  assert.deepEqual(page.rows.map(({ id, titles }) => [id, titles.map((one) => one.id)]), [["new", ["a"]], ["soon", ["soon"]]]);
  assert.equal(page.hero, null);
  const art = { poster: null, card: null, backdrop: "b" };
  assert.equal(arranged(home(soon, row("new", "New", title("a"), { ...title("b"), artwork: art })), []).hero?.id, "b");
});

test("without a login, no personal data is requested, and pages work without it", async () => {
  assert.equal(await orWithout(() => assert.fail("nobody is logged in"), "nothing"), "nothing");
});

test("a title is offered to resume, to watch again, or to begin", () => {
  const film = { status: "ready", playback: {} };
  const view = { ...entry("a"), finished: false };
  const going = offer(film, { view, resume_s: 754, listed: false, rating: 0 });
  assert.deepEqual([going.play, going.again, going.place], ["Resume at 12:34", true, "2 min left"]);
  assert.equal(offer(film, { view: { ...view, finished: true }, resume_s: 0 }).play, "Play again");
  assert.deepEqual([offer(film).play, offer(film).again], ["Play", false]);
  assert.deepEqual([offer({ status: "announced", playback: null }, { view, resume_s: 754 }).play, offer({ status: "announced" }, { view, resume_s: 754 }).again], ["", false]);
});

test("the history shows when and how far something was watched", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  assert.equal(whenText(new Date(2026, 10, 24, 9, 5), now), "Today at 09:05");
  assert.equal(whenText(new Date(2026, 10, 23, 23, 59), now), "Yesterday at 23:59");
  assert.equal(whenText(new Date(2026, 4, 3, 12, 0), now), "3 May 2026");
  assert.equal(whenText(new Date(2026, 10, 24, 12, 1), now), "Today at 12:01"); // the clocks of the server and the browser differ
  assert.equal(placeText({ ...entry("a"), finished: true }), "Watched to the end");
  assert.equal(placeText({ ...entry("a"), finished: false }), "Stopped at 0:30 · 2 min left");
});

test("a list shows only titles that still exist", () => {
  assert.deepEqual(shown({ titles: [{ title: title("a") }, { title: null }] }), [title("a")]);
});
