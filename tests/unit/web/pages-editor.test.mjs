import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bindPages } from "../../../web/js/studio/pages.js";
import { element, formIn, held, installPage, settled } from "./dom.mjs";

/** @type {any[]} what was published */
let sent;
/** @type {any[]} the versions that were to be removed */
let removed;
/** @type {any} the text that the API has, with its version */
let stored;
/** @type {ReturnType<typeof held> | null} */
let hold;

beforeEach(() => {
  [sent, removed, hold] = [[], [], null];
  stored = { name: "terms", markdown: "First", version: "v1", updated_at: "2026-05-01T10:00:00Z" };
  installPage(async (path, init) => {
    if (path === "pages") return { pages: [stored] };
    await hold?.promise;
    if (init.method === "DELETE") {
      const version = new URLSearchParams(path.split("?")[1]).get("version");
      removed.push(version);
      if (version !== stored.version) return { status: 409, error: "conflict", detail: "This page was changed in the meantime." };
      stored = { ...stored, markdown: "", version: null, updated_at: null };
      return undefined;
    }
    const { markdown, version } = JSON.parse(init.body);
    sent.push(version);
    if (version !== stored.version) return { status: 409, error: "conflict", detail: "This page was changed in the meantime." };
    stored = { ...stored, markdown: markdown.trim(), version: `v${sent.length + 10}` };
    return stored;
  });
});

function makeEditor() {
  const root = element("trouble again retry parts");
  const node = element("state changed open remove outline", { page: "terms" });
  const form = formIn(node, "form", { markdown: "" });
  root.append(node);
  const { look } = bindPages(root);
  const message = form.querySelector('[data-hook="message"]');
  const publish = async () => {
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    await settled();
  };
  const remove = async () => {
    node.querySelector('[data-hook="remove"]').dispatchEvent(new Event("click"));
    await settled();
  };
  return { look, input: form.elements.markdown, publish, remove, message };
}

test("a text that somebody else has changed is not overwritten, however often its owner changes tabs", async () => {
  const { look, input, publish, message } = makeEditor();
  await look();
  assert.equal(input.value, "First");
  input.value = "Mine";
  stored = { ...stored, markdown: "Theirs", version: "v2" };
  await look();
  assert.equal(input.value, "Mine");
  assert.match(message.textContent, /This page was changed in the meantime/);
  await publish();
  await look();
  await publish();
  assert.deepEqual([sent, stored.markdown, input.value], [["v1", "v1"], "Theirs", "Mine"]);
});

test("a text that is not being changed follows the stored one, and can be changed and published from there", async () => {
  const { look, input, publish, message } = makeEditor();
  await look();
  stored = { ...stored, markdown: "Theirs", version: "v2" };
  await look();
  assert.deepEqual([input.value, message.textContent], ["Theirs", ""]);
  input.value = "Theirs and mine\n";
  await publish();
  assert.deepEqual([sent, input.value, message.textContent], [["v2"], "Theirs and mine", "Published."]);
  input.value = "More";
  await look();
  await publish();
  assert.deepEqual(sent, ["v2", "v11"]);
});

test("what is typed while a text is published stays, and is published next", async () => {
  const { look, input, publish } = makeEditor();
  await look();
  hold = held();
  input.value = "One";
  await publish();
  input.value = "One and two";
  hold.settle();
  await settled();
  assert.equal(input.value, "One and two");
  await publish();
  assert.deepEqual([sent, stored.markdown], [["v1", "v11"], "One and two"]);
});

test("a text that somebody else has changed is not removed from the site", async () => {
  const { look, input, remove, message } = makeEditor();
  await look();
  stored = { ...stored, markdown: "Theirs", version: '"0x8D&2"' };
  await remove();
  assert.deepEqual([removed, stored.markdown, input.value], [["v1"], "Theirs", "First"]);
  assert.match(message.textContent, /changed in the meantime/);
  await look();
  await remove();
  assert.deepEqual([removed, stored.version, input.value], [["v1", '"0x8D&2"'], null, "Theirs"]);
  assert.equal(message.textContent, "Removed from the site. Your text is still here.");
});

test("what was removed can be published again, and removed again", async () => {
  const { look, publish, remove } = makeEditor();
  await look();
  await remove();
  await publish();
  await remove();
  assert.deepEqual([sent, removed, stored.version], [[null], ["v1", "v11"], null]);
});
