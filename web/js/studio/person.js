/** One person in the Studio: found by email address, logged out everywhere, deleted. */
import { hooks, say } from "../dom.js";
import { bindForm } from "../account/form.js";
import { addressFault, faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { day } from "../account/words.js";
import { t } from "../texts.js";

/** @import { Person } from "../types.js" */

/**
 * Return why a person may watch, and until when.
 * @param {Person["entitlement"]} entitlement
 * @param {Date} now
 */
export function accessText({ reason, until }, now) {
  if (reason === "administrator") return t("person.can_watch_everything_as");
  if (reason === "none") return t("person.cannot_watch_films");
  if (!until) return reason === "grant" ? t("person.free") : t("person.subscribed");
  const end = day(until, now);
  return reason === "grant" ? t("person.free_until", { day: end }) : t("person.subscribed_until", { day: end });
}

const STATES = new Map([
  ["pending", "person.state_pending"],
  ["active", "person.state_active"],
  ["suspended", "person.state_suspended"],
  ["cancelled", "person.state_cancelled"],
]);

/**
 * Return the plan of a person's subscription, and the next charge; "" without a subscription.
 * @param {Person["subscription"]} subscription
 * @param {Date} now
 */
export function subscriptionText({ state, plan, next_charge: next, paid_through: through }, now) {
  if (state === "none") return "";
  const name = plan?.name ?? t("person.a_plan");
  if (next) return t("person.next_charge", { plan: name, day: day(next.at, now) });
  const shown = t(STATES.get(state) ?? "person.state_ended");
  return through ? t("person.paid_until", { plan: name, state: shown, day: day(through, now) }) : t("person.state", { plan: name, state: shown });
}

/**
 * Return a label for an account, "" for an ordinary one.
 * @param {Pick<Person, "admin" | "confirmed">} person
 */
export const kindText = ({ admin, confirmed }) => (admin ? t("common.administrator") : confirmed ? "" : t("person.address_not_confirmed"));

/** @param {HTMLElement} root */
export function bindPerson(root) {
  const at = hooks(root);
  /** @type {() => Promise<string>} */
  let work = async () => "";
  /** @type {Person | null} */
  let person = null;

  const finder = bindForm(at.form, {
    busy: t("person.searching"),
    fields: { not_found: "email" },
    check: ({ email }) => faultsOf({ email: addressFault(email) }),
    send: async ({ email }) => {
      at.person.hidden = true;
      /** @type {Person} */
      const found = await authorized("people/search", { method: "POST", body: { email: email.trim() } });
      const now = new Date();
      person = found;
      at.name.textContent = found.email;
      say(at.kind, kindText(found));
      say(at.access, accessText(found.entitlement, now));
      say(at.subscription, subscriptionText(found.subscription, now));
      at.erase.hidden = found.admin;
      at.person.hidden = false;
    },
  });
  const confirmation = bindForm(at.confirm, {
    busy: t("common.one_moment"),
    send: async (_values, isShown) => {
      const done = await work();
      if (isShown()) at.dialog.close();
      finder.tell(done, "note");
    },
    late: ({ message }, { email }) => finder.tell(t("person.not_done", { email, reason: message })),
  });
  at.close.addEventListener("click", () => at.dialog.close());

  /**
   * Ask, and call `then` if the owner confirms; its result is shown above the form.
   * @param {string} question
   * @param {string} consequence
   * @param {() => Promise<string>} then
   */
  const askFirst = (question, consequence, then) => {
    work = then;
    confirmation.begin(person);
    finder.clear();
    at.question.textContent = question;
    at.consequence.textContent = consequence;
    at.dialog.showModal();
  };
  at["log-out"].addEventListener("click", () => {
    if (!person) return;
    const { user_id: id, email } = person;
    askFirst(t("person.log_out_everywhere"), t("person.must_log_in_again", { email }), async () => {
      await authorized(`people/${id}/sessions`, { method: "DELETE" });
      return t("person.logged_out_everywhere", { email });
    });
  });
  at.erase.addEventListener("click", () => {
    if (!person) return;
    const { user_id: id, email } = person;
    askFirst(t("common.delete_account_2"), t("person.account_its_history_its", { email }), async () => {
      await authorized(`people/${id}`, { method: "DELETE" });
      if (person?.user_id === id) { // otherwise the owner has searched for somebody else meanwhile
        person = null;
        at.person.hidden = true;
        at.form.reset();
      }
      return t("person.account_deleted", { email });
    });
  });
}
