/** Buttons that do something and say how it went. */
import { say } from "../dom.js";
import { RequestError } from "../net.js";

/**
 * Call `work`, show its text or its failure in `node`, and disable the button until it ends.
 * @param {HTMLElement} button
 * @param {HTMLElement} node
 * @param {() => Promise<any>} work returns the text to show, or nothing
 */
export async function act(button, node, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  say(node, "");
  try {
    say(node, (await work()) ?? "");
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(node, error.message);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
