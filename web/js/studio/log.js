/** The audit log: what owners have done. */
import { session } from "../account/session.js";
import { moment } from "../account/words.js";
import { List } from "./list.js";
import { t } from "../texts.js";

/** @import { AuditedAction, Entry } from "../types.js" */

/** What each operation of the API that changes something does. @type {Record<string, string>} */
export const ACTIONS = {
  cancel_upload: t("log.cancel_upload"),
  create_plan: t("log.create_plan"),
  create_upload: t("log.upload_file"),
  dismiss_job: t("log.dismiss_failed_encode"),
  edit_title: t("log.edit_title"),
  encode_title_again: t("log.encode_film_again"),
  end_sessions: t("log.log_person_out"),
  erase_person: t("log.delete_account"),
  grant_access: t("log.give_free_access"),
  make_administrator: t("log.add_administrator"),
  match_title: t("log.match_title_film"),
  publish_page: t("log.publish_page"),
  release_title: t("log.publish_title"),
  republish_catalogue: t("log.rebuild_catalogue"),
  reset_second_factors: t("log.reset_two_step_login"),
  retire_plan: t("log.retire_plan"),
  retry_job: t("log.retry_encode"),
  revoke_administrator: t("log.revoke_administrator"),
  revoke_grant: t("log.revoke_free_access"),
  set_encode_limit: t("log.change_monthly_limit_on"),
  start_rebuild: t("log.rebuild_recommendations"),
  take_down_page: t("log.remove_page_from_site"),
  use_omdb_poster: t("log.choose_poster"),
  verify_job: t("log.check_files_film"),
  withdraw_title: t("log.withdraw_title"),
};

/** Why an action failed, by the code of the error. @type {Record<string, string>} */
const FAILURES = {
  conflict: t("log.not_possible"),
  not_found: t("common.not_found"),
  malformed: t("log.refused"),
  too_many_attempts: t("log.too_soon"),
  paypal_refused: t("log.paypal_refused"),
  store_unavailable: t("common.not_available"),
};

/**
 * Return the text of an action; an action that only a newer API knows is shown by the name of its operation.
 * @param {string} action
 */
export function actionText(action) {
  const text = action.replaceAll("_", " ");
  return ACTIONS[action] ?? text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {AuditedAction} action
 * @param {Date} now
 * @param {string} [own] the id of the account that reads the log
 * @returns {Entry}
 */
export function actionEntry({ at, actor, actor_email: email, action, subject, subject_name: name, outcome }, now, own) {
  const who = actor === "operator" ? t("log.by_script") : actor === own ? t("log.by_you") : email ? t("log.by", { who: email }) : t("log.by_deleted");
  return {
    head: actionText(action),
    facts: [name ?? subject, who, moment(at, now)],
    state: outcome === "done" ? t("log.done") : outcome === null ? t("log.not_finished") : (FAILURES[outcome] ?? t("figures.failed")),
    kind: outcome === "done" ? "good" : outcome === null ? "" : "bad",
  };
}

/** @param {HTMLElement} root */
export function bindLog(root) {
  const list = new List(/** @type {HTMLElement} */ (root.querySelector('[data-list="log"]')), {
    path: "audit",
    name: "entries",
    write: (one, now) => actionEntry(one, now, session()?.user_id),
  });
  return { look: () => list.load() };
}
