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
  /** Only in the list that the search page reads. */
  people?: string[];
  /** Set by the page: how far the viewer has watched. */
  going?: { progress: number; left: string };
  /** Set by the page: why the title is recommended. */
  because?: string;
}

export interface Playback {
  duration_s?: number;
  renditions?: { height: number }[];
}

export interface Progress {
  status?: string;
  percent?: number;
  front_s?: number;
  eta_s?: number | null;
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

/** A playback session. */
export interface PlaybackSession {
  name: string;
  manifest_url: string;
  hls_url: string;
  hls_ticket_url: string;
  sas: string;
  expires_at: string;
  usage_ticket: string | null;
  resume_s?: number;
  duration_s?: number;
  front_s?: number;
  percent?: number;
  status: string;
  thumbnails_url: string | null;
  subtitles?: { language: string; label: string; url: string }[];
}

export interface AccountSession {
  token: string;
  expires_at?: string;
  user_id?: string;
  email?: string;
  admin?: boolean;
  confirmed?: boolean;
  /** The time at which this browser got the session, in milliseconds. */
  since?: number;
}

/** The answer to a login. */
export interface NewSession extends AccountSession {
  /** Gives this device priority at its next login. */
  device?: string;
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

/** An encode job as the Studio shows it. */
export interface Job {
  job_id: string;
  title_id: string;
  title_name: string | null;
  name: string;
  source: { size: number };
  status: string;
  reason: string | null;
  fault: string | null;
  percent: number;
  eta_s: number | null;
  manifest_url: string | null;
  created_at: string;
  updated_at: string;
}

export interface UploadTicket {
  upload_url: string;
  title_id: string;
  replaces: boolean;
}

/** A grant of free access. */
export interface Grant {
  user_id: string | null;
  until: string;
  granted_at: string;
  granted_by: string | null;
}

/** A subscription as the owner sees it; `user_id` is null once the account is deleted. */
export interface OwnersSubscription {
  user_id: string | null;
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

/** The elements of a page by their `data-hook`; the templates define which elements exist, and their types. */
export type Hooks = Record<string, any>;

/** The options of a request to the API. */
export interface RequestOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
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
  }
}
