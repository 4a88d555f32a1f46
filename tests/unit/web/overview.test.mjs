import assert from "node:assert/strict";
import { test } from "node:test";
import { businessPlots, businessTiles, describe, encodingPlots, encodingTiles, hoursText, isEmpty, longDay, noticesOf, secondsText, shortDay, stalledPerHour, viewingPlots, viewingTiles } from "../../../web/js/studio/figures.js";
import { coloursOf, drawnValues } from "../../../web/js/studio/plots.js";

const NOW = new Date("2026-11-27T12:00:00Z");
const GIB = 1_000_000_000;

const viewing = {
  startup_ms: 840,
  days: [
    { day: "2026-11-26", watched_min: 0, starts: 0, startup_ms: null, stalls: 0, stalled_s: 0 },
    { day: "2026-11-27", watched_min: 90, starts: 2, startup_ms: 840, stalls: 1, stalled_s: 3 },
  ],
};
const business = {
  subscribers: 12,
  churn_percent: 8.3,
  webhooks_waiting: 0,
  waiting_since: null,
  revenue: [{ currency: "EUR", amount_minor: 9588, refunded_minor: 799, by_day: [0, 8789] }],
  days: [
    { day: "2026-11-26", subscribers: 12, gained: 0, lost: 0, webhooks: 0 },
    { day: "2026-11-27", subscribers: 12, gained: 1, lost: 1, webhooks: 4 },
  ],
};
const month = { month: "2026-11", encode_microusd: 3_200_000, limit_microusd: null };
const encoding = {
  open: 1,
  month,
  months: [month],
  storage: { films: 4, film_size: 8 * GIB, upload_size: 2 * GIB, microusd_per_month: 180_000 },
  days: [
    { day: "2026-11-26", ready: 3, failed: 0, open: 0 },
    { day: "2026-11-27", ready: 0, failed: 1, open: 1 },
  ],
};
const up = { up: true, reason: null, optional: false };

test("amounts read like amounts", () => {
  assert.deepEqual([0, 24, 60, 90, 72_240].map(hoursText), ["0 hours", "0.4 hours", "1 hour", "1.5 hours", "1,204 hours"]);
  assert.equal(secondsText(840), "0.8 s");
  assert.equal(secondsText(null), "–");
  assert.equal(shortDay("2026-11-27"), "27 Nov");
  assert.equal(shortDay("2026-11"), "Nov");
  assert.equal(longDay("2026-11-27"), "27 November 2026");
  assert.equal(longDay("2026-11"), "November 2026");
});

test("waiting is relative to what was watched", () => {
  assert.equal(stalledPerHour(viewing.days[1]), 2);
  assert.equal(stalledPerHour(viewing.days[0]), null);
});

test("tiles sum up the period", () => {
  assert.deepEqual(viewingTiles(viewing), [
    { label: "Watched", value: "1.5 hours", note: "2 films started" },
    { label: "Time to the first picture", value: "0.8 s", note: "Then 2.0 s of buffering per hour" },
  ]);
  assert.deepEqual(businessTiles(business).map(({ label, value, note }) => `${label}: ${value}, ${note}`), [
    "Subscribers: 12, 1 new, 1 lost",
    "Churn: 8.3 %, Of the subscribers at the start",
    "Revenue: €87.89, After €7.99 in refunds",
    "Messages from PayPal: 4, All handled",
  ]);
  assert.deepEqual(encodingTiles(encoding).map(({ label, value, note }) => `${label}: ${value}, ${note}`), [
    "Films: 4, 1 in progress · 10 GB in storage, $0.18 a month",
    "Encoding this month: $3.20, No limit is set",
  ]);
});

test("a copy without anything has tiles without numbers, not with errors", () => {
  const nothing = { ...business, subscribers: 0, churn_percent: null, revenue: [], days: business.days.map((one) => ({ ...one, subscribers: 0, gained: 0, lost: 0, webhooks: 0 })) };
  assert.deepEqual(businessTiles(nothing).map(({ value }) => value), ["0", "–", "–", "0"]);
  assert.deepEqual(businessPlots(nothing).map(isEmpty), [true, true, true, true]);
  assert.ok(businessPlots(nothing).every(({ empty }) => empty));
  const unwatched = { startup_ms: null, days: [viewing.days[0]] };
  assert.deepEqual(viewingTiles(unwatched).map(({ value }) => value), ["0 hours", "–"]);
  assert.deepEqual(viewingPlots(unwatched).map(isEmpty), [true, true, true, true]);
});

