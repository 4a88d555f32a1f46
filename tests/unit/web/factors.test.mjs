import assert from "node:assert/strict";
import { test } from "node:test";
import { knownDevice, openSession, openWithFactor } from "../../../web/js/account/device.js";
import { codeFault, leadFor } from "../../../web/js/account/factor.js";
import { codesText, factsOf, qrPath } from "../../../web/js/account/factors.js";
import { pageAfter } from "../../../web/js/account/login.js";
import { hasPasskeys, passkeyFault } from "../../../web/js/account/passkeys.js";
import { memory } from "../../../web/js/account/session.js";
import { stateFor } from "../../../web/js/studio/studio.js";

test("a code is checked before it is sent", () => {
  assert.equal(codeFault("123 456", false), "");
  assert.equal(codeFault("12345", false), "The code has six digits.");
  assert.equal(codeFault(" ", false), "Enter the code from the app.");
  assert.equal(codeFault("K3VQ 7xpa-mn2r-w5ds", true), "");
  assert.equal(codeFault("123456", true), "A recovery code has 16 letters and digits.");
});

test("the introduction names the methods that the account and the browser support", () => {
  const none = { recovery: false, passkey: false, app: false };
  assert.match(leadFor({ ...none, app: true }), /authenticator app/);
  assert.match(leadFor({ ...none, passkey: true }), /passkey/);
  assert.match(leadFor({ ...none, passkey: true, app: true }), /passkey, or enter the code/);
  assert.match(leadFor({ ...none, recovery: true, app: true }), /recovery codes/);
  assert.match(leadFor(none), /another browser/);
});

test("a browser without passkeys is detected, and a failed ceremony is explained", () => {
  assert.equal(hasPasskeys(), false);
  const named = (name) => Object.assign(new Error("x"), { name });
  assert.match(passkeyFault(named("NotAllowedError")), /Try again/);
  assert.match(passkeyFault(named("InvalidStateError")), /already has a passkey/);
  assert.match(passkeyFault(named("SecurityError")), /another method/);
});

test("an administrator without a second step sets it up before anything else", () => {
  assert.equal(pageAfter({ admin: true, factor: "none" }, "/studio.html"), "/account.html#two-step");
  assert.equal(pageAfter({ admin: true, factor: "totp" }, "/studio.html"), "/studio.html");
  assert.equal(pageAfter({ admin: false, factor: "none" }, "/"), "/");
  assert.equal(stateFor({ admin: true }), "factor");
  assert.equal(stateFor({ admin: true, factor: "passkey" }), "known");
  assert.equal(stateFor({ admin: false, factor: "passkey" }), "denied");
});

test("facts about a factor and its codes are sentences", () => {
  const now = new Date("2026-11-27T12:00:00Z");
  const app = { id: "a", kind: "totp", name: "Phone", created_at: "2026-11-12T12:00:00Z", last_used_at: null };
  assert.equal(factsOf(app, now), "Authenticator app · added 12 November · not used yet");
  assert.match(factsOf({ ...app, kind: "passkey", last_used_at: "2026-11-27T11:00:00Z" }, now), /^Passkey · .* · last used today, /);
  assert.equal(codesText(0, 0), "");
  assert.equal(codesText(1, 10), "You have 10 unused recovery codes.");
  assert.match(codesText(1, 1), /1 unused recovery code\. Get new ones/);
  assert.match(codesText(1, 0), /no unused/);
});

test("a QR code is drawn from its rows", () => {
  assert.equal(qrPath(["10", "01"]), "M0 0h1v1h-1zM1 1h1v1h-1z");
});

test("a login returns a session or the request for the second step, and sends the device both times", async (context) => {
  const asked = [];
  const answers = [{ step: "second_factor", ticket: "t", kinds: ["totp"], passkey_options: null }, { step: "done", token: "s", device: "d2" }];
  const page = /** @type {any} */ (globalThis);
  page.document = { documentElement: { dataset: { api: "http://api" } } };
  context.after(() => { delete page.document; });
  context.mock.method(globalThis, "fetch", async (address, init) => {
    asked.push([address, JSON.parse(init.body)]);
    return new Response(JSON.stringify(answers.shift()), { status: 200 });
  });
  const store = memory();
  store.setItem("notflix.device", "d1");
  const opened = await openSession({ email: "a@example.org", password: "p" }, store);
  assert.equal("check" in opened && opened.check.ticket, "t");
  const session = await openWithFactor({ ticket: "t", code: "123456" }, store);
  assert.equal(session.token, "s");
  assert.deepEqual(asked.map(([address]) => address), ["http://api/api/sessions", "http://api/api/sessions/second-factor"]);
  assert.ok(asked.every(([, body]) => body.device === "d1"));
  assert.deepEqual(knownDevice(store), { device: "d2" });
});
