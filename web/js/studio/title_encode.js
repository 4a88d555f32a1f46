/** The dialog in which the owner has the film of a title encoded again. */
import { hook, hooks } from "../dom.js";
import { tryLater } from "../net.js";
import { bindForm } from "../account/form.js";
import { authorized } from "../account/session.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */

export class EncodeDialog {
  /**
   * `onFailed(text)` is called if a failure can no longer be shown in the dialog.
   * @param {HTMLElement} root
   * @param {{ onStarted: (title: Title) => void, onFailed: (text: string) => void }} how
   */
  constructor(root, { onStarted, onFailed }) {
    this.at = hooks(root);
    /** @type {Title | null} */
    this.title = null;
    const { at } = this;
    at["encode-close"].addEventListener("click", () => at["encode-dialog"].close());
    this.form = bindForm(hook(root, "encode-form"), {
      busy: t("common.starting"),
      send: async (_values, isShown) => {
        const { title } = this;
        if (!title) return;
        await authorized(`titles/${encodeURIComponent(title.id)}/encode`, { method: "POST" });
        if (isShown()) at["encode-dialog"].close();
        onStarted(title);
      },
      late: (error, { name }) => onFailed(t("titles.not_encoded_again", { name, reason: tryLater(error) })),
    });
  }

  /** @param {Title} title */
  open(title) {
    const { at } = this;
    this.title = title;
    this.form.begin(title);
    at["encode-name"].textContent = title.name;
    at["encode-dialog"].showModal();
  }
}
