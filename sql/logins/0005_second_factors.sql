-- Second factors: authenticator apps (TOTP), passkeys (WebAuthn), and recovery codes. `secret` is encrypted by the
-- application and is bound to the account: for an authenticator app the shared secret, for a passkey its public key.
-- The id of a passkey is derived from its credential id, so one passkey belongs to one account.

CREATE TABLE second_factors (
  factor_id CHAR(32) NOT NULL,
  user_id CHAR(32) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  name VARCHAR(60) NOT NULL,
  secret VARCHAR(2048) NOT NULL,
  credential_id VARCHAR(1400) NOT NULL,
  sign_count BIGINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  last_used_at DATETIME(6) NULL,
  CONSTRAINT pk_second_factors PRIMARY KEY (factor_id),
  CONSTRAINT fk_second_factors_login FOREIGN KEY (user_id) REFERENCES logins (user_id) ON DELETE CASCADE,
  CONSTRAINT ck_second_factors_factor_id CHECK (factor_id REGEXP '^[0-9a-f]{32}$'),
  CONSTRAINT ck_second_factors_kind CHECK (kind IN ('totp', 'passkey')),
  CONSTRAINT ck_second_factors_credential CHECK ((kind = 'passkey') = (credential_id <> '')),
  INDEX ix_second_factors_user (user_id, created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE recovery_codes (
  user_id CHAR(32) NOT NULL,
  code_hash CHAR(64) NOT NULL,
  CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash),
  CONSTRAINT fk_recovery_codes_login FOREIGN KEY (user_id) REFERENCES logins (user_id) ON DELETE CASCADE,
  CONSTRAINT ck_recovery_codes_code_hash CHECK (code_hash REGEXP '^[0-9a-f]{64}$')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
