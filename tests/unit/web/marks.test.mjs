import assert from "node:assert/strict";
import { test } from "node:test";
import { Marks } from "../../../web/js/marks.js";
import { RequestError } from "../../../web/js/net.js";
import { held, settled } from "./dom.mjs";

/** Return marks whose requests a test answers; `stored` is what the API has been asked to store. */
function makeMarks() {
  const stored = [];
  /** @type {ReturnType<typeof held>[]} */
  const answers = [];
  const told = [];
  const store = (/** @type {string} */ kind) => (/** @type {any} */ value) => {
    stored.push([kind, value]);
    answers.push(held());
    return answers.at(-1).promise;
  };
  const marks = new Marks({
    store: { listed: store("listed"), rating: store("rating") },
    onChange: (kind, value, error) => { told.push([kind, value, error === undefined ? "pressed" : (error?.message ?? "stored")]); },
  });
  return { marks, stored, answers, told };
}

const found = (/** @type {object} */ given = {}) => /** @type {any} */ ({ view: null, resume_s: 40, listed: false, rating: 0, ...given });

test("a mark that is pressed before the viewer's data have arrived is not undone by them", async () => {
  const { marks, answers } = makeMarks();
  const first = marks.asked();
  marks.press("listed", true);
  assert.deepEqual(first(found({ rating: 1 })), found({ listed: true, rating: 1 }));
  const second = marks.asked(); // while the mark is being stored
  answers[0].settle();
  await settled();
  assert.equal(second(found()).listed, true);
  assert.equal(marks.asked()(found()).listed, false); // removed on another device
});

test("quick presses are stored one after the other, and only the last one matters", async () => {
  const { marks, stored, answers, told } = makeMarks();
  marks.press("rating", 1);
  marks.press("rating", 0);
  marks.press("rating", -1);
  marks.press("listed", true);
  assert.deepEqual(stored, [["rating", 1], ["listed", true]]);
  answers[0].settle();
  await settled();
  assert.deepEqual(stored.at(-1), ["rating", -1]);
  answers[2].settle();
  await settled();
  assert.deepEqual(told.at(-1), ["rating", -1, "stored"]);
  assert.equal(marks.added(null).rating, -1);
});

test("a failure shows what is stored, not what was pressed before", async () => {
  const { marks, answers, told } = makeMarks();
  marks.asked()(found({ listed: true }));
  marks.press("listed", false);
  answers[0].settle();
  await settled();
  marks.press("listed", true);
  marks.press("listed", false);
  marks.press("listed", true);
  answers[1].settle(Promise.reject(new RequestError(503, "busy", "Not now.")));
  await settled();
  assert.deepEqual(told.at(-1), ["listed", false, "Not now."]);
  assert.equal(marks.added(found()).listed, false);
  marks.press("listed", true);
  answers[2].settle();
  await settled();
  assert.deepEqual(told.at(-1), ["listed", true, "stored"]);
});

test("a failure is undone although it is not known what is stored", async () => {
  const { marks, answers, told } = makeMarks();
  marks.press("listed", true);
  answers[0].settle(Promise.reject(new RequestError(503, "busy", "Not now.")));
  await settled();
  assert.deepEqual(told.at(-1), ["listed", false, "Not now."]);
  assert.equal(marks.added(found({ listed: true })).listed, false);
  assert.equal(marks.asked()(found({ listed: true })).listed, true);
});

test("a page that is shown again stores presses though it was left during one", async () => {
  const { marks, stored } = makeMarks();
  assert.equal(marks.added(null), null);
  marks.press("listed", true); // a guest, who is sent to the login page
  marks.forget();
  assert.equal(marks.added(null), null);
  marks.press("listed", true);
  assert.equal(stored.length, 2);
});
