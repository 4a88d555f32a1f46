/** The plans page: shows the prices of subscriptions and sends the viewer to PayPal. */
import "../nav.js";
import { hooks, piece, rootOf, say, showProblem } from "../dom.js";
import { api, getJson, orElse, persist, RequestError, tryLater } from "../net.js";
import { nextOf, withNext } from "../account/next.js";
import { authorized, leaveFor, ready, session } from "../account/session.js";
import { day } from "../account/words.js";
import { isAhead, PAYPAL_PAYMENTS, period, price, saving } from "./words.js";
import { keepNext } from "./goal.js";
import { t } from "../texts.js";

/** @import { Hooks, Plan, Subscription } from "../types.js" */

/**
 * Return the note above the plans for a viewer who has a subscription, paid time or free access; "" for everyone else.
 * @param {Pick<Subscription, "state" | "paid_through" | "entitlement"> | null} subscription
 * @param {Date} now
 */
export function noteFor(subscription, now) {
  if (!subscription) return "";
  const { state, paid_through: through, entitlement } = subscription;
  if (state === "active") return t("plans.have_subscription_account_page");
  if (state === "suspended") {
    return entitlement.entitled ? t("plans.settle_to_keep") : t("plans.settle_to_watch");
  }
  if (state === "cancelled" && through && isAhead(through, now)) {
    return t("plans.have_paid_until_if", { day: day(through, now) });
  }
  if (entitlement.reason === "grant" && entitlement.until) return t("plans.can_watch_for_free", { day: day(entitlement.until, now) });
  return "";
}

/**
 * Return whether this viewer may subscribe now.
 * @param {Pick<Subscription, "state"> | null} subscription
 */
export const maySubscribe = (subscription) => !["active", "suspended"].includes(subscription?.state ?? "");

/**
 * @param {HTMLElement} button
 * @param {Plan} plan
 * @param {Hooks} at
 */
async function subscribe(button, plan, { said, confirm }) {
  if (button.getAttribute("aria-disabled") === "true") return;
  if (!(await ready())) {
    const back = withNext("/plans.html", nextOf(location));
    await leaveFor(withNext("/register.html", back));
  }
  button.setAttribute("aria-disabled", "true");
  button.classList.add("is-busy");
  say(said, "");
  confirm.hidden = true;
  try {
    keepNext(nextOf(location));
    const { approve_url: address } = await persist(() => authorized("subscriptions", { method: "POST", body: { plan_id: plan.id } }), { attempts: 2 });
    await leaveFor(address);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(said, error.message);
    confirm.hidden = error.code !== "address_not_confirmed";
    button.removeAttribute("aria-disabled");
    button.classList.remove("is-busy");
  }
}

/**
 * @param {Plan} plan
 * @param {Plan[]} plans
 * @param {Hooks} page the hooks of the page
 */
function planNode(plan, plans, page) {
  const node = piece("plan");
  const at = hooks(node);
  at.name.textContent = plan.name;
  at.name.id = `plan-${plan.id}`;
  at.price.textContent = price(plan.price_minor, plan.currency);
  at.period.textContent = period(plan);
  say(at.description, plan.description);
  const percent = saving(plan, plans);
  say(at.saving, percent ? t("plans.save", { percent }) : "");
  at.begin.setAttribute("aria-describedby", at.name.id);
  at.begin.addEventListener("click", () => subscribe(at.begin, plan, page));
  return node;
}

/**
 * Send another confirmation link, and say where it went.
 * @param {Hooks} at
 */
async function sendLink({ confirm, said }) {
  if (confirm.getAttribute("aria-disabled") === "true") return;
  confirm.setAttribute("aria-disabled", "true");
  try {
    await authorized("me/confirmation", { method: "POST" });
    say(said, t("plans.link_sent", { email: session()?.email ?? "" }));
    confirm.hidden = true;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(said, error.message);
  } finally {
    confirm.removeAttribute("aria-disabled");
  }
}

/** @returns {Promise<Subscription | null>} */
const fetchOwn = async () => ((await ready()) ? orElse(authorized("subscription", { leave: false }), null) : null);

/** @param {HTMLElement} root */
async function start(root) {
  /** @type {Plan[]} */
  let plans;
  try {
    ({ plans } = await getJson(api("plans")));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showProblem(root, { heading: t("plans.plans_did_not_load"), text: tryLater(error), retry: () => location.reload() });
    return;
  }
  const at = hooks(root);
  at.plans.replaceChildren(...plans.map((plan) => planNode(plan, plans, at)));
  at.none.hidden = plans.length > 0;
  at.confirm.addEventListener("click", () => sendLink(at));
  root.removeAttribute("aria-busy");
  const subscription = await fetchOwn();
  say(at.note, noteFor(subscription, new Date()));
  at.account.hidden = maySubscribe(subscription);
  at.settle.hidden = subscription?.state !== "suspended";
  at.settle.href = PAYPAL_PAYMENTS;
  if (maySubscribe(subscription)) return;
  for (const button of at.plans.querySelectorAll('[data-hook="begin"]')) button.hidden = true;
}

// "Back" from PayPal restores the page with its blocked button, and the viewer may have subscribed meanwhile
globalThis.window?.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

const page = rootOf("plans");
if (page) start(page);
