import assert from "node:assert/strict";
import { test } from "node:test";
import { keepNext, keptNext } from "../../../web/js/billing/goal.js";
import { maySubscribe, noteFor } from "../../../web/js/billing/plans.js";
import { offerFor, payPalAddress } from "../../../web/js/billing/subscription.js";
import { askAfter, facts, PAYPAL_PAYMENTS, paymentText, period, price, saving, stageOf } from "../../../web/js/billing/words.js";
import { offer } from "../../../web/js/title.js";
import { problemFor } from "../../../web/js/player/messages.js";

const NOW = new Date("2026-11-24T12:00:00Z");
const MONTHLY = { id: "P-1", name: "Monthly", description: "", price_minor: 799, currency: "EUR", interval: "month", interval_count: 1 };
const YEARLY = { ...MONTHLY, id: "P-2", name: "Yearly", price_minor: 7990, interval: "year" };
const none = { entitled: false, reason: "none", until: null };
const paid = { entitled: true, reason: "subscription", until: "2026-12-25T10:00:00Z" };
const made = (changes = {}) => ({ state: "active", says: "", plan: MONTHLY, approve_url: null, next_charge: { at: "2026-12-24T10:00:00Z", amount_minor: 799, currency: "EUR" }, paid_through: "2026-12-24T10:00:00Z", can_cancel: true, entitlement: paid, ...changes });

test("prices are computed from the smallest unit of each currency", () => {
  assert.deepEqual([price(799, "EUR"), price(7990, "USD"), price(800, "JPY")], ["€7.99", "$79.90", "¥800"]);
});

test("billing periods are shown as people say them", () => {
  assert.deepEqual([period(MONTHLY), period({ interval: "month", interval_count: 3 })], ["a month", "every 3 months"]);
});

test("a yearly plan shows what it saves compared with twelve months, if the plans are comparable", () => {
  assert.equal(saving(YEARLY, [MONTHLY, YEARLY]), 17);
  assert.equal(saving(MONTHLY, [MONTHLY, YEARLY]), 0);
  assert.equal(saving(YEARLY, [YEARLY]), 0);
  assert.equal(saving(YEARLY, [{ ...MONTHLY, currency: "USD" }, YEARLY]), 0);
});

test("only facts that apply to a subscription are shown", () => {
  assert.deepEqual(facts(made(), NOW), [["Plan", "Monthly, €7.99 a month"], ["Next charge", "€7.99 on 24 December"]]);
  const cancelled = made({ state: "cancelled", next_charge: null });
  assert.deepEqual(facts(cancelled, NOW).at(-1), ["You can watch until", "24 December"]);
  assert.deepEqual(facts(made({ state: "none", plan: null, next_charge: null, paid_through: null, entitlement: none }), NOW), []);
  const granted = made({ state: "none", plan: null, next_charge: null, paid_through: null, entitlement: { ...paid, reason: "grant" } });
  assert.deepEqual(facts(granted, NOW), [["Free access until", "25 December"]]);
});

test("a receipt shows the state of its payment", () => {
  const of = (state, refunded = 0) => paymentText({ state, amount_minor: 799, refunded_minor: refunded, currency: "EUR" });
  assert.deepEqual(["completed", "pending", "declined", "refunded"].map((state) => of(state)), ["Paid", "Processing", "Declined", "Refunded"]);
  assert.deepEqual([of("partially_refunded", 250), of("partially_refunded")], ["€2.50 refunded", "Partly refunded"]);
});

test("the page after PayPal waits, reports a long wait, and stops at a final state", () => {
  assert.equal(stageOf(null, 0), "waiting");
  assert.equal(stageOf(made({ state: "pending", entitlement: none }), 1000), "waiting");
  assert.equal(stageOf(made({ state: "pending", entitlement: none }), 30_000), "late");
  assert.equal(stageOf(made({ entitlement: none }), 30_000), "late");
  assert.equal(stageOf(made({ state: "none", entitlement: none }), 1000), "none");
  assert.equal(stageOf(made(), 1000), "ready");
  assert.equal(stageOf(made({ state: "cancelled" }), 1000), "waiting"); // this is the viewer's previous subscription
  assert.equal(stageOf(made({ state: "suspended", entitlement: none }), 1000), "stopped");
});

