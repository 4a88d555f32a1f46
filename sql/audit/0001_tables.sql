-- What owners did. Both tables only grow: there is no procedure that changes an entry, except for removing the id of a
-- deleted account, and none that deletes an entry of the last year. Times are UTC.

CREATE TABLE actions (
  entry_id CHAR(32) NOT NULL,
  at DATETIME(6) NOT NULL,
  actor VARCHAR(32) NOT NULL,
  action VARCHAR(64) NOT NULL,
  subject VARCHAR(200) NULL,
  CONSTRAINT pk_actions PRIMARY KEY (entry_id),
  CONSTRAINT ck_actions_actor CHECK (actor REGEXP '^([0-9a-f]{32}|operator)$'),
  INDEX ix_actions_at (at),
  INDEX ix_actions_subject (subject)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- How actions that began at `at` have ended. An action without a row here is in progress, or was interrupted. `subject` is known only
-- afterwards if the action created it.
CREATE TABLE outcomes (
  entry_id CHAR(32) NOT NULL,
  at DATETIME(6) NOT NULL,
  outcome VARCHAR(40) NOT NULL,
  subject VARCHAR(200) NULL,
  CONSTRAINT pk_outcomes PRIMARY KEY (entry_id),
  CONSTRAINT ck_outcomes_outcome CHECK (outcome <> ''),
  INDEX ix_outcomes_at (at),
  INDEX ix_outcomes_subject (subject)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
