-- Operations on second factors. `find_login` and `get_login` are kept for the previous release, which runs until the
-- deployment ends. Error numbers: 30002, there are as many second factors as allowed; 30003, the factor belongs to
-- another account.

DELIMITER //

-- Like find_login, and returns whether the account has a second factor.
CREATE PROCEDURE find_account(p_address VARCHAR(320), p_dummy_hash VARCHAR(255))
SQL SECURITY DEFINER
BEGIN
  SELECT COALESCE(l.user_id, '') AS user_id, p_address AS address, COALESCE(l.email, '') AS email,
         COALESCE(l.password_hash, p_dummy_hash) AS password_hash, COALESCE(l.admin, FALSE) AS admin,
         l.confirmed_at AS confirmed_at, COALESCE(l.created_at, UTC_TIMESTAMP(6)) AS created_at,
         EXISTS (SELECT 1 FROM second_factors AS f WHERE f.user_id = l.user_id) AS has_second_factor
    FROM (SELECT 1 AS one) AS always
    LEFT JOIN logins AS l ON l.address = p_address AND CHAR_LENGTH(l.address) = CHAR_LENGTH(p_address);
END //

-- Like get_login, and returns whether the account has a second factor.
CREATE PROCEDURE get_account(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT l.user_id, l.address, l.email, l.password_hash, l.admin, l.confirmed_at, l.created_at,
         EXISTS (SELECT 1 FROM second_factors AS f WHERE f.user_id = l.user_id) AS has_second_factor
    FROM logins AS l WHERE l.user_id = p_user_id;
END //

-- Stores a second factor; idempotent by its id. The account's row is locked, so that concurrent calls cannot exceed
-- p_most. Does nothing for a deleted account.
CREATE PROCEDURE add_second_factor(
  p_factor_id CHAR(32), p_user_id CHAR(32), p_kind VARCHAR(10), p_name VARCHAR(60), p_secret VARCHAR(2048),
  p_credential_id VARCHAR(1400), p_sign_count BIGINT, p_created_at DATETIME(6), p_most INT
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_owner CHAR(32);
  DECLARE v_login CHAR(32);
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
    IF (SELECT COUNT(*) FROM second_factors WHERE user_id = p_user_id) >= p_most THEN
      SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30002, MESSAGE_TEXT = 'The account has as many factors as allowed.';
    END IF;
    INSERT INTO second_factors
      (factor_id, user_id, kind, name, secret, credential_id, sign_count, created_at, last_used_at)
    VALUES (p_factor_id, p_user_id, p_kind, p_name, p_secret, p_credential_id, p_sign_count, p_created_at, NULL);
  END IF;
  COMMIT;
END //

-- Returns the second factors of an account, oldest first.
CREATE PROCEDURE list_second_factors(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT factor_id, user_id, kind, name, secret, credential_id, sign_count, created_at, last_used_at
    FROM second_factors WHERE user_id = p_user_id ORDER BY created_at, factor_id;
END //

-- Records a use. Returns whether the factor exists; the sign count never decreases.
CREATE PROCEDURE record_factor_use(p_factor_id CHAR(32), p_user_id CHAR(32), p_sign_count BIGINT, p_at DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  UPDATE second_factors
     SET sign_count = GREATEST(sign_count, p_sign_count), last_used_at = p_at
   WHERE factor_id = p_factor_id AND user_id = p_user_id;
  SELECT EXISTS (SELECT 1 FROM second_factors WHERE factor_id = p_factor_id AND user_id = p_user_id) AS recorded;
END //

-- Deletes a second factor; with the last one, also the recovery codes. Returns the number of remaining factors.
CREATE PROCEDURE remove_second_factor(p_factor_id CHAR(32), p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DECLARE v_login CHAR(32);
  DECLARE v_left INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  SELECT user_id INTO v_login FROM logins WHERE user_id = p_user_id FOR UPDATE;
  DELETE FROM second_factors WHERE factor_id = p_factor_id AND user_id = p_user_id;
  SELECT COUNT(*) INTO v_left FROM second_factors WHERE user_id = p_user_id;
  IF v_left = 0 THEN
    DELETE FROM recovery_codes WHERE user_id = p_user_id;
  END IF;
  SELECT v_left AS remaining;
  COMMIT;
END //

-- Deletes all second factors and recovery codes of an account; idempotent.
CREATE PROCEDURE remove_second_factors(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  DELETE FROM second_factors WHERE user_id = p_user_id;
  DELETE FROM recovery_codes WHERE user_id = p_user_id;
  COMMIT;
END //

-- Replaces the recovery codes of an account. p_code_hashes is one string of 64 characters for each code, without
-- separators. Does nothing for a deleted account.
CREATE PROCEDURE replace_recovery_codes(p_user_id CHAR(32), p_code_hashes VARCHAR(2048))
SQL SECURITY DEFINER
BEGIN
  DECLARE v_at INT DEFAULT 1;
  DECLARE v_login CHAR(32);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  SELECT user_id INTO v_login FROM logins WHERE user_id = p_user_id FOR UPDATE;
  DELETE FROM recovery_codes WHERE user_id = p_user_id;
  IF v_login IS NOT NULL THEN
    WHILE v_at < CHAR_LENGTH(p_code_hashes) DO
      INSERT INTO recovery_codes (user_id, code_hash) VALUES (p_user_id, SUBSTRING(p_code_hashes, v_at, 64));
      SET v_at = v_at + 64;
    END WHILE;
  END IF;
  COMMIT;
END //

-- Returns the number of unused recovery codes.
CREATE PROCEDURE count_recovery_codes(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT COUNT(*) AS remaining FROM recovery_codes WHERE user_id = p_user_id;
END //

-- Deletes a recovery code. Returns whether it existed; only one of two concurrent calls finds it.
CREATE PROCEDURE use_recovery_code(p_user_id CHAR(32), p_code_hash CHAR(64))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM recovery_codes WHERE user_id = p_user_id AND code_hash = p_code_hash;
  SELECT ROW_COUNT() = 1 AS used;
END //

DELIMITER ;
