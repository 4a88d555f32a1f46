-- Accounts and the links that are mailed to them. Times are UTC. Passwords and tokens are stored as hashes only.

CREATE TABLE logins (
  user_id CHAR(32) NOT NULL,
  address VARCHAR(320) NOT NULL,
  email VARCHAR(320) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  admin BOOLEAN NOT NULL,
  confirmed_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_logins PRIMARY KEY (user_id),
  CONSTRAINT uq_logins_address UNIQUE (address),
  CONSTRAINT ck_logins_user_id CHECK (user_id REGEXP '^[0-9a-f]{32}$'),
  CONSTRAINT ck_logins_address CHECK (CHAR_LENGTH(address) > 0),
  CONSTRAINT ck_logins_password_hash CHECK (password_hash LIKE '$argon2id$%')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One link per account and purpose; only the recipient of the email knows the link itself.
CREATE TABLE links (
  user_id CHAR(32) NOT NULL,
  purpose VARCHAR(10) NOT NULL,
  link_hash CHAR(64) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_links PRIMARY KEY (user_id, purpose),
  CONSTRAINT uq_links_link_hash UNIQUE (link_hash),
  CONSTRAINT fk_links_login FOREIGN KEY (user_id) REFERENCES logins (user_id) ON DELETE CASCADE,
  CONSTRAINT ck_links_purpose CHECK (purpose IN ('confirm', 'reset')),
  CONSTRAINT ck_links_link_hash CHECK (link_hash REGEXP '^[0-9a-f]{64}$'),
  INDEX ix_links_expires_at (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
