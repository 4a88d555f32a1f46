/** People and money: who is let in for nothing, who subscribes, what PayPal has told, and the plans there are. */
import { hook, hooks, piece, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { bindForm } from "../account/form.js";
import { addressFault, faultsOf } from "../account/rules.js";
import { authorized, session } from "../account/session.js";
import { day, moment } from "../account/words.js";
import { period, price } from "../billing/words.js";
import { daysFault, eventText, SUBSCRIPTION_STATES } from "./words.js";

const cut = (id) => (id.length > 14 ? `${id.slice(0, 12)}…` : id);
const when = (iso, now) => moment(iso, now).replace(/^[TY]/, (letter) => letter.toLowerCase()); // within a sentence
const byWhom = (id) => (id === "operator" ? "by the operator" : id === session()?.user_id ? "by you" : `by account ${cut(id)}`);
const ask = (path) => persist(() => authorized(path));

/** A list of things that have a head, a line of facts and a state, loaded page by page. */
class List {
  constructor(root, { path, name, write }) {
    Object.assign(this, { at: hooks(root), path, name, write, shown: [], cursor: null });
    this.at.more?.addEventListener("click", () => this.load({ more: true }));
    this.at.retry?.addEventListener("click", () => this.load());
  }

  async load({ more = false } = {}) {
    const { at } = this;
    const from = more ? `?cursor=${encodeURIComponent(this.cursor)}` : "";
    say(at.trouble, "");
    at.again.hidden = true;
    try {
      const page = await ask(this.path + from);
      const found = page[this.name];
      this.cursor = page.cursor;
      this.shown = more ? [...this.shown, ...found] : found;
      at.entries.replaceChildren(...this.shown.map((one) => this.node(one)));
      at.none.hidden = this.shown.length > 0;
      if (at.more) at.more.hidden = !page.cursor;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.trouble, error.message);
      at.again.hidden = false;
    }
    at.entries.removeAttribute("aria-busy");
  }

  node(one) {
    const node = piece("entry");
    const on = hooks(node);
    const { head, facts, state, kind = "" } = this.write(one, new Date());
    on.head.textContent = head;
    on.facts.textContent = facts.filter(Boolean).join(" · ");
    say(on.state, state);
    node.dataset.kind = kind;
    return node;
  }
}

const grantEntry = ({ user_id, until, granted_at, granted_by }, now) => ({
  head: `Account ${cut(user_id)}`,
  facts: [`given ${when(granted_at, now)}`, byWhom(granted_by)],
  state: Date.parse(until) > now.getTime() ? `Until ${day(until, now)}` : "Over",
  kind: Date.parse(until) > now.getTime() ? "good" : "",
});

/** What stands of a subscription; `names` are those of the plans by their id. */
export function subscriptionEntry({ user_id, plan_id, state, state_since, next_charge_at, paid_through }, now, names = new Map()) {
  return {
    head: names.get(plan_id) ?? plan_id,
    facts: [
      `account ${cut(user_id)}`,
      `since ${when(state_since, now)}`,
      state === "active" && next_charge_at ? `next charge ${day(next_charge_at, now)}` : "",
      state !== "active" && paid_through ? `paid until ${day(paid_through, now)}` : "",
    ],
    state: SUBSCRIPTION_STATES[state] ?? state,
    kind: { active: "good", suspended: "bad" }[state] ?? "",
  };
}

const eventEntry = ({ type, subject, received_at, deliveries, settled }, now) => ({
  head: eventText(type),
  facts: [moment(received_at, now), subject, deliveries > 1 ? `came ${deliveries} times` : ""],
  state: settled ? "Settled" : "Waits to be settled",
  kind: settled ? "good" : "bad",
});

export function bindPeople(root) {
  const names = new Map();
  const part = (name) => root.querySelector(`[data-list="${name}"]`);
  const grants = new List(part("grants"), { path: "grants", name: "grants", write: grantEntry });
  const subscriptions = new List(part("subscriptions"), {
    path: "subscriptions",
    name: "subscriptions",
    write: (one, now) => subscriptionEntry(one, now, names),
  });
  const events = new List(part("events"), { path: "paypal/events", name: "events", write: eventEntry });
  const form = hook(root, "grant-form");
  const { tell } = bindForm(form, {
    busy: "Giving…",
    fields: { not_found: "email" },
    check: ({ email, days }) => faultsOf({ email: addressFault(email), days: daysFault(days) }),
    send: async ({ email, days }) => {
      const address = email.trim();
      const { until } = await authorized("grants", { method: "POST", body: { email: address, days: Number(days) } });
      form.reset();
      tell(`${address} can watch for free until ${day(until, new Date())}.`, "note");
      await grants.load();
    },
  });
  const loadNames = async () => {
    try {
      for (const { id, name } of (await ask("plans/all")).plans) names.set(id, name);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error; // their ids stand there instead
    }
  };
  return { look: () => Promise.all([grants.load(), loadNames().then(() => subscriptions.load()), events.load()]) };
}

class Plans {
  constructor(root) {
    this.at = hooks(root);
    const { at } = this;
    at["retire-close"].addEventListener("click", () => at["retire-dialog"].close());
    at.retry.addEventListener("click", () => this.look());
    const form = at["plan-form"];
    const { tell } = bindForm(form, {
      busy: "Making it at PayPal…",
      check: ({ name, price: amount }) => faultsOf({
        name: name.trim() ? "" : "Give the plan a name.",
        price: /^\d+([.,]\d{1,2})?$/.test(amount.trim()) ? "" : "Give a price such as 7.99.",
      }),
      send: async ({ name, description, price: amount, currency, interval }) => {
        const body = { name: name.trim(), description: description.trim(), price: amount.trim().replace(",", "."), currency, interval };
        const plan = await authorized("plans", { method: "POST", body });
        form.reset();
        tell(`${plan.name} can be subscribed to.`, "note");
        await this.look();
      },
    });
    this.retiring = bindForm(at["retire-form"], {
      busy: "Retiring…",
      send: async () => {
        await authorized(`plans/${encodeURIComponent(this.current.id)}`, { method: "DELETE" });
        at["retire-dialog"].close();
        tell(`${this.current.name} is retired. Nobody new can choose it.`, "note");
        await this.look();
        form.elements.name.focus();
      },
    });
  }

  async look() {
    const { at } = this;
    say(at.trouble, "");
    at.again.hidden = true;
    try {
      const { plans } = await ask("plans/all");
      plans.sort((a, b) => Boolean(a.retired_at) - Boolean(b.retired_at)); // a stable sort
      at.entries.replaceChildren(...plans.map((plan) => this.node(plan)));
      at.none.hidden = plans.length > 0;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.trouble, error.message);
      at.again.hidden = false;
    }
    at.entries.removeAttribute("aria-busy");
  }

  node(plan) {
    const node = piece("plan");
    const on = hooks(node);
    on.head.textContent = plan.name;
    on.head.id = `plan-${plan.id}`;
    on.facts.textContent = [`${price(plan.price_minor, plan.currency)} ${period(plan)}`, plan.description].filter(Boolean).join(" · ");
    say(on.state, plan.retired_at ? `Retired ${day(plan.retired_at, new Date())}` : "");
    on.retire.hidden = Boolean(plan.retired_at);
    on.retire.setAttribute("aria-describedby", on.head.id);
    on.retire.addEventListener("click", () => {
      this.current = plan;
      this.retiring.clear();
      this.at["retire-name"].textContent = plan.name;
      this.at["retire-dialog"].showModal();
    });
    return node;
  }
}

export const bindPlans = (root) => new Plans(root);
