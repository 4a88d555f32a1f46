-- A login whose second step is not finished has an entry, which the end of the login replaces. `record_login` is kept
-- for the previous release, which runs until the deployment ends.

ALTER TABLE entries DROP CONSTRAINT ck_entries_outcome;
ALTER TABLE entries
  ADD CONSTRAINT ck_entries_outcome
  CHECK (outcome IN ('success', 'wrong_password', 'wrong_second_factor', 'limited', 'unfinished'));

DELIMITER //

-- Idempotent by the id of the entry. Only an unfinished login is replaced, so the order of the calls does not matter.
CREATE PROCEDURE record_attempt(
  p_entry_id VARCHAR(64), p_user_id CHAR(32), p_at DATETIME(6), p_ip VARCHAR(45), p_browser VARCHAR(400),
  p_outcome VARCHAR(20)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO entries (entry_id, user_id, at, ip, browser, outcome)
  VALUES (p_entry_id, p_user_id, p_at, p_ip, p_browser, p_outcome)
  ON DUPLICATE KEY UPDATE
    at = IF(outcome = 'unfinished', p_at, at), ip = IF(outcome = 'unfinished', p_ip, ip),
    browser = IF(outcome = 'unfinished', p_browser, browser),
    outcome = IF(outcome = 'unfinished', p_outcome, outcome);
END //

DELIMITER ;
