/** The plans page: what a subscription costs, and the way to PayPal. */
import "../nav.js";
import { hooks, piece, say, showProblem } from "../dom.js";
import { api, getJson, persist, RequestError } from "../net.js";
import { nextOf, withNext } from "../account/next.js";
import { authorized, leaveFor, ready } from "../account/session.js";
import { day } from "../account/words.js";
import { period, price, saving } from "./words.js";
import { keepNext } from "./goal.js";

/** What stands above the plans for somebody who has paid or been let in already; "" for everybody else. */
export function noteFor(subscription, now) {
  if (!subscription) return "";
  const { state, paid_through: through, entitlement } = subscription;
  if (state === "active" || state === "suspended") return "You have a subscription. Your account's page shows it.";
  if (state === "cancelled" && through && Date.parse(through) > now.getTime()) {
    return `You have paid until ${day(through, now)}. If you subscribe again, the next charge comes then.`;
  }
  if (entitlement.reason === "grant") return `You can watch for free until ${day(entitlement.until, now)}. A subscription is charged at once.`;
  return "";
}

/** May this person subscribe now? */
export const mayBegin = (subscription) => !["active", "suspended"].includes(subscription?.state);

async function begin(button, plan, said) {
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

function planNode(plan, plans, said) {
  const node = piece("plan");
  const at = hooks(node);
  at.name.textContent = plan.name;
  at.name.id = `plan-${plan.id}`;
  at.price.textContent = price(plan.price_minor, plan.currency);
  at.period.textContent = period(plan);
  say(at.description, plan.description);
  const less = saving(plan, plans);
  say(at.saving, less ? `${less} % less` : "");
  at.begin.setAttribute("aria-describedby", at.name.id);
  at.begin.addEventListener("click", () => begin(at.begin, plan, said));
  return node;
}

const mine = () => authorized("subscription", { leave: false }).catch((error) => { if (error instanceof RequestError) return null; throw error; });

async function start(root) {
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
  const subscription = (await ready()) ? await mine() : null;
  say(at.note, noteFor(subscription, new Date()));
  at.account.hidden = mayBegin(subscription);
  if (mayBegin(subscription)) return;
  for (const button of at.plans.querySelectorAll('[data-hook="begin"]')) button.hidden = true;
}

const root = globalThis.document?.querySelector("[data-plans]");
if (root) start(root);
