/** The page "Who is watching?": chooses a profile of the account, and adds, edits and deletes profiles. */
import "../nav.js";
import { hooks, piece, reconcile, rootOf, say, showProblem } from "../dom.js";
import { RequestError, tryLater } from "../net.js";
import { t } from "../texts.js";
import { bindForm } from "./form.js";
import { initialOf } from "./menu.js";
import { nextOf } from "./next.js";
import { lastProfile, profileFacts, profileName, proofOf, rememberProfile, sessionFacts } from "./profile.js";
import { faultsOf, givenFault } from "./rules.js";
import { authorized, leaveFor, session, update } from "./session.js";

/** @import { Hooks, Profile, ProfileList } from "../types.js" */

const COLOURS = ["coral", "amber", "lime", "mint", "sky", "lavender", "rose", "sand"];
const PIN = /^\d{4}$/;

/**
 * Return the first colour that no profile has yet.
 * @param {Pick<Profile, "colour">[]} profiles
 */
export const freeColour = (profiles) => COLOURS.find((colour) => !profiles.some((one) => one.colour === colour)) ?? COLOURS[0];

/**
 * Return whether a child could switch to a grown-up's profile without a PIN.
 * @param {Pick<Profile, "age_limit" | "locked">[]} profiles
 */
export const isOpenToChildren = (profiles) => profiles.some((one) => one.age_limit !== null) && profiles.some((one) => one.age_limit === null && !one.locked);

/**
 * Return the faults of the form of a profile.
 * @param {Record<string, any>} values
 * @param {{ own: boolean }} profile
 */
export const faultsOfProfile = ({ name, pin, proof }, { own }) =>
  faultsOf({
    name: own || name.trim() ? "" : t("profiles.enter_name"),
    pin: !pin || PIN.test(pin) ? "" : t("profiles.enter_four_digits"),
    proof: givenFault(proof),
  });

/**
 * Return the body of a request that stores a profile.
 * @param {Record<string, any>} values
 */
export function bodyOf({ name, colour, limit, pin, unlock, proof }) {
  const newPin = unlock ? { pin: null } : pin ? { pin } : {};
  return { name: name.trim(), colour, age_limit: limit ? Number(limit) : null, ...newPin, ...proofOf(proof) };
}

