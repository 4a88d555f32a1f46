/** The ESLint rule that finds texts outside of web/texts. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

const packages = createRequire(join(process.env.TEST_PACKAGES ?? "", "index.js"));
const { Linter } = packages("eslint");
const rule = createRequire(import.meta.url)("../../../infra/checks/literal_text.cjs");

/** @param {string} code */
const found = (code) =>
  new Linter()
    .verify(code, { plugins: { own: { rules: { text: rule } } }, rules: { "own/text": "error" } })
    .map((/** @type {{ message: string }} */ { message }) => message);

test("texts are found wherever they may be", () => {
  for (const code of [
    'say(node, "Wait a moment.");',
    'node.textContent = "Films";',
    'node.setAttribute("aria-label", "Close");',
    "say(node, `${count} films`);",
    "say(node, `about ${size} left.`);",
    'const LABELS = { play: "Play" };',
    'throw new RequestError(0, "x", "no connection");',
    'const text = ready ? "Ready" : t("a.b");',
    'busy("Saving…");',
  ]) assert.equal(found(code).length, 1, code);
});

test("what only programs read is no text", () => {
  for (const code of [
    'import { a } from "./Some File.js";',
    't("search.count_for", { count });',
    'root.querySelector("[data-a] .b c");',
    'node.setAttribute("aria Label", value);',
    'if (event.key === "Escape") stop();',
    'node.style.width = `${width}px`;',
    'throw new Error("The element is missing.");',
    'const address = `/watch.html?id=${id}`;',
    'const text = `${first}: ${second}`;',
  ]) assert.deepEqual(found(code), [], code);
});
