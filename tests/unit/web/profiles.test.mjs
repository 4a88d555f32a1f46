import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { lastProfile, profileFacts, profileName, proofOf, rememberProfile, sessionFacts } from "../../../web/js/account/profile.js";
import { bodyOf, faultsOfProfile, freeColour, isOpenToChildren } from "../../../web/js/account/profiles.js";
import { memory, SessionKeeper } from "../../../web/js/account/session.js";
import { playable, suitable } from "../../../web/js/cards.js";
import { isSuitable } from "../../../web/js/certificates.js";
import { offer } from "../../../web/js/title.js";

const KID = { id: "b", name: "Mia", colour: "mint", age_limit: 9, locked: false, own: false };
const PARENT = { id: "a", name: "", colour: "coral", age_limit: null, locked: true, own: true };

test("a profile says who it is, up to which age it may watch, and whether it has a PIN", () => {
  assert.deepEqual([KID, PARENT].map(profileName), ["Mia", "You"]);
  assert.deepEqual([KID, PARENT, { ...KID, locked: true }].map(profileFacts), ["Up to age 9", "PIN", "Up to age 9 · PIN"]);
});

test("this device remembers the last profile of each account", () => {
  const store = memory();
  rememberProfile("one", "a", store);
  rememberProfile("two", "b", store);
  rememberProfile("one", "c", store);
  rememberProfile(undefined, "d", store);
  assert.deepEqual(["one", "two", "three", undefined].map((id) => lastProfile(id, store)), ["c", "b", "", ""]);
  store.setItem("notflix.profiles", "not JSON");
  assert.equal(lastProfile("one", store), "");
});

test("the session stores the profile, and a new session has none", () => {
  const keeper = new SessionKeeper();
  keeper.keep({ token: "t", user_id: "a" });
  keeper.update(sessionFacts(KID));
  assert.deepEqual([keeper.session?.profile_id, keeper.session?.profile_name, keeper.session?.age_limit], ["b", "Mia", 9]);
  keeper.update(sessionFacts(PARENT));
  assert.equal(keeper.session?.age_limit, null);
  keeper.renew({ token: "u", user_id: "a" });
  assert.equal(keeper.session?.profile_id, undefined);
});

test("four digits are a PIN, everything else is the password", () => {
  assert.deepEqual(proofOf("0471"), { own_pin: "0471" });
  for (const password of ["12345", "correct horse", "123", "١٢٣٤"]) assert.deepEqual(proofOf(password), { password });
});

test("a form is sent with the PIN that was entered, removed, or left as it is", () => {
  const values = { name: " Mia ", colour: "sky", limit: "12", pin: "", proof: "long enough" };
  const stored = { name: "Mia", colour: "sky", age_limit: 12, password: "long enough" };
  assert.deepEqual(bodyOf(values), stored);
  assert.deepEqual(bodyOf({ ...values, pin: "1234", limit: "" }), { ...stored, pin: "1234", age_limit: null });
  assert.deepEqual(bodyOf({ ...values, pin: "1234", unlock: "on" }), { ...stored, pin: null });
});

test("the form says what is missing", () => {
  const wrong = { name: " ", pin: "12a4", proof: "" };
  assert.deepEqual(Object.keys(faultsOfProfile(wrong, { own: false })), ["name", "pin", "proof"]);
  assert.deepEqual(faultsOfProfile({ name: "", pin: "1234", proof: "1234" }, { own: true }), {});
});

test("a new profile gets a colour that no other has", () => {
  assert.equal(freeColour([]), "coral");
  assert.equal(freeColour([PARENT, { colour: "lime" }]), "amber");
});

test("the page advises a PIN if a child could switch to a profile without a limit", () => {
  assert.ok(isOpenToChildren([KID, { ...PARENT, locked: false }]));
  for (const profiles of [[PARENT, KID], [{ ...PARENT, locked: false }], [KID]]) assert.ok(!isOpenToChildren(profiles));
});

test("lists show only what the profile may watch, and nothing of an unknown age", () => {
  const titles = [{ status: "ready", rated: "PG" }, { status: "ready", rated: "R" }, { status: "announced", rated: "G" }, { status: "ready" }];
  assert.deepEqual(suitable(titles, 9), [titles[0], titles[2]]);
  assert.deepEqual(suitable(titles, null), titles);
  assert.deepEqual(playable(titles), [titles[0], titles[1], titles[3]]);
  assert.ok(!isSuitable({ rated: null }, 16) && isSuitable({ rated: null }, undefined));
});

test("a title for older people is not offered", () => {
  const title = { id: "x", name: "X", rated: "R", status: "ready", playback: {} };
  const refused = offer(title, null, { entitled: false, suspended: false }, 12);
  assert.deepEqual([refused.play, refused.subscribe, refused.encode], ["", false, "This film is not for this profile."]);
  assert.equal(offer(title, null, { entitled: true, suspended: false }, null).play, "Play");
});

test("every colour is readable: as the ground of a dark letter, and on the dark page", () => {
  const css = readFileSync(new URL("../../../web/css/site.css", import.meta.url), "utf8");
  const grounds = [...css.matchAll(/\[data-colour="(\w+)"\] \{ background: (#\w{6})/g)].map(([, , colour]) => colour);
  const [, ink] = /\[data-colour\] \{ color: (#\w{6})/.exec(css) ?? [];
  const luminance = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  assert.equal(grounds.length, 8);
  for (const ground of grounds) for (const dark of [ink, "#0b0b0f"]) assert.ok(contrast(ground, dark) > 7, `${ground} on ${dark}`);
});
