/** My list: the films a person means to watch, the latest first, each with a way off the list. */
import "./nav.js";
import { hooks, piece, reconcile, say, showProblem } from "./dom.js";
import { writeCard } from "./cards.js";
import { RequestError } from "./net.js";
import { fetchList, setListed } from "./viewing.js";

/** The titles to show of a list; what was withdrawn is not there to be shown. */
export const shown = ({ titles }) => titles.map((entry) => entry.title).filter(Boolean);

function bind(root) {
  const at = hooks(root);
  let titles = [];

  const create = (title) => {
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
  const remove = async (title) => {
    const before = titles;
    const place = titles.indexOf(title);
    titles = titles.filter((one) => one.id !== title.id);
    write();
    (at.titles.children[Math.min(place, titles.length - 1)]?.querySelector("button") ?? at.heading).focus();
    try {
      await setListed(title.id, false);
      say(at.said, `${title.name} is off your list.`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      titles = before;
      write();
      say(at.said, `${title.name} is still on your list: ${error.message}`);
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

const root = globalThis.document?.querySelector("[data-list]");
if (root) {
  const load = bind(root);
  load();
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) load(); });
}