test("every plot has a value, or a gap, for every day", () => {
  for (const plot of [...viewingPlots(viewing), ...businessPlots(business), ...encodingPlots(encoding)]) {
    for (const { values } of plot.series) assert.equal(values.length, plot.at.length, plot.id);
    assert.ok(plot.series.flatMap(({ values }) => values).map(plot.format).every((text) => !/NaN|undefined|null/.test(text)), plot.id);
  }
});

test("the limit of the month is drawn if there is one", () => {
  const limited = { ...encoding, month: { ...month, limit_microusd: 20_000_000 } };
  assert.deepEqual(encodingPlots(limited)[1].limit, { value: 20_000_000, label: "Limit $20" });
  assert.equal(encodingPlots(encoding)[1].limit, undefined);
});

test("revenue in several currencies is not added up", () => {
  const two = { ...business, revenue: [...business.revenue, { currency: "JPY", amount_minor: 500, refunded_minor: 0, by_day: [500, 0] }] };
  assert.deepEqual(businessPlots(two).map(({ heading }) => heading).filter((text) => text.startsWith("Revenue")), ["Revenue in EUR", "Revenue in JPY"]);
  assert.equal(businessTiles(two)[2].value, "€87.89 + ¥500");
});

test("a plot says what it shows", () => {
  assert.equal(describe(viewingPlots(viewing)[0]), "Hours watched. Highest on 27 November 2026: 1.5 hours. Latest: 1.5 hours. The table has all values.");
});

test("stacked values are drawn as sums, the lower part on top", () => {
  const [films] = encodingPlots(encoding);
  assert.deepEqual(drawnValues(films), [[3, 2], [3, 1]]);
  assert.deepEqual(coloursOf(films), [...coloursOf(businessPlots(business)[1])].reverse());
  assert.deepEqual(drawnValues({ kind: "line", series: [{ label: "", values: [null, 500] }], scale: 1000 }), [[null, 0.5]]);
});

test("only what needs attention is a notice", () => {
  const quiet = { ...encoding, days: [{ day: "2026-11-27", ready: 1, failed: 0, open: 0 }] };
  assert.deepEqual(noticesOf({ business, encoding: quiet, health: { status: "up", stores: { mysql: up } } }, NOW), []);
  const spent = { ...quiet, month: { ...month, limit_microusd: 4_000_000 } };
  assert.match(noticesOf({ encoding: spent }, NOW)[0].text, /used \$3\.20 of this month’s limit of \$4\./);
  const stuck = { ...business, webhooks_waiting: 2, waiting_since: "2026-11-27T11:00:00Z" };
  assert.match(noticesOf({ business: stuck }, NOW)[0].text, /^Messages from PayPal have been waiting since today, /);
  assert.deepEqual(noticesOf({ business: { ...stuck, waiting_since: "2026-11-27T11:59:00Z" } }, NOW), []);
  assert.equal(noticesOf({ encoding }, NOW)[0].text, "1 film could not be encoded.");
  const [down] = noticesOf({ health: { status: "up", stores: { neo4j: { up: false, reason: "Timeout", optional: true } } } }, NOW);
  assert.deepEqual([down.text, down.kind], ["Recommendations: not available. Your site still works, with fewer features.", "note"]);
});

test("a new copy is told how to begin", () => {
  const empty = { ...encoding, open: 0, storage: { films: 0, film_size: 0, upload_size: 0, microusd_per_month: 0 }, days: [{ day: "2026-11-27", ready: 0, failed: 0, open: 0 }] };
  assert.deepEqual(noticesOf({ encoding: empty }, NOW), [{ text: "There are no films yet.", link: "Upload your first film", tab: "films", kind: "note" }]);
});
