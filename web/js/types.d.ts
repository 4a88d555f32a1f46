/** The parts of the API's JSON and of the published catalogue that the pages read. Times are ISO 8601 in UTC. */

export interface Artwork {
  poster: string | null;
  card: string | null;
  backdrop: string | null;
}

/** A title as shelves and lists show it. */
export interface Card {
  id: string;
  name: string;
  year?: number | null;
  kind?: string;
  rated?: string | null;
  runtime_min?: number | null;
  genres?: string[];
  plot?: string | null;
  status: string;
  artwork?: Artwork;
  /** Set by the page: how far the viewer has watched. */
  going?: { progress: number; left: string };
  /** Set by the page: why the title is recommended. */
  because?: string;
}

export interface Playback {
  duration_s?: number;
  renditions?: { height: number }[];
  complete?: boolean;
}

export interface Progress {
  status?: string;
  percent?: number;
  front_s?: number;
  eta_s?: number | null;
  /** How much of the film has arrived while it is uploaded; null once all of it has. */
  uploaded_percent?: number | null;
}

/** A complete title: its published page, with the progress of an encode if the API adds it. */
export interface Title extends Card {
  directors?: string[];
  writers?: string[];
  actors?: string[];
  languages?: string[];
  countries?: string[];
  awards?: string | null;
  ratings?: { source: string; value: string }[];
  imdb_rating?: number | null;
  failure?: string | null;
  metadata?: { matched: boolean; reason: string | null };
  playback?: Playback | null;
  progress?: Progress | null;
  more?: Card[];
  /** Only in the published form: whether it has a trailer that can be played. */
  trailer?: boolean;
  /** Only in the owner's form. */
  draft?: boolean;
  /** Only in the owner's form of a trailer: its title; without a name, there is no such title yet. */
  trailer_of?: { id: string; name: string | null } | null;
  /** Only in the owner's form: the name of the upload without its extension. */
  stem?: string;
}

export interface Row {
  id: string;
  name: string;
  titles: Card[];
}

export interface Home {
  generated_at: string;
  hero: Card | null;
  rows: Row[];
}

/** The file of the search: titles as lists of values, in which people and genres are positions in the other lists. */
export interface CatalogueIndex {
  /** Whether there is an index of what is said in films. */
  dialogue: boolean;
  people: string[];
  genres: string[];
  titles: [
    id: string,
    name: string,
    kind: string,
    year: number | null,
    rated: string | null,
    runtime_min: number | null,
    status: string,
    card: string | null,
    genres: number[],
    people: number[],
  ][];
}

/** What is said in a title: the seconds of each word, or none for a frequent word. */
export interface TitleDialogue {
  words: Record<string, number[]>;
}

/** The titles in which words are said; the values of `words` are positions in `titles`. */
export interface DialogueShard {
  titles: string[];
  words: Record<string, number[]>;
}

export interface View {
  title_id: string;
  position_s: number;
  duration_s: number;
  progress: number;
  watched_at: string;
  finished: boolean;
}

export interface HistoryEntry extends View {
  title: Card | null;
}

export interface HistoryPage {
  entries: HistoryEntry[];
  cursor: string | null;
}

/** The viewer's data about a title. */
export interface Traces {
  view: View | null;
  resume_s: number;
  listed: boolean;
  rating: number;
}

export interface Recommended extends Card {
  reason?: { kind: string; words: string };
}

export interface Shelf {
  id: string;
  heading: string;
  titles: Recommended[];
}

/** A part of an episode that can be skipped, in seconds. */
export interface SkippablePart {
  kind: "intro" | "credits";
  start_s: number;
  end_s: number;
}

/** A playback session. */
export interface PlaybackSession {
  job_id?: string;
  name: string;
  manifest_url: string;
  hls_url: string;
  hls_ticket_url: string;
  sas: string;
  expires_at: string;
  usage_ticket: string | null;
  stream_ticket: string;
  resume_s?: number;
  duration_s?: number;
  front_s?: number;
  percent?: number;
  /** How much of the film has arrived while it is uploaded; null once all of it has. */
  uploaded_percent?: number | null;
  status: string;
  thumbnails_url: string | null;
  chapters_url?: string | null;
  /** The intro and the credits, as far as they were found by their sound. */
  skippable?: SkippablePart[];
  subtitles?: { language: string; label: string; url: string; automatic?: boolean }[];
  /** Until when a download can be watched. */
  licence_until?: string | null;
  /** The key of an encrypted film by its id, both in hexadecimal. */
  clear_keys?: Record<string, string> | null;
}

/** A film that is downloaded on this device, completely or in part. */
export interface StoredFilm {
  user_id: string;
  title_id: string;
  name: string;
  /** Its certificate; downloads of earlier releases have none. */
  rated?: string | null;
  /** The address of its picture relative to the site; null if it has none. */
  card: string | null;
  height: number;
  /** Its size; an estimate until it is `whole`. */
  bytes: number;
  whole: boolean;
  stored_at: string;
  licence_until: string;
  /** The latest time at which this page knew the time. */
  seen_at: string;
  /** Where the viewer stopped. */
  place_s: number;
  /** The playback session without its keys. */
  session: PlaybackSession;
}

