-- All access to the tables.

DELIMITER //

-- Idempotent by the id of the entry, and independent of the order of both calls. p_outcome is '' before the action.
CREATE PROCEDURE record_action(
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
  COMMIT;
END //

-- Returns the newest entries after the position of the last entry shown; p_at is NULL for the first page.
CREATE PROCEDURE list_actions(p_at DATETIME(6), p_entry_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT actions.entry_id, actions.at, actions.actor, actions.action,
         COALESCE(outcomes.subject, actions.subject) AS subject, outcomes.outcome
    FROM actions
    LEFT JOIN outcomes ON outcomes.entry_id = actions.entry_id
   WHERE p_at IS NULL OR actions.at < p_at OR (actions.at = p_at AND actions.entry_id < p_entry_id)
   ORDER BY actions.at DESC, actions.entry_id DESC
   LIMIT p_limit;
END //

-- Removes the id of a deleted account from the entries about it; what was done, when, and by whom stays.
CREATE PROCEDURE forget_subject(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  UPDATE actions SET subject = NULL WHERE subject = p_user_id;
  UPDATE outcomes SET subject = NULL WHERE subject = p_user_id;
  COMMIT;
END //

-- Deletes at most p_most entries that are older than a year; returns their number. The age is not an argument, so that
-- nobody who can call the procedure can delete newer ones.
CREATE PROCEDURE expire_actions(p_most INT)
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
  DELETE FROM outcomes WHERE at < v_before ORDER BY at LIMIT p_most;
  DELETE FROM actions WHERE at < v_before ORDER BY at LIMIT p_most;
  SET v_expired = ROW_COUNT();
  COMMIT;
  SELECT v_expired AS expired;
END //

DELIMITER ;
