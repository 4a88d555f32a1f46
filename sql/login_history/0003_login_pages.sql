-- Pagination of the login history that neither skips nor repeats entries with equal times.
-- `list_logins` is kept for the previous release, which runs until the deployment ends.

DELIMITER //

-- Returns the newest entries of a user after the position of the last entry shown; p_at is NULL for the first page.
CREATE PROCEDURE list_login_page(p_user_id CHAR(32), p_at DATETIME(6), p_entry_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT entry_id, user_id, at, ip, browser, outcome
    FROM entries
   WHERE user_id = p_user_id
     AND at <= COALESCE(p_at, '9999-12-31')
     AND (p_at IS NULL OR at < p_at OR entry_id < p_entry_id)
   ORDER BY at DESC, entry_id DESC
   LIMIT p_limit;
END //

DELIMITER ;
