import assert from "node:assert/strict";
import { test } from "node:test";
import { recommendedRows, withReason } from "../../../web/js/recommendations.js";

const pick = (id, words) => ({ id, name: id, status: "ready", reason: { kind: "genre", words } });

test("a shelf becomes a row, with its reasons as the lines under its cards", () => {
  const [row] = recommendedRows({ shelves: [{ id: "because-a", heading: "Because you watched A", titles: [pick("b", "Also by Ada")] }] });
  assert.deepEqual([row.id, row.name], ["for-because-a", "Because you watched A"]);
  assert.deepEqual(row.titles, [{ id: "b", name: "b", status: "ready", because: "Also by Ada" }]);
});

test("a shelf without titles is omitted, and its id differs from those of the catalogue", () => {
  const rows = recommendedRows({ shelves: [{ id: "empty", heading: "Empty", titles: [] }, { id: "new-titles", heading: "New", titles: [pick("c", "")] }] });
  assert.deepEqual(rows.map(({ id }) => id), ["for-new-titles"]);
});

test("a reason that is in the heading is not repeated under the cards", () => {
  const [row] = recommendedRows({ shelves: [{ id: "popular", heading: "Popular now", titles: [pick("a", "Popular now")] }] });
  assert.equal(row.titles[0].because, "");
});

test("a title without a reason shows its facts", () => {
  assert.equal(withReason({ id: "a", name: "A", status: "ready" }).because, "");
});
