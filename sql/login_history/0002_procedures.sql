-- All operations on the table.

DELIMITER //

-- Idempotent by the id of the entry.
CREATE PROCEDURE record_login(
  p_entry_id VARCHAR(64), p_user_id CHAR(32), p_at DATETIME(6), p_ip VARCHAR(45), p_browser VARCHAR(400),
  p_outcome VARCHAR(20)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO entries (entry_id, user_id, at, ip, browser, outcome)
  VALUES (p_entry_id, p_user_id, p_at, p_ip, p_browser, p_outcome)
  ON DUPLICATE KEY UPDATE entry_id = entry_id;
END //

-- Returns entries newest first; with p_before, only older ones.
CREATE PROCEDURE list_logins(p_user_id CHAR(32), p_before DATETIME(6), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT entry_id, user_id, at, ip, browser, outcome
    FROM entries
   WHERE user_id = p_user_id AND at < COALESCE(p_before, '9999-12-31')
   ORDER BY at DESC, entry_id DESC
   LIMIT p_limit;
END //

CREATE PROCEDURE forget_logins(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM entries WHERE user_id = p_user_id;
END //

-- Deletes at most p_most entries from before a time; returns their number.
CREATE PROCEDURE expire_logins(p_before DATETIME(6), p_most INT)
SQL SECURITY DEFINER
BEGIN
  DELETE FROM entries WHERE at < p_before ORDER BY at LIMIT p_most;
  SELECT ROW_COUNT() AS expired;
END //

DELIMITER ;
