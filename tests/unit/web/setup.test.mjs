import assert from "node:assert/strict";
import { test } from "node:test";
import { missingText, stateOf, summaryText } from "../../../web/js/studio/setup.js";

test("a part is set up, replaced or missing", () => {
  assert.deepEqual(stateOf({ id: "paypal", state: "ready" }), { text: "Set up", kind: "good" });
  assert.deepEqual(stateOf({ id: "paypal", state: "stand_in" }), { text: "No real money", kind: "" });
  assert.deepEqual(stateOf({ id: "omdb", state: "missing" }), { text: "Not set up", kind: "bad" });
});

test("settings without a value are named", () => {
  const settings = [{ name: "SMTP_URL", given: false }, { name: "MAIL_FROM", given: true }];
  assert.equal(missingText({ settings }), "Not set: SMTP_URL");
  assert.equal(missingText({ settings: [settings[1]] }), "");
});

test("the summary counts what is set up", () => {
  assert.equal(summaryText([{ state: "ready" }, { state: "ready" }]), "Everything is set up.");
  assert.equal(summaryText([{ state: "ready" }, { state: "stand_in" }, { state: "missing" }]), "1 of 3 parts are set up.");
});
