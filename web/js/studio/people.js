/** People: free access, administrators, subscriptions, and the events that PayPal has sent. */
import { hook, hooks, say } from "../dom.js";
import { RequestError } from "../net.js";
import { bindForm } from "../account/form.js";
import { addressFault, faultsOf } from "../account/rules.js";
import { authorized, session } from "../account/session.js";
import { day, moment } from "../account/words.js";
import { isAhead } from "../billing/words.js";
import { List, when } from "./list.js";
import { fetchPatiently } from "./loading.js";
import { accessFaults, addedText, endOfDay, eventText, SUBSCRIPTION_STATES } from "./words.js";
import { t } from "../texts.js";

/** @import { AdministratorAccount, Entry, Grant, OwnersSubscription, PayPalEvent } from "../types.js" */

/**
 * @param {string | null} id
 * @param {string | null} email
 */
const byWhom = (id, email) => (id === "operator" ? t("people.by_script") : id && id === session()?.user_id ? t("people.by_you") : email ? t("people.by", { who: email }) : t("people.by_deleted"));

/** A dialog that asks for confirmation before access is taken away. */
export class Confirmation {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    const { at } = this;
    at["confirm-close"].addEventListener("click", () => at["confirm-dialog"].close());
    /** @type {() => Promise<unknown>} */
    this.work = async () => {};
    this.form = bindForm(at["confirm-form"], {
      busy: t("people.revoking"),
      send: async (_values, isShown) => {
        await this.work();
        if (isShown()) at["confirm-dialog"].close();
      },
      late: async ({ message }, { who, list }) => {
        const tell = () => say(list.at.trouble, t("people.not_revoked", { who, reason: message }));
        const loading = list.load(); // the answer may have been lost after the rights were revoked
        tell();
        await loading; // if the list cannot be loaded either, that would replace the sentence
        tell();
      },
    });
  }

  /**
   * Ask whether somebody in a list is to lose access, and call `work` if the owner confirms; its failure is shown in the
   * dialog, or above the list if the dialog was closed.
   * @param {{ heading: string, text: string, who: string, list: List }} about
   * @param {() => Promise<unknown>} work
   */
  ask({ heading, text, who, list }, work) {
    const { at } = this;
    this.work = work;
    this.form.begin({ who, list });
    at["confirm-heading"].textContent = heading;
    at["confirm-text"].textContent = text;
    at["confirm-dialog"].showModal();
  }
}

/**
 * @param {Grant} grant
 * @param {Date} now
 * @returns {Entry}
 */
export function grantEntry({ email, until, granted_at: at, granted_by: by, granted_by_email: giver, revoked_at: revoked }, now) {
  const isOn = isAhead(until, now);
  return {
    head: email ?? t("people.deleted_account"),
    facts: [t("people.given", { day: when(at, now) }), byWhom(by, giver), revoked ? t("people.revoked_on", { day: when(revoked, now) }) : ""],
    state: isOn ? t("people.until", { day: day(until, now) }) : revoked ? t("people.revoked") : t("people.ended"),
    kind: isOn ? "good" : "",
    action: isOn ? t("people.revoke") : "",
  };
}

/**
 * @param {AdministratorAccount} account
 * @returns {Entry}
 */
export const administratorEntry = ({ user_id: id, email, confirmed }) => ({
  head: email,
  facts: [confirmed ? "" : t("people.has_not_set_password")],
  state: id === session()?.user_id ? t("people.you") : "",
  action: id === session()?.user_id ? "" : t("people.revoke"),
});

/**
 * @param {OwnersSubscription} subscription
 * @param {Date} now
 * @param {Map<string, string>} names the names of the plans by their ids
 * @returns {Entry}
 */
