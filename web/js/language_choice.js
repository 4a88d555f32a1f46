/**
 * The links to this page in other languages, in the footer and on the account page. language.js keeps the choice on this
 * device; for somebody who is logged in, it is also the language of their emails.
 */
import { authorized, session } from "./account/session.js";
import { orElse } from "./net.js";
import { LANGUAGE, withoutLanguage } from "./texts.js";

/**
 * Return the address of a page in another language.
 * @param {Pick<Location, "pathname" | "search" | "hash">} place
 * @param {{ code: string, first: string }} wanted the language, and the one at the root of the site
 */
export function addressIn({ pathname, search, hash }, { code, first }) {
  const path = withoutLanguage(pathname);
  return `${code === first ? "" : `/${code}`}${path}${search}${hash}`;
}

/** @param {HTMLAnchorElement} link */
function bind(link) {
  const code = link.dataset.language ?? LANGUAGE;
  const [first] = (document.documentElement.dataset.languages ?? LANGUAGE).split(" ");
  link.href = addressIn(location, { code, first }); // for a new tab; language.js sets it again when the link is pressed
  link.addEventListener("click", () => {
    if (session()) {
      const stored = authorized("me/language", { method: "PUT", body: { language: code }, leave: false, keep: true, keepalive: true });
      orElse(stored, null); // if it fails, the next login stores the language
    }
  });
}

if (globalThis.document) {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-language]"))) bind(link);
}