export class ProfilesPage {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Hooks} */
    this.at = hooks(root);
    /** @type {ProfileList} */
    this.list = { profiles: [], current: "", most: 0 };
    this.managing = location.hash === "#manage";
    /** Whether this device is being switched to a profile. */
    this.isSwitching = false;
    /** The profile that a dialog is about; null for a new one. @type {Profile | null} */
    this.subject = null;
  }

  bind() {
    const { at } = this;
    at.manage.addEventListener("click", () => this.setManaging(!this.managing));
    at.add.addEventListener("click", () => this.openEdit(null));
    for (const name of ["edit", "remove", "pin"]) {
      at[`${name}-close`].addEventListener("click", () => at[name].close());
      at[name].addEventListener("close", () => at[`${name}-form`].reset());
    }
    at["edit-remove"].addEventListener("click", () => this.openRemove());
    this.edit = bindForm(at["edit-form"], {
      busy: t("profiles.saving"),
      fields: { wrong_password: "proof", wrong_pin: "proof" },
      check: (values) => faultsOfProfile(values, { own: Boolean(this.subject?.own) }),
      send: async (values, isShown) => {
        const { subject } = this;
        await authorized(subject ? `profiles/${subject.id}` : "profiles", { method: subject ? "PUT" : "POST", body: bodyOf(values) });
        if (isShown()) at.edit.close();
        await this.showChange(subject ? t("profiles.saved") : t("profiles.added", { name: values.name.trim() }));
      },
      late: (error, subject) => {
        const reason = tryLater(error);
        say(at.said, subject ? t("profiles.not_changed", { name: profileName(subject), reason }) : t("profiles.not_added", { reason }));
      },
    });
    this.remove = bindForm(at["remove-form"], {
      busy: t("profiles.deleting"),
      fields: { wrong_password: "remove-proof", wrong_pin: "remove-proof" },
      check: (values) => faultsOf({ "remove-proof": givenFault(values["remove-proof"]) }),
      send: async (values, isShown) => {
        const { subject } = this;
        if (!subject) return;
        await authorized(`profiles/${subject.id}`, { method: "DELETE", body: proofOf(values["remove-proof"]) });
        const wasShown = isShown();
        if (wasShown) at.remove.close();
        await this.showChange(t("profiles.deleted", { name: profileName(subject) }));
        if (wasShown) at.heading.focus();
      },
      late: (error, subject) => say(at.said, t("profiles.not_deleted", { name: profileName(subject), reason: tryLater(error) })),
    });
    this.pin = bindForm(at["pin-form"], {
      busy: t("profiles.checking"),
      fields: { wrong_pin: "code" },
      check: ({ code }) => faultsOf({ code: PIN.test(code) ? "" : t("profiles.enter_four_digits") }),
      send: ({ code }) => this.use(this.subject, code),
      late: ({ message }) => say(at.said, message),
    });
  }

  async load() {
    this.list = await authorized("profiles");
    const current = this.list.profiles.find(({ id }) => id === this.list.current);
    if (current) update(sessionFacts(current));
    this.write();
  }

  /**
   * Say what was changed, and show the profiles as they are now. If they do not load, the change was made all the same.
   * @param {string} done
   */
  async showChange(done) {
    try {
      await this.load();
      say(this.at.said, done);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(this.at.said, t("profiles.not_shown", { done }));
    }
  }

  write() {
    const { at, list } = this;
    const heading = this.managing ? t("profiles.manage") : t("profiles.who_is_watching");
    at.heading.textContent = heading;
    document.title = t("site.page_title", { name: heading });
    at["manage-label"].textContent = this.managing ? t("profiles.done") : t("profiles.manage");
    at.lead.hidden = list.profiles.length > 1;
    at.advice.hidden = !this.managing || !isOpenToChildren(list.profiles);
    at.add.hidden = list.profiles.length >= list.most;
    reconcile(at.profiles, list.profiles, {
      key: ({ id }) => id,
      create: () => piece("profile"),
      update: (node, profile) => this.writeProfile(node, profile),
    });
    this.root.classList.toggle("is-managing", this.managing);
    this.root.removeAttribute("aria-busy");
  }

  /**
   * @param {HTMLElement} node
   * @param {Profile} profile
   */
  writeProfile(node, profile) {
    const at = hooks(node);
    const name = profileName(profile);
    at.face.textContent = initialOf(profile.name || session()?.email);
    at.face.dataset.colour = profile.colour;
    at.name.textContent = name;
    say(at.facts, profileFacts(profile));
    if (this.isSwitching) at.open.setAttribute("aria-disabled", "true");
    else at.open.removeAttribute("aria-disabled");
    const isCurrent = profile.id === this.list.current;
    if (isCurrent && !this.managing) at.open.setAttribute("aria-current", "true");
    else at.open.removeAttribute("aria-current");
    say(at.verb, this.managing ? t("profiles.edit_name", { name }) : "");
    at.name.setAttribute("aria-hidden", String(this.managing)); // the sentence above contains it
    at.open.onclick = () => (this.managing ? this.openEdit(profile) : this.choose(profile));
  }

  /** @param {boolean} managing */
  setManaging(managing) {
    this.managing = managing;
    say(this.at.said, "");
    this.write();
  }

  /** Focus the profile that this device used last, so that Enter continues with it. */
  focusLast() {
    const id = lastProfile(session()?.user_id) || this.list.current;
    const index = Math.max(0, this.list.profiles.findIndex((one) => one.id === id));
    if (!this.managing && this.list.profiles.length > 1) this.at.profiles.children[index]?.querySelector("button")?.focus();
  }

  /** @param {Profile} profile */
  async choose(profile) {
    if (this.isSwitching) return;
    if (profile.locked && profile.id !== this.list.current) {
      this.openPin(profile);
      return;
    }
    try {
      await this.use(profile, "");
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === "pin_required") this.openPin(profile); // it got one since the page was loaded
      else say(this.at.said, error.message);
    }
  }

  /**
   * Switch this device to a profile and leave the page. No other profile can be chosen meanwhile, because this page and
   * the API would not agree on which answer was the last one.
   * @param {Profile | null} profile
   * @param {string} pin
   */
  async use(profile, pin) {
    if (!profile || this.isSwitching) return;
    this.setSwitching(t("profiles.switching", { name: profileName(profile) }));
    try {
      const body = pin ? { profile_id: profile.id, pin } : { profile_id: profile.id };
      const chosen = await authorized("sessions/profile", { method: "PUT", body });
      rememberProfile(session()?.user_id, chosen.id);
      update(sessionFacts(chosen));
      await leaveFor(nextOf(location), { back: false });
    } finally {
      this.setSwitching("");
    }
  }

  /** @param {string} text what is being done; "" if nothing is */
  setSwitching(text) {
    this.isSwitching = Boolean(text);
    say(this.at.said, text);
    this.write();
  }

  /** @param {Profile} profile */
  openPin(profile) {
    const { at } = this;
    this.subject = profile;
    this.pin?.begin(profile);
    at["pin-title"].textContent = t("profiles.pin_of", { name: profileName(profile) });
    at.pin.showModal();
    at["pin-form"].elements.code.focus();
  }

  /** @param {Profile | null} profile */
  openEdit(profile) {
    const { at } = this;
    const own = Boolean(profile?.own);
    this.subject = profile;
    this.edit?.begin(profile);
    const { elements } = at["edit-form"];
    at["edit-title"].textContent = profile ? t("profiles.edit") : t("profiles.add");
    elements.name.value = profile?.name ?? "";
    elements.name.placeholder = own ? t("profiles.you") : "";
    elements.colour.value = profile?.colour ?? freeColour(this.list.profiles);
    elements.limit.value = String(profile?.age_limit ?? "");
    at.limit.hidden = own;
    at["pin-advice"].textContent = profile?.locked ? t("profiles.empty_keeps_pin") : t("profiles.empty_no_pin");
    at.unlock.hidden = !profile?.locked;
    at["edit-remove"].hidden = !profile || own;
    at.edit.showModal();
    elements.name.focus();
  }

  openRemove() {
    const { at, subject } = this;
    if (!subject) return;
    at.edit.close();
    this.remove?.begin(subject);
    at["remove-title"].textContent = t("profiles.delete_name", { name: profileName(subject) });
    at.remove.showModal();
    at["remove-form"].elements["remove-proof"].focus();
  }
}

/** @param {HTMLElement} root */
async function start(root) {
  const page = new ProfilesPage(root);
  try {
    await page.load();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showProblem(root, { heading: t("common.page_did_not_load"), text: tryLater(error), retry: () => location.reload() });
    return;
  }
  page.bind();
  page.focusLast();
}

const page = rootOf("profiles");
if (page) start(page);
