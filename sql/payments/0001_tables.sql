-- Payments of subscribers: one row per PayPal transaction, without names or addresses.
-- Times are UTC. Amounts are integers in the currency's smallest unit.

CREATE TABLE payments (
  payment_id VARCHAR(64) NOT NULL,
  subscription_id VARCHAR(64) NOT NULL,
  user_id CHAR(32) NULL,
  state VARCHAR(20) NOT NULL,
  amount_minor BIGINT NOT NULL,
  refunded_minor BIGINT NOT NULL,
  currency CHAR(3) NOT NULL,
  paid_at DATETIME(6) NOT NULL,
  asked_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_payments PRIMARY KEY (payment_id),
  CONSTRAINT ck_payments_state
    CHECK (state IN ('PENDING', 'COMPLETED', 'DECLINED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
  CONSTRAINT ck_payments_amount CHECK (amount_minor >= 0),
  CONSTRAINT ck_payments_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor),
  INDEX ix_payments_user (user_id, paid_at),
  INDEX ix_payments_subscription (subscription_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Every state that a payment has had; rows are never updated.
CREATE TABLE payment_changes (
  change_id BIGINT NOT NULL AUTO_INCREMENT,
  payment_id VARCHAR(64) NOT NULL,
  at DATETIME(6) NOT NULL,
  state VARCHAR(20) NOT NULL,
  refunded_minor BIGINT NOT NULL,
  CONSTRAINT pk_payment_changes PRIMARY KEY (change_id),
  CONSTRAINT fk_payment_changes_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
