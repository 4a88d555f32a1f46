-- Changes of second factors in one transaction, and their encryption with a newer key. `add_second_factor` and
-- `remove_second_factor` are kept for the previous release, which runs until the deployment ends. Error numbers: 30002,
-- there are as many second factors as allowed; 30003, the factor belongs to another account; 30004, it is the last
-- second factor of an administrator.

DELIMITER //

-- Stores a second factor and, if it is the first one of the account, the recovery codes; p_code_hashes is one string of
-- 64 characters for each code, without separators. Idempotent by the id of the factor. The account's row is locked, so
-- that concurrent calls cannot exceed p_most. Returns whether these recovery codes are stored. Does nothing for a
-- deleted account.
CREATE PROCEDURE store_second_factor(
  p_factor_id CHAR(32), p_user_id CHAR(32), p_kind VARCHAR(10), p_name VARCHAR(60), p_secret VARCHAR(2048),
  p_credential_id VARCHAR(1400), p_sign_count BIGINT, p_created_at DATETIME(6), p_most INT, p_code_hashes VARCHAR(2048)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_owner CHAR(32);
  DECLARE v_login CHAR(32);
  DECLARE v_stored INT DEFAULT 0;
  DECLARE v_at INT DEFAULT 1;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  SELECT user_id INTO v_login FROM logins WHERE user_id = p_user_id FOR UPDATE;
  SELECT user_id INTO v_owner FROM second_factors WHERE factor_id = p_factor_id;
  IF v_owner IS NOT NULL AND v_owner <> p_user_id THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30003, MESSAGE_TEXT = 'The factor belongs to another account.';
  END IF;
  IF v_login IS NOT NULL AND v_owner IS NULL THEN
    SELECT COUNT(*) INTO v_stored FROM second_factors WHERE user_id = p_user_id;
    IF v_stored >= p_most THEN
      SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30002, MESSAGE_TEXT = 'The account has as many factors as allowed.';
    END IF;
    INSERT INTO second_factors
      (factor_id, user_id, kind, name, secret, credential_id, sign_count, created_at, last_used_at)
    VALUES (p_factor_id, p_user_id, p_kind, p_name, p_secret, p_credential_id, p_sign_count, p_created_at, NULL);
    IF v_stored = 0 THEN
      DELETE FROM recovery_codes WHERE user_id = p_user_id;
      WHILE v_at < CHAR_LENGTH(p_code_hashes) DO
        INSERT INTO recovery_codes (user_id, code_hash) VALUES (p_user_id, SUBSTRING(p_code_hashes, v_at, 64));
        SET v_at = v_at + 64;
      END WHILE;
    END IF;
  END IF;
  SELECT EXISTS (
    SELECT 1 FROM recovery_codes WHERE user_id = p_user_id AND code_hash = SUBSTRING(p_code_hashes, 1, 64)
  ) AS codes_stored;
  COMMIT;
END //

-- Deletes a second factor; with the last one, also the recovery codes. Returns the number of remaining factors. Refuses
-- to delete the last one of an administrator.
CREATE PROCEDURE delete_second_factor(p_factor_id CHAR(32), p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DECLARE v_admin BOOLEAN DEFAULT FALSE;
  DECLARE v_left INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  SELECT admin INTO v_admin FROM logins WHERE user_id = p_user_id FOR UPDATE;
  SELECT COUNT(*) INTO v_left FROM second_factors WHERE user_id = p_user_id AND factor_id <> p_factor_id;
  IF v_admin AND v_left = 0
    AND EXISTS (SELECT 1 FROM second_factors WHERE factor_id = p_factor_id AND user_id = p_user_id) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30004, MESSAGE_TEXT = 'Administrators keep their last factor.';
  END IF;
  DELETE FROM second_factors WHERE factor_id = p_factor_id AND user_id = p_user_id;
  IF v_left = 0 THEN
    DELETE FROM recovery_codes WHERE user_id = p_user_id;
  END IF;
  SELECT v_left AS remaining;
  COMMIT;
END //

-- Returns the factors of all accounts after an id, in the order of their ids.
CREATE PROCEDURE page_second_factors(p_after CHAR(32), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT factor_id, user_id, kind, name, secret, credential_id, sign_count, created_at, last_used_at
    FROM second_factors WHERE factor_id > p_after ORDER BY factor_id LIMIT p_limit;
END //

-- Replaces an encrypted secret, unless it has changed since it was read.
CREATE PROCEDURE replace_factor_secret(p_factor_id CHAR(32), p_over VARCHAR(2048), p_new VARCHAR(2048))
SQL SECURITY DEFINER
BEGIN
  UPDATE second_factors SET secret = p_new WHERE factor_id = p_factor_id AND secret = p_over;
END //

-- Returns the email addresses of accounts; p_user_ids is one string of 32 characters for each id, without separators.
CREATE PROCEDURE list_emails(p_user_ids VARCHAR(12800))
SQL SECURITY DEFINER
BEGIN
  WITH RECURSIVE positions AS (
    SELECT 1 AS at
    UNION ALL
    SELECT at + 32 FROM positions WHERE at + 32 <= CHAR_LENGTH(p_user_ids)
  )
  SELECT l.user_id, l.email FROM positions JOIN logins AS l ON l.user_id = SUBSTRING(p_user_ids, at, 32);
END //

DELIMITER ;
