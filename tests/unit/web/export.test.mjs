import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { collectData, PAGED, WHOLE } from "../../../web/js/account/export.js";
import { hasReceipt } from "../../../web/js/billing/words.js";
import { ask, RequestError } from "../../../web/js/net.js";

const CONTRACT = JSON.parse(readFileSync(new URL("../../../docs/api/openapi.json", import.meta.url), "utf8"));
/** Not in the file, because it follows from the rest: shelves that anybody gets, in an order for the viewer. */
const DERIVED = ["recommendations"];

const ALONE = { profiles: [{ id: "a", name: "", own: true }], current: "a" };
const emptyLists = () => Object.fromEntries(Object.values(PAGED).map(([path, list]) => [path, { [list]: [], cursor: null }]));

test("the file has what every route returns that a viewer may read", () => {
  const readable = Object.entries(CONTRACT.paths)
    .filter(([path, { get }]) => !path.includes("{") && JSON.stringify(get?.security) === '[{"session":[]}]')
    .map(([path]) => path.slice(1));
  const exported = [...Object.values(WHOLE), ...Object.values(PAGED).map(([path]) => path)];
  assert.ok(exported.length > 5);
  assert.deepEqual([...exported, ...DERIVED].sort(), readable.sort());
});

test("lists are complete, over all their pages", async () => {
  const pages = { usage: { entries: [1, 2], cursor: "a&b" }, "usage?cursor=a%26b": { entries: [3], cursor: null } };
  const lists = { ...emptyLists(), profiles: ALONE };
  const data = await collectData(async (path) => pages[path] ?? lists[path] ?? { path }, new Date("2026-11-27T10:00:00Z"));
  assert.deepEqual(data.watched, [1, 2, 3]);
  assert.deepEqual(data.profile, { path: "me" });
  assert.equal(data.exported_at, "2026-11-27T10:00:00.000Z");
});

test("the account's own profile gets what the others watched, listed and rated, and no other profile does", async () => {
  const profiles = [{ id: "a", name: "", own: true }, { id: "b", name: "Mia", own: false }];
  const asked = [];
  const answer = (current) => async (path) => {
    asked.push(path);
    if (path === "profiles") return { profiles, current };
    return { "usage?profile=b": { entries: [7], cursor: "x" }, "usage?profile=b&cursor=x": { entries: [8], cursor: null } }[path] ?? { ...Object.assign({}, ...Object.values(emptyLists())) };
  };
  const data = await collectData(answer("a"), new Date());
  assert.deepEqual(data.other_profiles, [{ id: "b", name: "Mia", watched: [7, 8], list: [], ratings: [] }]);
  asked.length = 0;
  assert.deepEqual((await collectData(answer("b"), new Date())).other_profiles, []);
  assert.ok(!asked.some((path) => path.includes("profile=")));
});

test("a part that cannot be loaded ends the export", async () => {
  const refuse = async (path) => {
    if (path === "ratings") throw new RequestError(503, "store_unavailable", "Try again.");
    return path === "profiles" ? ALONE : { logins: [], payments: [], entries: [], titles: [], cursor: null };
  };
  await assert.rejects(collectData(refuse, new Date()), { status: 503 });
});

test("a file is returned as it is, and its refusal as an error", async () => {
  const file = await ask("/x", { asFile: true }, async () => new Response("%PDF", { headers: { "content-type": "application/pdf" } }));
  assert.equal(await file.text(), "%PDF");
  const refused = async () => Response.json({ error: "not_found", detail: "No receipt." }, { status: 404 });
  await assert.rejects(ask("/x", { asFile: true }, refused), { status: 404, message: "No receipt." });
});

test("there is a receipt of what was paid, even if it was refunded", () => {
  assert.deepEqual(["completed", "partially_refunded", "refunded", "pending", "declined"].map((state) => hasReceipt({ state })), [true, true, true, false, false]);
});
