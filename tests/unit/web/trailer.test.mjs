import assert from "node:assert/strict";
import { test } from "node:test";
import { keep } from "../../../web/js/account/session.js";
import { offerAfter, openTrailer } from "../../../web/js/player/trailer.js";

const film = { id: "a b", playback: {} };

test("a trailer ends with the film for those who may watch, and with the way to it for everybody else", () => {
  const offered = (title, viewer) => Object.values(offerAfter(title, viewer));
  const entitled = { entitled: true, suspended: false };
  assert.deepEqual(offered(film, { isGuest: false, access: entitled }), ["Watch the film", "/watch.html?id=a%20b"]);
  assert.deepEqual(offered(film, { isGuest: false, access: null }), ["Watch the film", "/watch.html?id=a%20b"]);
  const plans = ["Subscribe to watch", "/plans.html?next=%2Fwatch.html%3Fid%3Da%2520b"];
  assert.deepEqual(offered(film, { isGuest: true, access: null }), plans);
  assert.deepEqual(offered(film, { isGuest: false, access: { entitled: false, suspended: false } }), plans);
  assert.deepEqual(offered(film, { isGuest: false, access: { entitled: false, suspended: true } }), ["Settle your payment to watch", "/account.html"]);
  assert.deepEqual(offered({ id: "a", playback: null }, { isGuest: false, access: entitled }), ["More about it", "/title/a"]);
});

test("a trailer is opened with the session, and without it once the session has ended", async () => {
  globalThis.document = /** @type {any} */ ({ documentElement: { dataset: { api: "https://api.example" } } });
  const asked = [];
  const refused = new Set(["Bearer old"]);
  globalThis.fetch = /** @type {any} */ (async (/** @type {any} */ address, /** @type {any} */ { method, headers }) => {
    asked.push([address, method, headers.authorization ?? ""]);
    return refused.has(headers.authorization)
      ? new Response(JSON.stringify({ error: "unauthenticated", detail: "Log in." }), { status: 401 })
      : new Response(JSON.stringify({ name: "The Sea" }));
  });
  assert.equal((await openTrailer("a b")).name, "Trailer: The Sea");
  keep({ token: "old" });
  assert.equal((await openTrailer("a b")).name, "Trailer: The Sea");
  const address = "https://api.example/api/titles/a%20b/trailer";
  assert.deepEqual(asked, [[address, "POST", ""], [address, "POST", "Bearer old"], [address, "POST", ""]]);
});
