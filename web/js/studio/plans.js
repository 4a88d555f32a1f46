/** The plans that people can subscribe to: the form that creates a plan, and the list in which plans are retired. */
import { hooks, piece, say } from "../dom.js";
import { tryLater } from "../net.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { day } from "../account/words.js";
import { period, price } from "../billing/words.js";
import { fetchPatiently, loadInto } from "./loading.js";
import { t } from "../texts.js";

/** @import { Plan } from "../types.js" */

class Plans {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    /** @type {Plan | null} */
    this.current = null;
    const { at } = this;
    at["retire-close"].addEventListener("click", () => at["retire-dialog"].close());
    at.retry.addEventListener("click", () => this.look());
    const form = at["plan-form"];
    const { tell } = bindForm(form, {
      busy: t("plans.creating_on_paypal"),
      check: ({ name, price: amount }) => faultsOf({
        name: name.trim() ? "" : t("plans.enter_name_for_plan"),
        price: /^\d+([.,]\d{1,2})?$/.test(amount.trim()) ? "" : t("plans.enter_price_such_as"),
      }),
      send: async ({ name, description, price: amount, currency, interval }) => {
        const body = { name: name.trim(), description: description.trim(), price: amount.trim().replace(",", "."), currency, interval };
        const plan = await authorized("plans", { method: "POST", body });
        form.reset();
        tell(t("plans.created_people_can_subscribe", { name: plan.name }), "note");
        await this.look();
      },
    });
    this.retiring = bindForm(at["retire-form"], {
      busy: t("plans.retiring"),
      send: async (_values, isShown) => {
        const { current } = this;
        if (!current) return;
        await authorized(`plans/${encodeURIComponent(current.id)}`, { method: "DELETE" });
        const wasShown = isShown();
        if (wasShown) at["retire-dialog"].close();
        tell(t("plans.retired_new_subscribers_cannot", { name: current.name }), "note");
        await this.look();
        if (wasShown) form.elements.name.focus();
      },
      late: (error, { name }) => tell(t("plans.not_retired", { name, reason: tryLater(error) })),
    });
  }

  async look() {
    const { at } = this;
    await loadInto(at, async () => {
      /** @type {{ plans: Plan[] }} */
      const { plans } = await fetchPatiently("plans/all");
      plans.sort((a, b) => Number(Boolean(a.retired_at)) - Number(Boolean(b.retired_at))); // a stable sort
      at.entries.replaceChildren(...plans.map((plan) => this.node(plan)));
      at.none.hidden = plans.length > 0;
    });
    at.entries.removeAttribute("aria-busy");
  }

  /** @param {Plan} plan */
  node(plan) {
    const node = piece("plan");
    const on = hooks(node);
    on.head.textContent = plan.name;
    on.head.id = `plan-${plan.id}`;
    on.facts.textContent = [`${price(plan.price_minor, plan.currency)} ${period(plan)}`, plan.description].filter(Boolean).join(" · ");
    say(on.state, plan.retired_at ? t("plans.retired", { day: day(plan.retired_at, new Date()) }) : "");
    on.retire.hidden = Boolean(plan.retired_at);
    on.retire.setAttribute("aria-describedby", on.head.id);
    on.retire.addEventListener("click", () => {
      this.current = plan;
      this.retiring.begin(plan);
      this.at["retire-name"].textContent = plan.name;
      this.at["retire-dialog"].showModal();
    });
    return node;
  }
}

/** @param {HTMLElement} root */
export const bindPlans = (root) => new Plans(root);
