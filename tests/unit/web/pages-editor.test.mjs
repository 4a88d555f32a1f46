import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bindPages } from "../../../web/js/studio/pages.js";
import { element, formIn, held, installPage, settled } from "./dom.mjs";

/** @type {any[]} what was published */
let sent;
/** @type {any} the text that the API has, with its version */
let stored;
/** @type {ReturnType<typeof held> | null} */
let hold;

beforeEach(() => {
  [sent, hold] = [[], null];
  stored = { name: "terms", markdown: "First", version: "v1", updated_at: "2026-05-01T10:00:00Z" };
  installPage(async (path, init) => {
    if (path === "pages") return { pages: [stored] };
    await hold?.promise;
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
  return { look, input: form.elements.markdown, publish, message };
}

test("a text that somebody else has changed is not overwritten, however often its owner changes tabs", async () => {
  const { look, input, publish, message } = makeEditor();
  await look();
  assert.equal(input.value, "First");
  input.value = "Mine";
  stored = { ...stored, markdown: "Theirs", version: "v2" };
  await look();
  assert.equal(input.value, "Mine");
  assert.match(message.textContent, /Somebody else has changed this page/);
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
