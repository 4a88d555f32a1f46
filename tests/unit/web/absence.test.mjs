import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { authorized, keep, memory, session } from "../../../web/js/account/session.js";
import { endingFor, problemFor } from "../../../web/js/player/messages.js";
import { sessionFor } from "../../../web/js/player/opening.js";
import { Stream } from "../../../web/js/player/stream.js";
import { bindAbsence } from "../../../web/js/studio/absence.js";
import { stateFor } from "../../../web/js/studio/studio.js";
import { element, installPage, settled } from "./dom.mjs";

const ENDED = { status: 401, error: "unauthenticated", detail: "Your session has expired. Log in and try again." };
const OWNER = { token: "t", expires_at: "2030-01-01T00:00:00Z", user_id: "u", email: "ada@example.org", admin: true, factor: "passkey" };
const BLOB = "https://films.example";

/** @type {any} the API's answer */
let answer;
let left = "";

beforeEach(() => {
  left = "";
  installPage(() => answer);
  globalThis.location.replace = (address) => { left = String(address); };
  keep(/** @type {any} */ (OWNER));
});

test("a playing film is not replaced by the login page when its session ends, and continues after a login in another tab", async () => {
  const told = [];
  const stream = new Stream({ kept: memory() });
  const opened = { manifest_url: `${BLOB}/m.mpd`, sas: "sig=1", stream_ticket: "s", expires_at: new Date(Date.now() + 20_000).toISOString() };
  answer = opened;
  const playing = sessionFor("film", { isStored: false, stream, onRefused: (error) => { told.push(error?.status ?? null); } });
  await playing.renew();
  answer = ENDED;
  await assert.rejects(Promise.race([playing.renew(), settled()]), { status: 401 });
  assert.deepEqual([left, session()], ["", null]);
  keep(/** @type {any} */ (OWNER)); // as if the other tab had sent it
  answer = { ...opened, sas: "sig=2" };
  await playing.renew();
  assert.equal(await playing.signed(`${BLOB}/1`), `${BLOB}/1?sig=2`);
});

test("a guest who opens a film is sent to the login page", async () => {
  answer = ENDED;
  sessionFor("film", { isStored: false, stream: new Stream({ kept: memory() }), onRefused: () => {} }).renew();
  await settled();
  assert.match(left, /^\/login\.html\?/);
});

test("a viewer whose session has ended learns how long the film plays, and where to log in", () => {
  assert.equal(endingFor({ status: 401 }, 7.9 * 60_000), "Your session has ended. You can watch for another 7 minutes. Log in in another tab to watch the whole film.");
  const { heading, text, login, again } = problemFor({ status: 401 });
  assert.deepEqual([heading, text, login, again], ["Your session has ended.", "Log in to continue where you stopped.", true, false]);
});

test("the Studio is covered while nobody is logged in, and continues for the same owner", async () => {
  const root = element("absence absence-login");
  const [dialog] = root.children;
  let reloads = 0;
  bindAbsence(root, { isAdmitted: (now) => stateFor(now) === "known", reload: () => { reloads += 1; } });
  answer = ENDED;
  await assert.rejects(Promise.race([authorized("jobs"), settled()]), { status: 401 });
  assert.deepEqual([dialog.open, left], [true, ""]);
  assert.match(root.children[1].href, /^\/login\.html/);
  await assert.rejects(authorized("jobs"), { status: 401 });
  keep(/** @type {any} */ (OWNER));
  assert.deepEqual([dialog.open, reloads], [false, 0]);
  keep(/** @type {any} */ ({ ...OWNER, user_id: "v" }));
  assert.equal(reloads, 1);
});