/** A part of a film that can be watched while the film is encoded; times in seconds. */
export interface FilmPart {
  from_s: number;
  until_s: number;
  manifest_url: string;
}

/** A title that a device of the account plays. */
export interface OpenStream {
  stream_id: string;
  title_id: string;
  title: string;
  device: string;
  since: string;
  /** Whether the device is this one. */
  here: boolean;
}

export interface AccountSession {
  token: string;
  expires_at?: string;
  user_id?: string;
  email?: string;
  admin?: boolean;
  confirmed?: boolean;
  /** The second step with which the session began, or "none". */
  factor?: string;
  /** The time at which this browser got the session, in milliseconds. */
  since?: number;
  /** The profile that the session uses, as this browser saw it last. */
  profile_id?: string;
  profile_name?: string;
  profile_colour?: string;
  age_limit?: number | null;
}

/** A profile of the account; the name of its own may be empty. */
export interface Profile {
  id: string;
  name: string;
  colour: string;
  age_limit: number | null;
  locked: boolean;
  own: boolean;
}

/** The profiles of the account, its own first. */
export interface ProfileList {
  profiles: Profile[];
  current: string;
  most: number;
}

/** The answer to a login. */
export interface NewSession extends AccountSession {
  /** Gives this device priority at its next login. */
  device?: string;
}

/** A request for the second step of a login. */
export interface FactorCheck {
  step: "second_factor";
  ticket: string;
  kinds: string[];
  passkey_options: Record<string, unknown> | null;
}

export interface FactorAnswer {
  ticket: string;
  code?: string;
  passkey?: Record<string, unknown>;
}