export function subscriptionEntry(subscription, now, names = new Map()) {
  const { email, plan_id: plan, state, state_since: since, next_charge_at: next, paid_through: through } = subscription;
  return {
    head: names.get(plan) ?? plan,
    facts: [
      email ?? t("people.deleted_account_inside"),
      t("people.since", { day: when(since, now) }),
      state === "active" && next ? t("people.next_charge", { day: day(next, now) }) : "",
      state !== "active" && through ? t("people.paid_until", { day: day(through, now) }) : "",
    ],
    state: SUBSCRIPTION_STATES[state] ?? state,
    kind: { active: "good", suspended: "bad" }[state] ?? "",
  };
}

/**
 * @param {PayPalEvent} event
 * @param {Date} now
 * @returns {Entry}
 */
const eventEntry = ({ type, subject, received_at: at, deliveries, settled }, now) => ({
  head: eventText(type),
  facts: [moment(at, now), subject, deliveries > 1 ? t("people.delivered", { number: deliveries }) : ""],
  state: settled ? t("people.processed") : t("people.waiting"),
  kind: settled ? "good" : "bad",
});

/** @param {HTMLElement} root */
export function bindPeople(root) {
  /** @type {Map<string, string>} */
  const names = new Map();
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-list="${name}"]`));
  const confirmation = new Confirmation(root);
  const grants = new List(part("grants"), {
    path: "grants",
    name: "grants",
    write: grantEntry,
    act: ({ grant_id: id, email }) => confirmation.ask(
      { heading: t("people.revoke_free_access"), text: t("people.revoke_text", { who: email ?? t("people.the_deleted_account") }), who: email ?? t("people.deleted_account"), list: grants },
      async () => {
        await authorized(`grants/${encodeURIComponent(id)}`, { method: "DELETE" });
        await grants.load();
      },
    ),
  });
  const administrators = new List(part("administrators"), {
    path: "administrators",
    name: "administrators",
    write: administratorEntry,
    act: ({ user_id: id, email }) => confirmation.ask(
      { heading: t("people.revoke_administrator_rights"), text: t("people.will_be_logged_out", { email }), who: email, list: administrators },
      async () => {
        await authorized(`administrators/${encodeURIComponent(id)}`, { method: "DELETE" });
        await administrators.load();
      },
    ),
  });
  const subscriptions = new List(part("subscriptions"), {
    path: "subscriptions",
    name: "subscriptions",
    write: (one, now) => subscriptionEntry(one, now, names),
  });
  const events = new List(part("events"), { path: "paypal/events", name: "events", write: eventEntry });
  const form = hook(root, "grant-form");
  const { tell } = bindForm(form, {
    busy: t("people.giving_access"),
    fields: { not_found: "email" },
    check: ({ email, days, until }) => faultsOf({ email: addressFault(email), ...accessFaults({ days, until }, new Date()) }),
    send: async ({ email, days, until }) => {
      const address = email.trim();
      const end = until ? { until: endOfDay(until).toISOString().replace(/\.\d+Z$/, "Z") } : { days: Number(days) };
      const given = await authorized("grants", { method: "POST", body: { email: address, ...end } });
      form.reset();
      tell(t("people.can_watch_for_free", { address, day: day(given.until, new Date()) }), "note");
      await grants.load();
    },
  });
  const administratorForm = hook(root, "administrator-form");
  const added = bindForm(administratorForm, {
    busy: t("common.adding"),
    check: ({ email }) => faultsOf({ email: addressFault(email) }),
    send: async ({ email }) => {
      const { email: address, link } = await authorized("administrators", { method: "POST", body: { email: email.trim() } });
      administratorForm.reset();
      added.tell(addedText(address, link), "note");
      await administrators.load();
    },
  });
  const loadNames = async () => {
    try {
      for (const { id, name } of (await fetchPatiently("plans/all")).plans) names.set(id, name);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error; // the plans' ids are shown instead
    }
  };
  return { look: () => Promise.all([administrators.load(), grants.load(), loadNames().then(() => subscriptions.load()), events.load()]) };
}
