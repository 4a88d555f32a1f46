import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ProfilesPage } from "../../../web/js/account/profiles.js";
import { session } from "../../../web/js/account/session.js";
import { List } from "../../../web/js/studio/list.js";
import { element, held, installPage, settled } from "./dom.mjs";

/** @type {{ path: string, body: any, answer: ReturnType<typeof held> }[]} */
let requests;

beforeEach(() => {
  requests = [];
  installPage((path, init) => {
    const answer = held();
    requests.push({ path, body: JSON.parse(init.body ?? "null"), answer });
    return answer.promise;
  }, { entry: () => element("head facts state act"), profile: () => element("open face name facts verb") });
});

test("further entries are fetched once, however often the button is pressed meanwhile", async () => {
  const root = element("entries none more trouble again");
  const find = (/** @type {string} */ name) => root.querySelector(`[data-hook="${name}"]`);
  const list = new List(root, { path: "audit", name: "entries", write: ({ head }) => ({ head, facts: [], state: "" }) });
  const first = list.load();
  await settled();
  requests[0].answer.settle({ entries: [{ head: "one" }], cursor: "c" });
  await first;
  find("more").click();
  find("more").click();
  await settled();
  assert.deepEqual(requests.map(({ path }) => path), ["audit", "audit?cursor=c"]);
  assert.equal(find("more").getAttribute("aria-disabled"), "true");
  requests[1].answer.settle({ entries: [{ head: "two" }], cursor: "d" });
  await settled();
  assert.deepEqual(list.shown.map(({ head }) => head), ["one", "two"]);
  find("more").click();
  await settled();
  assert.equal(requests[2].path, "audit?cursor=d");
});

test("a second profile cannot be chosen while the device is being switched to the first", async () => {
  const root = element("manage manage-label heading lead advice add said profiles");
  const page = new ProfilesPage(root);
  const said = root.querySelector('[data-hook="said"]');
  const profiles = ["Ada", "Mia"].map((name) => ({ id: name, name, colour: "mint", age_limit: null, locked: false, own: false }));
  const loads = page.load();
  await settled();
  requests[0].answer.settle({ profiles, current: "Ada", most: 5 });
  await loads;
  const faces = () => root.querySelector('[data-hook="profiles"]').children.map((node) => node.querySelector('[data-hook="open"]'));
  faces()[0].onclick();
  faces()[1].onclick();
  await settled();
  assert.deepEqual(requests.slice(1).map(({ body }) => body), [{ profile_id: "Ada" }]);
  assert.deepEqual([said.textContent, faces()[1].getAttribute("aria-disabled")], ["Switching to Ada…", "true"]);
  requests[1].answer.settle({ error: "conflict", status: 409, detail: "This profile was just deleted." });
  await settled();
  assert.deepEqual([said.textContent, faces()[1].getAttribute("aria-disabled")], ["This profile was just deleted.", null]);
  faces()[1].onclick();
  await settled();
  requests[2].answer.settle(profiles[1]);
  await settled();
  assert.equal(session()?.profile_id, "Mia");
});