test("it polls often at first, then less often, and stops in the end", () => {
  assert.ok(askAfter(0) < 1000);
  assert.ok(askAfter(60_000) > askAfter(0));
  assert.equal(askAfter(16 * 60_000), null);
});

test("the plans page shows what the viewer already has", () => {
  assert.equal(noteFor(null, NOW), "");
  assert.equal(noteFor(made({ state: "none", paid_through: null, entitlement: none }), NOW), "");
  assert.match(noteFor(made(), NOW), /You have a subscription/);
  assert.match(noteFor(made({ state: "cancelled" }), NOW), /paid until 24 December/);
  assert.deepEqual([null, made(), made({ state: "cancelled" }), made({ state: "suspended" })].map(maySubscribe), [true, false, true, false]);
});

test("the account page offers the possible next steps", () => {
  assert.equal(offerFor(made()), "");
  assert.equal(offerFor(made({ state: "cancelled" })), "Subscribe again");
  assert.equal(offerFor(made({ state: "none", entitlement: none })), "See the plans");
  assert.equal(offerFor(made({ state: "none", entitlement: { ...paid, reason: "administrator" } })), "");
});

test("the return address is stored, and never leads to another site", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  assert.equal(keptNext("http://site.test", storage), "/");
  keepNext("/watch.html?id=film", storage);
  assert.equal(keptNext("http://site.test", storage), "/watch.html?id=film");
  keepNext("//evil.test/", storage);
  assert.equal(keptNext("http://site.test", storage), "/");
});

const ENTITLED = { entitled: true, suspended: false };
const SHUT = { entitled: false, suspended: false };
const SUSPENDED = { entitled: false, suspended: true };

test("a title offers a subscription only to viewers who are known not to have access", () => {
  const title = { status: "ready", playback: { renditions: [] } };
  assert.deepEqual([offer(title, null, null).play, offer(title, null, ENTITLED).play, offer(title, null, SHUT).play], ["Play", "Play", ""]);
  assert.deepEqual([offer(title, null, null).subscribe, offer(title, null, SHUT).subscribe], [false, true]);
  assert.equal(offer({ status: "announced", playback: null }, null, SHUT).subscribe, false);
});

test("the title, the plans, the player and the account lead a suspended subscriber to the failed payment", () => {
  const { subscribe, settle, play } = offer({ status: "ready", playback: { renditions: [] } }, null, SUSPENDED);
  assert.deepEqual([subscribe, settle, play], [false, true, ""]);
  const suspended = made({ state: "suspended", entitlement: none });
  assert.match(noteFor(suspended, NOW), /payment failed.*PayPal/);
  assert.equal(payPalAddress(suspended), PAYPAL_PAYMENTS);
  const { plans, settle: settles, heading } = problemFor({ status: 402, suspended: true });
  assert.deepEqual([Boolean(plans), settles], [false, true]);
  assert.match(heading, /payment failed/);
});

test("a suspended subscriber who has paid for more time keeps it", () => {
  const suspended = made({ state: "suspended" });
  assert.match(noteFor(suspended, NOW), /payment failed.*keep watching/);
  assert.deepEqual(facts(suspended, NOW).filter(([name]) => name === "You can watch until").length, 1);
});

test("the account page links to PayPal only if there is something to do", () => {
  assert.equal(payPalAddress(made()), "");
  assert.equal(payPalAddress(made({ state: "pending", approve_url: "https://paypal.test/approve" })), "https://paypal.test/approve");
});

test("the player offers the plans instead of a retry", () => {
  const { again, plans } = problemFor({ status: 402 });
  assert.deepEqual([again, plans], [false, true]);
});
