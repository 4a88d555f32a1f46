import assert from "node:assert/strict";
import { test } from "node:test";
import { isFresh } from "../../../web/js/account/account.js";
import { placeOf, secondsLeft, waitLabel } from "../../../web/js/account/form.js";
import { noticeFor } from "../../../web/js/account/login.js";
import { initialOf } from "../../../web/js/account/menu.js";
import { here, nextOf, safeNext, withNext } from "../../../web/js/account/next.js";
import { addressFault, faultsOf, passwordFault } from "../../../web/js/account/rules.js";
import { day, moment, outcomeOf, placeName, thisLogin } from "../../../web/js/account/words.js";
import { RequestError } from "../../../web/js/net.js";

const SITE = "https://films.test";

test("after a login, the requested page of this site opens", () => {
  for (const path of ["/", "/watch.html?id=a-1&t=7", "/account.html#logins", "/search.html?q=a%2Fb", "/%2f/evil.test"]) {
    assert.equal(safeNext(path, SITE), path);
  }
});

test("no address leads to another site", () => {
  const traps = [
    null, "", "account.html", "https://evil.test", "https://films.test.evil.test/", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test",
    "/\t/evil.test", "/\n/evil.test", "\t//evil.test", " //evil.test", "/.//evil.test", "/..//evil.test", "/./\\evil.test", "/%2e%2e//evil.test",
    "javascript:alert(1)", "data:text/html,x", "https:evil.test", "http://[", "//films.test:81/", "//user@evil.test",
  ];
  for (const trap of traps) assert.equal(safeNext(trap, SITE), "/", JSON.stringify(trap));
});

test("after a login, no login page opens", () => {
  for (const page of ["/login.html", "/register.html?next=/", "/reset.html#token=x"]) assert.equal(safeNext(page, SITE), "/");
});

test("the return address is passed on unchanged between pages", () => {
  const address = withNext("/login.html", "/watch.html?id=a&x=1#t", "ended");
  const place = new URL(address, SITE);
  assert.equal(nextOf(place), "/watch.html?id=a&x=1#t");
  assert.equal(place.searchParams.get("why"), "ended");
  assert.equal(withNext("/login.html", "/"), "/login.html");
  assert.equal(here(new URL("/title.html?id=b#more", SITE)), "/title.html?id=b#more");
});

test("an email address is refused only if it is obviously invalid", () => {
  assert.deepEqual(["a@b", " ada@example.org ", "grüße@bücher.example", '"odd@one"@example.org'].map(addressFault), ["", "", "", ""]);
  for (const wrong of ["", "  ", "ada", "@example.org", "ada@", "a b@example.org", `${"a".repeat(250)}@b.org`]) assert.notEqual(addressFault(wrong), "", wrong);
});

test("the length of a password is counted in characters, not in code units", () => {
  assert.equal(passwordFault("12345678"), "");
  assert.equal(passwordFault("🎬".repeat(128)), "");
  assert.match(passwordFault("🎬".repeat(7)), /^That is 7 characters; use 8 or more/);
  assert.match(passwordFault("x"), /^That is 1 character;/);
  assert.match(passwordFault("x".repeat(129)), /more than 128/);
  assert.equal(passwordFault(""), "Choose a password.");
});

test("only fields with an error are marked", () => {
  assert.deepEqual(faultsOf({ email: "", password: "No." }), { password: "No." });
});

test("an error is shown at the field that its code belongs to, any other error above the form", () => {
  const fields = { weak_password: "new" };
  assert.deepEqual(placeOf(new RequestError(422, "weak_password", "Too easy."), fields), { field: "new", text: "Too easy." });
  assert.deepEqual(placeOf(new RequestError(503, "store_unavailable", "Not now."), fields), { field: "", text: "Not now." });
  assert.match(placeOf(new RequestError(0, "unreachable", "No connection.")).text, /^No connection\. .*what you typed is still here/);
});

test("a wait is counted down in whole seconds, a long one in minutes", () => {
  assert.deepEqual([secondsLeft(1000, 0), secondsLeft(1001, 0), secondsLeft(5, 5), secondsLeft(0, 9)], [1, 2, 0, 0]);
  assert.deepEqual([waitLabel(42), waitLabel(100), waitLabel(3600)], ["Wait 42 s", "Wait 2 min", "Wait 60 min"]);
});

test("the login page explains known reasons for opening it, and ignores unknown ones", () => {
  assert.match(noticeFor("ended"), /session has ended/);
  assert.deepEqual(["", "<b>", "constructor"].map(noticeFor), ["", "", ""]);
});

test("the initial of a person is the first letter or digit of the address", () => {
  assert.deepEqual(["ada@example.org", "_élan@x.org", "7up@x.org", "日本@x.org", "", undefined].map(initialOf), ["A", "É", "7", "日", "?", "?"]);
});

test("times are shown as people say them", () => {
  const now = new Date(2026, 10, 12, 14, 0);
  const told = (year, month, date, hours, minutes) => moment(new Date(year, month, date, hours, minutes).toISOString(), now);
  assert.equal(told(2026, 10, 12, 9, 5), "Today, 09:05");
  assert.equal(told(2026, 10, 11, 23, 59), "Yesterday, 23:59");
  assert.equal(told(2026, 10, 1, 7, 0), "1 November, 07:00");
  assert.equal(told(2025, 10, 12, 7, 0), "12 November 2025, 07:00");
  assert.equal(day(new Date(2027, 0, 3, 12).toISOString(), now), "3 January 2027");
});

test("the outcome and the place of a login are shown in words", () => {
  assert.deepEqual(["success", "wrong_password", "unfinished", "limited", "some_new_one"].map((outcome) => outcomeOf(outcome).kind), ["good", "bad", "bad", "bad", "bad"]);
  assert.equal(outcomeOf("some_new_one").text, "some new one");
  assert.deepEqual(["127.0.0.1", "::1", "203.0.113.9", "unknown", ""].map(placeName), ["this computer", "this computer", "203.0.113.9", "an unknown address", "an unknown address"]);
});

test("the login of this session is marked only if it is certain", () => {
  const at = Date.parse("2026-11-12T12:00:00Z");
  const entry = (seconds, outcome = "success") => ({ at: new Date(at + seconds * 1000).toISOString(), ip: "::1", browser: "Firefox", outcome });
  const [near, nearer, wrong] = [entry(-60), entry(2), entry(0, "wrong_password")];
  assert.equal(thisLogin([wrong, near, nearer], at), nearer);
  assert.equal(thisLogin([wrong, entry(-91)], at), null);
  assert.equal(thisLogin([nearer], undefined), null);
});

test("the history waits only for a login of the last minute", () => {
  assert.deepEqual([isFresh(1000, 60_000), isFresh(1000, 61_000), isFresh(undefined, 5), isFresh(70_000, 1000)], [true, false, false, false]);
});
