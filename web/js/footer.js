/** The footer's links to the pages whose texts the owner has written; they are added once the page has loaded. */
import { rootOf } from "./dom.js";
import { getJson, orElse } from "./net.js";
import { inLanguage, t } from "./texts.js";

/** The pages in the order of the footer, with the texts of their links. */
export const OWNERS_PAGES = new Map([
  ["help", t("common.help")],
  ["contact", t("common.contact")],
  ["terms", t("footer.terms")],
  ["privacy", t("common.privacy")],
  ["imprint", t("common.imprint")],
]);

/**
 * Return the names of the published pages; none if the list cannot be loaded.
 * @returns {Promise<string[]>}
 */
export const publishedPages = async () => (await orElse(getJson("/pages/index.json"), { pages: [] })).pages;

/** @param {HTMLElement} list */
async function addLinks(list) {
  for (const name of await publishedPages()) {
    const text = OWNERS_PAGES.get(name);
    if (!text) continue;
    const link = document.createElement("a");
    link.href = inLanguage(`/${name}.html`);
    link.textContent = text;
    if (location.pathname === inLanguage(`/${name}.html`)) link.setAttribute("aria-current", "page");
    const entry = document.createElement("li");
    entry.append(link);
    list.append(entry);
  }
}

const list = rootOf("footer-pages");
if (list) {
  if (document.readyState === "complete") addLinks(list);
  else window.addEventListener("load", () => addLinks(list), { once: true });
}
