import assert from "node:assert/strict";
import { test } from "node:test";
import { actionEntry, actionText } from "../../../web/js/studio/log.js";

const NOW = new Date("2026-11-27T12:00:00Z");
const done = { at: "2026-11-26T09:00:00Z", actor: "a".repeat(32), actor_email: "ada@example.org", action: "withdraw_title", subject: "the-sea-1a2b3c", subject_name: null, outcome: "done" };

test("an entry says what was done, to what, by whom, and how it ended", () => {
  const { head, facts, state, kind } = actionEntry({ ...done, subject_name: "The Sea" }, NOW);
  assert.deepEqual([head, facts[0], facts[1], state, kind], ["Withdraw a title", "The Sea", "by ada@example.org", "Done", "good"]);
  assert.match(facts[2] ?? "", /^Yesterday, \d\d:\d\d$/);
});

test("who reads the log, scripts and deleted accounts are named as such", () => {
  const who = (/** @type {object} */ changes, own = "") => actionEntry({ ...done, ...changes }, NOW, own).facts[1];
  assert.equal(who({}, done.actor), "by you");
  assert.equal(who({ actor: "operator", actor_email: null }), "by a script");
  assert.equal(who({ actor_email: null }), "by a deleted account");
});

test("what has no name is shown by its id, and a deleted account not at all", () => {
  assert.equal(actionEntry(done, NOW).facts[0], "the-sea-1a2b3c");
  assert.equal(actionEntry({ ...done, subject: null }, NOW).facts[0], null);
});

test("failures and interruptions are told apart", () => {
  const state = (/** @type {string | null} */ outcome) => actionEntry({ ...done, outcome }, NOW).state;
  assert.deepEqual(["conflict", "something_new", null].map(state), ["Not possible", "Failed", "Not finished"]);
});

test("an action without a text is named like its operation", () => {
  assert.equal(actionText("paint_fence"), "Paint fence");
});
