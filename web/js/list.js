/** My list: the films a viewer wants to watch, latest first, each with a button to remove it. */
import "./nav.js";
import { hooks, piece, reconcile, rootOf, say, showProblem } from "./dom.js";
import { writeCard } from "./cards.js";
import { RequestError, tryLater } from "./net.js";
import { fetchList, setListed } from "./viewing.js";
import { t } from "./texts.js";

/** @import { Card } from "./types.js" */

/**
 * Return the titles of a list that still exist.
 * @param {{ titles: { title: Card | null }[] }} list
 */
export const shown = ({ titles }) => titles.map(({ title }) => title).filter((title) => title !== null);

/** @param {HTMLElement} root */
function bind(root) {
  const at = hooks(root);
  /** @type {Card[]} */
  let titles = [];

  const create = (/** @type {Card} */ title) => {
    const node = piece("card");
    const button = piece("remove");
    button.setAttribute("aria-label", t("list.remove_from_my_list", { name: title.name }));
    button.addEventListener("click", () => remove(title));
    node.classList.add("card-kept");
    node.append(button);
    return node;
  };
  const write = () => {
    reconcile(at.titles, titles, { key: (title) => title.id, create, update: (node, title) => writeCard(node, title, "card") });
    at.titles.hidden = titles.length === 0;
    at.empty.hidden = titles.length > 0;
  };
  const remove = async (/** @type {Card} */ title) => {
    const place = titles.indexOf(title);
    titles = titles.filter((one) => one.id !== title.id);
    write();
    (at.titles.children[Math.min(place, titles.length - 1)]?.querySelector("button") ?? at.heading).focus();
    try {
      await setListed(title.id, false);
      say(at.said, t("list.removed_from_list", { name: title.name }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      titles = [...titles.slice(0, place), title, ...titles.slice(place)]; // others may have been removed meanwhile
      write();
      say(at.said, `${t("list.still_there", { name: title.name })} ${error.message}`);
    }
  };
  return async function load() {
    try {
      titles = shown(await fetchList());
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showProblem(root, { heading: t("list.list_did_not_load"), text: tryLater(error), retry: () => location.reload() });
      return;
    }
    write();
    root.removeAttribute("aria-busy");
  };
}

const page = rootOf("list");
if (page) {
  const load = bind(page);
  load();
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) load(); });
}
