/** Loading parts of the Studio: after failures that retries could not solve, the page says why and can load again. */
import { hooks, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { authorized } from "../account/session.js";

/** @import { Hooks } from "../types.js" */

/**
 * Return the answer to a GET request, which is repeated after temporary failures.
 * @param {string} path
 * @returns {Promise<any>}
 */
export const fetchPatiently = (path) => persist(() => authorized(path));

/**
 * Run `load`. If it fails, show why in `at.trouble`, and show the button `at.again`, which loads again.
 * @param {Hooks} at
 * @param {() => Promise<void>} load
 */
export async function loadInto(at, load) {
  say(at.trouble, "");
  at.again.hidden = true;
  try {
    await load();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(at.trouble, error.message);
    at.again.hidden = false;
  }
}

/**
 * Bind a tab whose parts are hidden until one request has answered; `look` loads them.
 * @param {HTMLElement} root
 * @param {string} path
 * @param {(answer: any) => void} show
 */
export function bindParts(root, path, show) {
  const at = hooks(root);
  const look = () => loadInto(at, async () => {
    show(await fetchPatiently(path));
    at.parts.hidden = false;
  });
  at.retry.addEventListener("click", look);
  return { look };
}
