/** The dialog in which the owner has the film of a title encoded again. */
import { hook, hooks } from "../dom.js";
import { bindForm } from "../account/form.js";
import { authorized } from "../account/session.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */

export class EncodeDialog {
  /**
   * @param {HTMLElement} root
   * @param {(title: Title) => void} onStarted
   */
  constructor(root, onStarted) {
    this.at = hooks(root);
    /** @type {Title | null} */
    this.title = null;
    const { at } = this;
    at["encode-close"].addEventListener("click", () => at["encode-dialog"].close());
    this.form = bindForm(hook(root, "encode-form"), {
      busy: t("common.starting"),
      send: async () => {
        const { title } = this;
        if (!title) return;
        await authorized(`titles/${encodeURIComponent(title.id)}/encode`, { method: "POST" });
        at["encode-dialog"].close();
        onStarted(title);
      },
    });
  }

  /** @param {Title} title */
  open(title) {
    const { at } = this;
    this.title = title;
    this.form.clear();
    at["encode-name"].textContent = title.name;
    at["encode-dialog"].showModal();
  }
}
