-- Login attempts, which the owner of the account can read. Times are UTC.

CREATE TABLE entries (
  entry_id VARCHAR(64) NOT NULL,
  user_id CHAR(32) NOT NULL,
  at DATETIME(6) NOT NULL,
  ip VARCHAR(45) NOT NULL,
  browser VARCHAR(400) NOT NULL,
  outcome VARCHAR(20) NOT NULL,
  CONSTRAINT pk_entries PRIMARY KEY (entry_id),
  CONSTRAINT ck_entries_user_id CHECK (user_id REGEXP '^[0-9a-f]{32}$'),
  CONSTRAINT ck_entries_outcome CHECK (outcome IN ('success', 'wrong_password', 'limited')),
  INDEX ix_entries_user (user_id, at),
  INDEX ix_entries_at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
