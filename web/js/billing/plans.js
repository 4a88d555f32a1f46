/** The plans page: shows the prices of subscriptions and sends the viewer to PayPal. */
import "../nav.js";
import { hooks, piece, rootOf, say, showProblem } from "../dom.js";
import { api, getJson, orElse, persist, RequestError } from "../net.js";
import { nextOf, withNext } from "../account/next.js";
import { authorized, leaveFor, ready } from "../account/session.js";
import { day } from "../account/words.js";
import { isAhead, PAYPAL_PAYMENTS, period, price, saving } from "./words.js";
import { keepNext } from "./goal.js";

/** @import { Plan, Subscription } from "../types.js" */

/**
 * Return the note above the plans for a viewer who has a subscription, paid time or free access; "" for everyone else.
 * @param {Pick<Subscription, "state" | "paid_through" | "entitlement"> | null} subscription
 * @param {Date} now
 */
export function noteFor(subscription, now) {
  if (!subscription) return "";
  const { state, paid_through: through, entitlement } = subscription;
  if (state === "active") return "You have a subscription. Your account page shows it.";
  if (state === "suspended") return "Your last payment failed. Settle it at PayPal and you can watch again, or cancel on your account page.";
  if (state === "cancelled" && through && isAhead(through, now)) {
    return `You have paid until ${day(through, now)}. If you subscribe again, you are charged on that day.`;
  }
  if (entitlement.reason === "grant" && entitlement.until) return `You can watch for free until ${day(entitlement.until, now)}. A subscription is charged at once.`;
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
 * @param {HTMLElement} said
 */
async function subscribe(button, plan, said) {
  if (button.getAttribute("aria-disabled") === "true") return;
  if (!(await ready())) {
    const back = withNext("/plans.html", nextOf(location));
    await leaveFor(withNext("/register.html", back));
  }
  button.setAttribute("aria-disabled", "true");
  button.classList.add("is-busy");
  say(said, "");
  try {
    keepNext(nextOf(location));
    const { approve_url: address } = await persist(() => authorized("subscriptions", { method: "POST", body: { plan_id: plan.id } }), { attempts: 2 });
    await leaveFor(address);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(said, error.message);
    button.removeAttribute("aria-disabled");
    button.classList.remove("is-busy");
  }
}

/**
 * @param {Plan} plan
 * @param {Plan[]} plans
 * @param {HTMLElement} said
 */
function planNode(plan, plans, said) {
  const node = piece("plan");
  const at = hooks(node);
  at.name.textContent = plan.name;
  at.name.id = `plan-${plan.id}`;
  at.price.textContent = price(plan.price_minor, plan.currency);
  at.period.textContent = period(plan);
  say(at.description, plan.description);
  const percent = saving(plan, plans);
  say(at.saving, percent ? `Save ${percent} %` : "");
  at.begin.setAttribute("aria-describedby", at.name.id);
  at.begin.addEventListener("click", () => subscribe(at.begin, plan, said));
  return node;
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
    showProblem(root, { heading: "The plans did not load.", text: `${error.message} Try again in a moment.`, retry: () => location.reload() });
    return;
  }
  const at = hooks(root);
  at.plans.replaceChildren(...plans.map((plan) => planNode(plan, plans, at.said)));
  at.none.hidden = plans.length > 0;
  root.removeAttribute("aria-busy");
  const subscription = await fetchOwn();
  say(at.note, noteFor(subscription, new Date()));
  at.account.hidden = maySubscribe(subscription);
  at.settle.hidden = subscription?.state !== "suspended";
  at.settle.href = PAYPAL_PAYMENTS;
  if (maySubscribe(subscription)) return;
  for (const button of at.plans.querySelectorAll('[data-hook="begin"]')) button.hidden = true;
}

const page = rootOf("plans");
if (page) start(page);
