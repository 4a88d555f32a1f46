import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../../../web/js/net.js";
import { loadInto } from "../../../web/js/studio/loading.js";

/** Return the elements of a part, as far as loading uses them. */
const part = () => /** @type {any} */ ({ trouble: { textContent: "", hidden: true }, again: { hidden: true } });

test("a failed load says why and offers another, which clears the message", async () => {
  const at = part();
  await loadInto(at, async () => { throw new RequestError(503, "store_unavailable", "The store does not answer."); });
  assert.deepEqual(at, { trouble: { textContent: "The store does not answer.", hidden: false }, again: { hidden: false } });
  await loadInto(at, async () => {});
  assert.deepEqual(at, part());
});

test("a defect of the page is not shown as a failed request", async () => {
  const at = part();
  await assert.rejects(loadInto(at, async () => { throw new TypeError("undefined is not a function"); }), TypeError);
  assert.deepEqual(at, part());
});
