/** The account's choice of emails. */
import { say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { authorized } from "./session.js";
import { t } from "../texts.js";

/** @import { Hooks } from "../types.js" */

/**
 * Show which emails the viewer receives; a change is stored at once, and undone on the page if that fails.
 * @param {Hooks} at
 */
export async function showEmails(at) {
  const { "emails-payments": box, "emails-said": said } = at;
  box.addEventListener("change", async () => {
    const { checked } = box;
    box.disabled = true;
    say(said, "");
    try {
      await persist(() => authorized("me/emails", { method: "PUT", body: { payments: checked } }));
      say(said, checked ? t("emails.payments_on") : t("emails.payments_off"));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      box.checked = !checked;
      say(said, error.message);
    } finally {
      box.disabled = false;
      if (document.activeElement === document.body) box.focus(); // a disabled box loses the focus
    }
  });
  try {
    box.checked = (await persist(() => authorized("me/emails"))).payments;
    box.disabled = false;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(said, error.message);
  }
}
