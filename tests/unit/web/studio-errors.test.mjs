/** How the Studio reports errors: owners see what failed inside the service. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useStudio } from "./texts.mjs";

useStudio();
const { ask } = await import("../../../web/js/net.js");

test("owners see what failed inside the service", async () => {
  const detail = "The database logins_db is busy (error 1213); try again in a few seconds.";
  const refused = async () => Response.json({ error: "store_unavailable", detail }, { status: 503 });
  await assert.rejects(ask("/x", {}, refused), { message: detail });
});
