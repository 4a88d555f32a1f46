/** The page after approval at PayPal: waits until the subscription is active, then links to the next page. */
import "../nav.js";
import { hooks, rootOf, say } from "../dom.js";
import { persist, repeat, RequestError } from "../net.js";
import { showState } from "../account/form.js";
import { authorized } from "../account/session.js";
import { keptNext } from "./goal.js";
import { askAfter, stageOf } from "./words.js";
import { inLanguage, t, translated } from "../texts.js";

/** @import { Subscription } from "../types.js" */

/** @param {string} goal */
const labelFor = (goal) => (goal.startsWith("/watch.html") ? t("subscribed.play_film") : goal.startsWith("/title") ? t("subscribed.back_film") : t("common.start_watching"));

/** @param {HTMLElement} root */
async function start(root) {
  const at = hooks(root);
  const began = performance.now();
  const goal = keptNext(location.origin);
  at.on.href = inLanguage(goal);
  at["on-label"].textContent = labelFor(goal);
  const waited = () => performance.now() - began;
  let stage = "";
  const look = async () => {
    /** @type {Subscription | null} */
    let subscription = null;
    try {
      subscription = await persist(() => authorized("subscription"), { attempts: 2 });
      say(at.trouble, "");
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.trouble, error.status === 0 ? `${error.message} ${t("net.trying_again")}` : t("net.trying_again"));
    }
    const now = stageOf(subscription, waited());
    if (now === "stopped" && subscription) say(at["stopped-text"], translated(subscription.says) || subscription.says);
    at.paypal.hidden = !subscription?.approve_url;
    if (subscription?.approve_url) at.paypal.href = subscription.approve_url;
    if (now === stage) return;
    stage = now;
    showState(root, stage);
    if (stage === "ready") at.on.focus();
  };
  await look();
  repeat(look, () => (["ready", "stopped", "none"].includes(stage) ? null : askAfter(waited())));
}

const page = rootOf("subscribed");
if (page) start(page);