/** A passkey or an authenticator app of the account. */
export interface OwnFactor {
  id: string;
  kind: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

export interface Login {
  at: string;
  ip: string;
  browser: string;
  outcome: string;
}

export interface Plan {
  id: string;
  name: string;
  description: string;
  price_minor: number;
  currency: string;
  interval: string;
  interval_count: number;
  retired_at?: string | null;
}

export interface Entitlement {
  entitled: boolean;
  reason: string;
  until: string | null;
}

export interface Subscription {
  state: string;
  says: string;
  plan: Plan | null;
  approve_url: string | null;
  next_charge: { at: string; amount_minor: number; currency: string } | null;
  paid_through: string | null;
  can_cancel: boolean;
  entitlement: Entitlement;
}

export interface Payment {
  id: string;
  at: string;
  amount_minor: number;
  refunded_minor: number;
  currency: string;
  state: string;
}

/** The results of the encode of a ready film. Sizes in bytes; quality from 0 to 100, null if it was not measured. */
export interface JobReceipt {
  renditions: {
    name: string;
    width: number;
    height: number;
    size: number;
    mean_vmaf: number | null;
    worst_vmaf: number | null;
    worst_at_s: number | null;
  }[];
  size: number;
  saved: number;
  /** The audio tracks whose loudness was changed. */
  sounds?: { label: string; measured_lufs: number; peak_dbtp: number; gain_db: number }[];
}

/** An encode job as the Studio shows it. */
export interface Job {
  job_id: string;
  title_id: string;
  title_name: string | null;
  /** The title that a trailer belongs to, "" while there is none; null for a film. */
  trailer_of?: string | null;
  name: string;
  source: { size: number };
  status: string;
  reason: string | null;
  fault: string | null;
  /** Why the job waits for the next month or a higher limit. */
  paused?: string | null;
  /** Millionths of a US dollar; storage is the price of a month. */
  cost?: { estimate_microusd: number | null; encode_microusd: number; storage_microusd: number | null };
  receipt?: JobReceipt | null;
  /** The second encode, in AV1. */
  av1?: { status: "encoding" | "complete" | "abandoned"; reason: string; percent: number; size: number } | null;
  /** The automatic captions. */
  captions?: { status: "encoding" | "complete" | "abandoned"; language: string; cues: number; url: string | null; reason: string | null } | null;
  /** Picture sizes that are made when viewers want them. */
  on_demand?: {
    renditions: string[];
    status: "encoding" | "complete" | "leaving" | "removed" | "abandoned" | null;
    reason: string | null;
    percent: number;
    size: number;
    saved_size: number;
  } | null;
  damage?: { note: string } | null;
  notes?: string[];
  /** Whether the film's own pictures are used, or why not. */
  passthrough?: string | null;
  percent: number;
  uploaded_percent: number | null;
  eta_s: number | null;
  manifest_url: string | null;
  /** The last verification of the published files; null if there was none. */
  verification: { verified_at: string; files: number; damaged: number } | null;
  /** Whether a verification is due or running. */
  verifying: boolean;
  created_at: string;
  updated_at: string;
}

export interface UploadTicket {
  upload_url: string;
  upload_id: string;
  /** The ETag of the blob with that name; null if there is none. */
  version: string | null;
  /** The name of the blob: that of the file, or of the announced title's film. */
  blob: string;
  title_id: string;
  replaces: boolean;
  existing: string | null;
  announced: { id: string; name: string; year: number | null }[];
}

/** A grant of free access. */
export interface Grant {
  grant_id: string;
  user_id: string | null;
  /** Null once the account is deleted. */
  email: string | null;
  until: string;
  granted_at: string;
  granted_by: string | null;
  granted_by_email: string | null;
  /** When it was revoked; `until` is then the earlier end. */
  revoked_at: string | null;
}

export interface AdministratorAccount {
  user_id: string;
  email: string;
  confirmed: boolean;
}

/** A subscription as the owner sees it; `email` is null once the account is deleted. */
export interface OwnersSubscription {
  user_id: string | null;
  email: string | null;
  plan_id: string;
  state: string;
  state_since: string;
  created_at?: string;
  next_charge_at: string | null;
  paid_through: string | null;
}

export interface PayPalEvent {
  type: string;
  subject: string;
  received_at: string;
  deliveries: number;
  settled: boolean;
}

/** An account as the owner sees it. */
export interface Person {
  user_id: string;
  email: string;
  confirmed: boolean;
  admin: boolean;
  entitlement: { entitled: boolean; reason: string; until: string | null };
  subscription: Pick<Subscription, "state" | "plan" | "next_charge" | "paid_through">;
}

/** A part of a page whose text the owner writes: an HTML element by its name, or a text. */
export type PageNode = string | { tag: string; children?: PageNode[]; href?: string };

/** The file of a page whose text the owner writes. */
export interface PublishedPage {
  updated_at: string;
  content: PageNode[];
}

/** A page as the Studio edits it; without a text, `version` and `updated_at` are null. */
export interface OwnerPage {
  name: string;
  markdown: string;
  updated_at: string | null;
  version: string | null;
}

/** A service or key that the owner configures. */
export interface SetupPart {
  id: string;
  state: "missing" | "stand_in" | "ready";
  settings: { name: string; given: boolean }[];
}

/** An entry of a list in the Studio; `action` is the text of its button. */
export interface Entry {
  head: string;
  facts: (string | null)[];
  state: string;
  kind?: string;
  action?: string;
}

/** Something that an owner did. */
export interface AuditedAction {
  at: string;
  actor: string;
  actor_email: string | null;
  action: string;
  subject: string | null;
  subject_name: string | null;
  outcome: string | null;
}

/** Subscribers, revenue and webhooks by day. */
export interface BusinessReport {
  days: { day: string; subscribers: number; gained: number; lost: number; webhooks: number }[];
  subscribers: number;
  churn_percent: number | null;
  revenue: { currency: string; amount_minor: number; refunded_minor: number; by_day: number[] }[];
  webhooks_waiting: number;
  waiting_since: string | null;
}

/** What all viewers together watched, by day. */
export interface ViewingReport {
  days: { day: string; watched_min: number; starts: number; startup_ms: number | null; stalls: number; stalled_s: number }[];
  startup_ms: number | null;
}

export interface MonthCost {
  month: string;
  encode_microusd: number;
  limit_microusd: number | null;
}

/** Films by day, storage, and spending by month. */
export interface EncodingReport {
  days: { day: string; ready: number; failed: number; open: number }[];
  open: number;
  storage: { films: number; film_size: number; upload_size: number; microusd_per_month: number };
  months: MonthCost[];
  month: MonthCost;
}

export interface HealthReport {
  status: string;
  stores: Record<string, { up: boolean; reason: string | null; optional: boolean }>;
}

/** A figure of the overview. */
export interface Figure {
  label: string;
  value: string;
  note: string;
}

/** Something that needs the owner's attention; `tab` is where the link leads, "" for no link. */
export interface Notice {
  text: string;
  link: string;
  tab: string;
  kind: "bad" | "note";
}

/**
 * A plot of the overview: a value for each day or month in `at`, null if there is none. `scale` divides the values that
 * are drawn, so that the axis has round numbers. `empty` is shown if all values are 0.
 */
export interface PlotData {
  id: string;
  heading: string;
  kind: "line" | "bars" | "pairs" | "stacked";
  at: string[];
  series: { label: string; values: (number | null)[] }[];
  format: (value: number | null) => string;
  empty: string;
  scale?: number;
  limit?: { value: number; label: string };
}

/** The elements of a page by their `data-hook`; the templates define which elements exist, and their types. */
export type Hooks = Record<string, any>;

/** The options of a request to the API. */
export interface RequestOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Return the body of a 2xx response as a Blob instead of its JSON. */
  asFile?: boolean;
  /** With `asFile`: called with the size of each piece that arrives. */
  onBytes?: (bytes: number) => void;
  /** Send the request even if the page is left meanwhile. */
  keepalive?: boolean;
}

declare global {
  interface Window {
    shaka?: any;
    /** For tests and for debugging in the browser's console. */
    notflix?: { player: any; video: HTMLVideoElement; stats: () => object };
  }
  interface HTMLVideoElement {
    /** On iPhones only the video can be shown in full screen. */
    webkitEnterFullscreen?: () => void;
    /** Safari's list of AirPlay devices. */
    webkitShowPlaybackTargetPicker?: () => void;
  }
}
