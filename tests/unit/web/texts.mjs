/** Imported before a test of the site's scripts: the English texts, which a page has from its build. */
import { readFileSync } from "node:fs";

const read = (/** @type {string} */ code) => JSON.parse(readFileSync(new URL(`../../../web/texts/${code}.json`, import.meta.url), "utf8"));

const english = read("en");
/** @type {any} */
const scope = globalThis;
scope.notflixTexts = { language: "en", prefix: "", studio: false, texts: english, sentences: [] };

/** Use the German texts instead; the modules must be imported afterwards. */
export function useGerman() {
  const german = read("de");
  const sentences = Object.keys(english).filter((key) => /^api(_studio)?\./.test(key)).map((key) => [english[key], german[key]]);
  sentences.sort(([a], [b]) => b.length - a.length);
  scope.notflixTexts = { language: "de", prefix: "/de", studio: false, texts: german, sentences };
}

/** Use the texts as the Studio does; the modules must be imported afterwards. */
export function useStudio() {
  scope.notflixTexts.studio = true;
}
