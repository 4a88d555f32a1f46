-- A message about an action can arrive after the account that it was about has been deleted. So deleted accounts are
-- remembered for 30 days, longer than any message waits, by a hash of their random ids, which leads back to nobody. The
-- procedures record_action, forget_subject and expire_actions in 0002 are kept until no running version calls them.

CREATE TABLE forgotten_subjects (
  hash BINARY(32) NOT NULL,
  at DATETIME(6) NOT NULL,
  CONSTRAINT pk_forgotten_subjects PRIMARY KEY (hash),
  INDEX ix_forgotten_subjects_at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

DELIMITER //

-- Idempotent by the id of the entry, and independent of the order of both calls. p_outcome is '' before the action.
-- The account is looked up after the entry was inserted: forget_account remembers it before it changes the entries, so
-- one of the two sees the other.
CREATE PROCEDURE record_entry(
  p_entry_id CHAR(32), p_at DATETIME(6), p_actor VARCHAR(32), p_action VARCHAR(64), p_subject VARCHAR(200),
  p_outcome VARCHAR(40)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO actions (entry_id, at, actor, action, subject)
  VALUES (p_entry_id, p_at, p_actor, p_action, NULLIF(p_subject, ''))
  ON DUPLICATE KEY UPDATE entry_id = entry_id;
  IF p_outcome <> '' THEN
    INSERT INTO outcomes (entry_id, at, outcome, subject)
    VALUES (p_entry_id, p_at, p_outcome, NULLIF(p_subject, ''))
    ON DUPLICATE KEY UPDATE entry_id = entry_id;
  END IF;
  IF EXISTS (SELECT * FROM forgotten_subjects WHERE hash = UNHEX(SHA2(p_subject, 256))) THEN
    UPDATE actions SET subject = NULL WHERE entry_id = p_entry_id AND subject = p_subject;
    UPDATE outcomes SET subject = NULL WHERE entry_id = p_entry_id AND subject = p_subject;
  END IF;
  COMMIT;
END //

-- Removes the id of a deleted account from the entries about it, also from those that are recorded later; what was done,
-- when, and by whom stays.
CREATE PROCEDURE forget_account(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  INSERT INTO forgotten_subjects (hash, at) VALUES (UNHEX(SHA2(p_user_id, 256)), UTC_TIMESTAMP(6))
  ON DUPLICATE KEY UPDATE at = UTC_TIMESTAMP(6);
  UPDATE actions SET subject = NULL WHERE subject = p_user_id;
  UPDATE outcomes SET subject = NULL WHERE subject = p_user_id;
  COMMIT;
END //

-- Deletes at most p_most entries that are older than a year; returns their number. The age is not an argument, so that
-- nobody who can call the procedure can delete newer ones.
CREATE PROCEDURE expire_entries(p_most INT)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_before DATETIME(6) DEFAULT UTC_TIMESTAMP(6) - INTERVAL 365 DAY;
  DECLARE v_expired INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  DELETE FROM forgotten_subjects WHERE at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY ORDER BY at LIMIT p_most;
  DELETE FROM outcomes WHERE at < v_before ORDER BY at LIMIT p_most;
  DELETE FROM actions WHERE at < v_before ORDER BY at LIMIT p_most;
  SET v_expired = ROW_COUNT();
  COMMIT;
  SELECT v_expired AS expired;
END //

DELIMITER ;
