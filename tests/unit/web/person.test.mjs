import assert from "node:assert/strict";
import { test } from "node:test";
import { accessText, kindText, subscriptionText } from "../../../web/js/studio/person.js";

const now = new Date("2026-11-24T12:00:00Z");
const plan = { id: "P", name: "Monthly", description: "", price_minor: 900, currency: "EUR", interval: "MONTH", interval_count: 1 };

test("access says why and until when", () => {
  assert.equal(accessText({ entitled: false, reason: "none", until: null }, now), "Cannot watch films.");
  assert.match(accessText({ entitled: true, reason: "grant", until: "2026-12-24T12:00:00Z" }, now), /^Can watch for free until .*24.*\.$/);
  assert.equal(accessText({ entitled: true, reason: "subscription", until: null }, now), "Can watch with a subscription.");
});

test("a subscription says what comes next", () => {
  assert.equal(subscriptionText({ state: "none", plan: null, next_charge: null, paid_through: null }, now), "");
  assert.match(subscriptionText({ state: "active", plan, next_charge: { at: "2026-12-01T00:00:00Z", amount_minor: 900, currency: "EUR" }, paid_through: null }, now), /^Monthly: next charge /);
  assert.match(subscriptionText({ state: "cancelled", plan, next_charge: null, paid_through: "2026-12-01T00:00:00Z" }, now), /^Monthly: cancelled, paid until /);
});

test("only unusual accounts have a label", () => {
  assert.equal(kindText({ admin: false, confirmed: true }), "");
  assert.equal(kindText({ admin: true, confirmed: true }), "Administrator");
  assert.equal(kindText({ admin: false, confirmed: false }), "Address not confirmed");
});
