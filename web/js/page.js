/** A page whose text the owner has written. The text arrives as a tree of elements, and is shown without any HTML. */
import "./nav.js";
import { hooks, rootOf, say, showProblem } from "./dom.js";
import { getJson, RequestError } from "./net.js";
import { onChange, session } from "./account/session.js";
import { publishedPages } from "./footer.js";
import { LOCALE, t } from "./texts.js";

/** @import { PageNode, PublishedPage } from "./types.js" */

const TAGS = new Set([
  ...["h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br"],
  ...["strong", "em", "a", "table", "thead", "tbody", "tr", "th", "td"],
]);

/**
 * Return whether a link may lead to an address: a web page, an email address, a telephone number or a page of the site.
 * @param {string} address
 */
export const isLinkable = (address) => /^(https?:\/\/|mailto:|tel:|\/(?![/\\]))/i.test(address);

/**
 * Return the DOM of a part of the text. Elements that are not on the list are replaced by their text.
 * @param {PageNode} node
 * @returns {Node}
 */
export function domOf(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const children = (node.children ?? []).map(domOf);
  if (!TAGS.has(node.tag) || (node.tag === "a" && !isLinkable(node.href ?? ""))) {
    const plain = document.createDocumentFragment();
    plain.append(...children);
    return plain;
  }
  const element = document.createElement(node.tag);
  element.append(...children);
  if (element instanceof HTMLAnchorElement) {
    element.href = node.href ?? "";
    element.rel = "noopener noreferrer";
  }
  if (node.tag === "table") element.tabIndex = 0; // wide tables scroll sideways, also by keyboard
  return element;
}

/** @param {HTMLElement} root */
async function start(root) {
  const name = root.dataset.ownersPage ?? "";
  const at = hooks(root);
  try {
    if (!(await publishedPages()).includes(name)) {
      const show = () => {
        const isOwner = Boolean(session()?.admin);
        at.unwritten.hidden = !isOwner;
        at.missing.hidden = isOwner;
      };
      show();
      onChange(show);
      return;
    }
    /** @type {PublishedPage} */
    const page = await getJson(`/pages/${name}.json`);
    at.text.replaceChildren(...page.content.map(domOf));
    say(at.changed, t("page.changed", { day: new Date(page.updated_at).toLocaleDateString(LOCALE, { dateStyle: "long" }) }));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showProblem(root, { heading: t("common.page_did_not_load"), text: error.message, retry: () => location.reload() });
  } finally {
    root.removeAttribute("aria-busy");
  }
}

const root = rootOf("owners-page");
if (root) start(root);
