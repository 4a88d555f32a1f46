import assert from "node:assert/strict";
import { test } from "node:test";
import { withPersonal } from "../../../web/js/home.js";
import { placeText, whenText } from "../../../web/js/history.js";
import { shown } from "../../../web/js/list.js";
import { offer } from "../../../web/js/title.js";
import { continueRows, leftText, orWithout } from "../../../web/js/viewing.js";

const entry = (id, status = "ready", more = {}) => ({ title_id: id, position_s: 30, duration_s: 120, progress: 0.25, title: { id, name: id, status }, ...more });

test("what is left is told in whole minutes", () => {
  const left = (position_s, duration_s) => leftText({ position_s, duration_s });
  assert.deepEqual([left(0, 60), left(59, 60), left(60, 3600), left(0, 3600), left(0, 7500)], ["1 min left", "1 min left", "59 min left", "1 h left", "2 h 5 min left"]);
});

test("the shelf to go on with leaves out what is gone or cannot be played, and is no shelf when nothing is left", () => {
  const [row] = continueRows({ entries: [entry("a"), entry("b", "failed"), entry("c", "ready", { title: null })] });
  assert.deepEqual(row.titles.map(({ id, going }) => [id, going]), [["a", { progress: 0.25, left: "2 min left" }]]);
  assert.deepEqual(continueRows({ entries: [] }), []);
});

test("a person's own shelves stand above those for everybody, and not on an empty page", () => {
  const home = { hero: null, rows: [{ id: "new", titles: [{ id: "a" }] }] };
  assert.deepEqual(withPersonal(home, [{ id: "continue", titles: [] }]).rows.map((row) => row.id), ["continue", "new"]);
  const empty = { hero: null, rows: [] };
  assert.equal(withPersonal(empty, [{ id: "continue", titles: [] }]), empty);
});

test("who is not logged in is not asked about, and pages do without", async () => {
  assert.equal(await orWithout(() => assert.fail("nobody is logged in"), "nothing"), "nothing");
});

test("a title is resumed, watched again, or begun", () => {
  const title = { status: "ready", playback: {} };
  const view = { ...entry("a"), finished: false };
  const going = offer(title, { view, resume_s: 754, listed: false, rating: 0 });
  assert.deepEqual([going.play, going.again, going.place], ["Resume at 12:34", true, "2 min left"]);
  assert.equal(offer(title, { view: { ...view, finished: true }, resume_s: 0 }).play, "Play again");
  assert.deepEqual([offer(title).play, offer(title).again], ["Play", false]);
  assert.deepEqual([offer({ status: "announced", playback: null }, { view, resume_s: 754 }).play, offer({ status: "announced" }, { view, resume_s: 754 }).again], ["", false]);
});

test("history tells when something was watched, and how far", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  assert.equal(whenText(new Date(2026, 10, 24, 9, 5), now), "Today at 09:05");
  assert.equal(whenText(new Date(2026, 10, 23, 23, 59), now), "Yesterday at 23:59");
  assert.equal(whenText(new Date(2026, 4, 3, 12, 0), now), "May 3, 2026");
  assert.equal(whenText(new Date(2026, 10, 24, 12, 1), now), "Today at 12:01"); // clocks differ
  assert.equal(placeText({ ...entry("a"), finished: true }), "Watched to the end");
  assert.equal(placeText({ ...entry("a"), finished: false }), "Stopped at 0:30 · 2 min left");
});

test("a list shows what there still is", () => {
  assert.deepEqual(shown({ titles: [{ title: { id: "a" } }, { title: null }] }), [{ id: "a" }]);
});
