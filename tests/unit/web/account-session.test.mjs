import assert from "node:assert/strict";
import { test } from "node:test";
import { keepDevice, loginBody } from "../../../web/js/account/device.js";
import { isStorageRefused, memory, openChannel, readSession, SessionKeeper, storage } from "../../../web/js/account/session.js";

const MARK = "notflix.session.elsewhere";
const answer = (token, more = {}) => ({ token, expires_at: "2026-12-01T00:00:00Z", user_id: "a".repeat(32), email: "ada@example.org", admin: false, confirmed: false, ...more });

/** Tabs of one browser: each has its own tab storage, and they share the device storage and exchange messages. */
function browser(count) {
  const device = memory();
  const tabs = [];
  for (let index = 0; index < count; index += 1) {
    const tab = memory();
    const post = (message) => { for (const other of tabs) if (other !== tabs[index]) other.hear(structuredClone(message)); };
    tabs.push(new SessionKeeper({ tab, device, post, now: () => 1000 }));
    tabs[index].stored = tab;
  }
  return { tabs, device };
}

test("a session is stored in the tab, unless the user stays logged in on the device", () => {
  const { tabs: [one], device } = browser(1);
  one.keep(answer("t"));
  assert.equal(one.token, "t");
  assert.equal(device.getItem("notflix.session"), null);
  one.keep(answer("u"), { remember: true });
  assert.equal(one.stored.getItem("notflix.session"), null);
  assert.equal(readSession(device.getItem("notflix.session")).token, "u");
});

test("a browser that refuses storage and channels keeps the session as long as the page", (context) => {
  const insecure = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
  const page = /** @type {any} */ (globalThis);
  const { BroadcastChannel: Channel } = page;
  page.BroadcastChannel = class { constructor() { insecure(); } };
  Object.defineProperty(page, "sessionStorage", { get: insecure, configurable: true });
  context.after(() => {
    page.BroadcastChannel = Channel;
    delete page.sessionStorage;
  });
  const channel = openChannel("sessions", () => assert.fail("nobody sends anything"));
  const keeper = new SessionKeeper({ tab: storage("sessionStorage"), post: (message) => channel.postMessage(message) });
  keeper.keep(answer("t"));
  assert.equal(keeper.token, "t");
  assert.equal(isStorageRefused(), true);
  channel.close();
});

test("a new tab gets the session of another, which has left a mark", async () => {
  const { tabs: [one, two] } = browser(2);
  one.stored.setItem("notflix.session", JSON.stringify(answer("t")));
  one.mark();
  assert.equal(two.token, "");
  assert.equal((await two.ready()).token, "t");
});

test("a tab that gets no answer from other tabs has no session", async () => {
  const { tabs: [one], device } = browser(1);
  device.setItem(MARK, "");
  assert.equal(await one.ready(), null);
});

test("a tab asks no others if none has left a mark", async () => {
  const asked = [];
  const keeper = new SessionKeeper({ post: (message) => asked.push(message) });
  assert.equal(await keeper.ready(), null);
  assert.deepEqual(asked, []);
});

test("the mark is there as long as a tab has a session that is not on the device", () => {
  const { tabs: [one, two], device } = browser(2);
  const isMarked = () => device.getItem(MARK) !== null;
  two.stored.setItem("notflix.session", JSON.stringify(answer("theirs")));
  one.keep(answer("t"));
  assert.ok(isMarked());
  one.renew(answer("u"));
  assert.ok(isMarked());
  one.drop();
  assert.ok(isMarked(), "the other tab has its own");
  two.drop();
  assert.ok(!isMarked());
  one.keep(answer("v"), { remember: true });
  assert.ok(!isMarked(), "every tab reads it from the device");
});

test("a login succeeds if the mark cannot be stored", () => {
  const full = { ...memory(), setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  const keeper = new SessionKeeper({ device: full });
  keeper.keep(answer("t"));
  assert.equal(keeper.token, "t");
});

test("a session that is dropped in one tab is dropped in all", () => {
  const { tabs: [one, two] } = browser(2);
  const heard = [];
  two.onChange((session, elsewhere) => heard.push([session?.token, elsewhere]));
  one.keep(answer("t"));
  one.drop();
  assert.equal(two.token, "");
  assert.deepEqual(heard, [["t", true], [undefined, true]]);
});

test("dropping an old session does not drop a newer one of another tab", () => {
  const { tabs: [one] } = browser(1);
  one.keep(answer("new"));
  one.hear({ dropped: "old" });
  assert.equal(one.token, "new");
});

test("a renewed session replaces the old one in all tabs, in the same storage", () => {
  const { tabs: [one, two], device } = browser(2);
  one.keep(answer("t"));
  one.renew(answer("u"));
  assert.deepEqual([one.token, two.token, one.session.since], ["u", "u", 1000]);
  assert.equal(device.getItem("notflix.session"), null);
  one.keep(answer("v"), { remember: true });
  one.renew(answer("w"));
  assert.ok(one.remembered);
  assert.equal(readSession(device.getItem("notflix.session")).token, "w");
});

test("a tab in which somebody else is logged in keeps its session", () => {
  const { tabs: [one, two] } = browser(2);
  two.stored.setItem("notflix.session", JSON.stringify(answer("theirs")));
  one.keep(answer("t"));
  assert.equal(two.token, "theirs");
});

test("facts from the API update the session, but never its token", () => {
  const { tabs: [one] } = browser(1);
  const heard = [];
  one.update({ confirmed: true });
  assert.equal(one.session, null);
  one.keep(answer("t"));
  one.onChange((session) => heard.push(session.confirmed));
  one.update({ confirmed: true, token: "forged", entitlement: {} });
  one.update({ confirmed: true });
  assert.deepEqual([one.token, one.session.entitlement, heard], ["t", undefined, [true]]);
});

test("text that is not a session is ignored", () => {
  assert.deepEqual(["", null, "{", "[]", "{}", '{"token":7}', '{"token":""}', "null", "7"].map(readSession), Array(9).fill(null));
  const { tabs: [one] } = browser(1);
  one.hear({ session: { token: 7 }, replaces: "" });
  one.hear({});
  assert.equal(one.session, null);
});

test("a listener that was removed is not called any more", () => {
  const { tabs: [one] } = browser(1);
  let heard = 0;
  const leave = one.onChange(() => { heard += 1; });
  one.keep(answer("t"));
  leave();
  one.drop();
  assert.equal(heard, 1);
});

test("a known device sends its token, which is not part of the session", () => {
  const store = memory();
  const credentials = { email: "ada@example.org", password: "seven quiet lanterns" };
  assert.deepEqual(loginBody(credentials, store), credentials);
  assert.deepEqual(keepDevice(answer("t", { device: "signed" }), store), answer("t"));
  assert.deepEqual(loginBody(credentials, store), { ...credentials, device: "signed" });
  keepDevice(answer("u"), store);
  assert.equal(store.getItem("notflix.device"), "signed");
});

test("a login succeeds in a browser that stores nothing", () => {
  const full = { getItem: () => null, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  assert.equal(keepDevice(answer("t", { device: "signed" }), full).token, "t");
});
