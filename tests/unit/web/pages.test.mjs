import assert from "node:assert/strict";
import { test } from "node:test";
import { OWNERS_PAGES } from "../../../web/js/footer.js";
import { isLinkable } from "../../../web/js/page.js";
import { OUTLINES, textFault } from "../../../web/js/studio/outlines.js";

test("every page has an outline that must be completed before it is published", () => {
  assert.deepEqual(Object.keys(OUTLINES).sort(), [...OWNERS_PAGES.keys()].sort());
  for (const outline of Object.values(OUTLINES)) assert.match(textFault(outline), /^Replace ‹[^›]+› first\.$/);
  assert.equal(textFault("Write to us."), "");
  assert.equal(textFault(" \n"), "Write some text first.");
});

test("links lead to web pages, addresses and pages of the site only", () => {
  for (const address of ["https://a.example", "mailto:a@b.example", "tel:+49", "/plans.html"]) assert.ok(isLinkable(address), address);
  for (const address of ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "", " javascript:x"]) assert.ok(!isLinkable(address), address);
});
