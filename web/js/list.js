/** My list: the films a viewer wants to watch, latest first, each with a button to remove it. */
import "./nav.js";
import { hooks, piece, reconcile, rootOf, say, showProblem } from "./dom.js";
import { writeCard } from "./cards.js";
import { RequestError } from "./net.js";
import { fetchList, setListed } from "./viewing.js";

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
    button.setAttribute("aria-label", `Remove ${title.name} from my list`);
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
    const before = titles;
    const place = titles.indexOf(title);
    titles = titles.filter((one) => one.id !== title.id);
    write();
    (at.titles.children[Math.min(place, titles.length - 1)]?.querySelector("button") ?? at.heading).focus();
    try {
      await setListed(title.id, false);
      say(at.said, `Removed ${title.name} from your list.`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      titles = before;
      write();
      say(at.said, `${title.name} is still on your list. ${error.message}`);
    }
  };
  return async function load() {
    try {
      titles = shown(await fetchList());
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showProblem(root, { heading: "Your list did not load.", text: `${error.message} Try again in a moment.`, retry: () => location.reload() });
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
