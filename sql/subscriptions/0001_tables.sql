-- Plans, subscriptions with their history, grants, and the webhook inbox.
-- Times are UTC. Amounts are integers in the currency's smallest unit.

CREATE TABLE plans (
  plan_id VARCHAR(64) NOT NULL,
  product_id VARCHAR(64) NOT NULL,
  name VARCHAR(127) NOT NULL,
  description VARCHAR(127) NOT NULL,
  price_minor BIGINT NOT NULL,
  currency CHAR(3) NOT NULL,
  interval_unit VARCHAR(5) NOT NULL,
  interval_count SMALLINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  retired_at DATETIME(6) NULL,
  CONSTRAINT pk_plans PRIMARY KEY (plan_id),
  CONSTRAINT ck_plans_price CHECK (price_minor > 0),
  CONSTRAINT ck_plans_interval_unit CHECK (interval_unit IN ('DAY', 'WEEK', 'MONTH', 'YEAR')),
  CONSTRAINT ck_plans_interval_count CHECK (interval_count BETWEEN 1 AND 365)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The latest checkout of each viewer who ever started one. The row is locked during begin_subscription, so that a
-- viewer cannot start two at once; it is kept, with forgotten_at, when the account is deleted.
CREATE TABLE subscribers (
  user_id CHAR(32) NOT NULL,
  plan_id VARCHAR(64) NULL,
  request_id CHAR(32) NULL,
  begun_at DATETIME(6) NULL,
  forgotten_at DATETIME(6) NULL,
  CONSTRAINT pk_subscribers PRIMARY KEY (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A subscription as last returned by PayPal. settlements counts how often it was written; asked_at is the time at
-- which PayPal was queried for the stored data.
CREATE TABLE subscriptions (
  subscription_id VARCHAR(64) NOT NULL,
  user_id CHAR(32) NULL,
  plan_id VARCHAR(64) NOT NULL,
  request_id CHAR(32) NULL,
  state VARCHAR(16) NOT NULL,
  state_since DATETIME(6) NOT NULL,
  next_charge_at DATETIME(6) NULL,
  paid_through DATETIME(6) NULL,
  approve_url VARCHAR(500) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  asked_at DATETIME(6) NULL,
  settlements INT NOT NULL,
  CONSTRAINT pk_subscriptions PRIMARY KEY (subscription_id),
  CONSTRAINT uq_subscriptions_request UNIQUE (request_id),
  CONSTRAINT ck_subscriptions_state
    CHECK (state IN ('APPROVAL_PENDING', 'APPROVED', 'ACTIVE', 'SUSPENDED', 'CANCELLED', 'EXPIRED')),
  INDEX ix_subscriptions_user (user_id),
  INDEX ix_subscriptions_created (created_at),
  INDEX ix_subscriptions_state (state, asked_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Every change of a subscription and its cause; rows are never updated.
CREATE TABLE subscription_changes (
  change_id BIGINT NOT NULL AUTO_INCREMENT,
  subscription_id VARCHAR(64) NOT NULL,
  at DATETIME(6) NOT NULL,
  cause VARCHAR(20) NOT NULL,
  state_before VARCHAR(16) NULL,
  state VARCHAR(16) NOT NULL,
  state_since DATETIME(6) NOT NULL,
  next_charge_at DATETIME(6) NULL,
  paid_through DATETIME(6) NULL,
  CONSTRAINT pk_subscription_changes PRIMARY KEY (change_id),
  CONSTRAINT fk_subscription_changes_subscription
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (subscription_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The pending flags: the subjects to query PayPal about, which are a subscription's id or refund/<id>.
-- Reconciliation clears only the token that it read before the query, so that an event that arrives in the meantime,
-- with another token, is not lost.
CREATE TABLE marks (
  subject VARCHAR(80) NOT NULL,
  token CHAR(32) NOT NULL,
  times INT NOT NULL,
  since DATETIME(6) NOT NULL,
  CONSTRAINT pk_marks PRIMARY KEY (subject),
  INDEX ix_marks_since (since)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The webhook inbox: every webhook from PayPal, stored once by its id.
CREATE TABLE events (
  event_id VARCHAR(64) NOT NULL,
  kind VARCHAR(64) NOT NULL,
  subject VARCHAR(80) NULL,
  sent_at DATETIME(6) NULL,
  received_at DATETIME(6) NOT NULL,
  deliveries INT NOT NULL,
  body_hash CHAR(64) NOT NULL,
  body LONGTEXT NOT NULL,
  CONSTRAINT pk_events PRIMARY KEY (event_id),
  CONSTRAINT ck_events_body CHECK (JSON_VALID(body)),
  INDEX ix_events_received (received_at),
  INDEX ix_events_subject (subject)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE grants (
  grant_id CHAR(32) NOT NULL,
  user_id CHAR(32) NOT NULL,
  ends_at DATETIME(6) NOT NULL,
  granted_at DATETIME(6) NOT NULL,
  granted_by VARCHAR(64) NOT NULL,
  CONSTRAINT pk_grants PRIMARY KEY (grant_id),
  CONSTRAINT ck_grants_ends CHECK (ends_at > granted_at),
  INDEX ix_grants_user (user_id, ends_at),
  INDEX ix_grants_granted (granted_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
