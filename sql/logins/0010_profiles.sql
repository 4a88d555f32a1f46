-- The profiles of an account. The account's own profile has the id of the account; it exists without a row, which is
-- stored once it has a name or a PIN. Rows outlive the account until the data of its profiles is deleted.
-- Error numbers: 30005, the account has as many profiles as allowed; 30006, the profile belongs to another account.

CREATE TABLE profiles (
  profile_id CHAR(32) NOT NULL,
  user_id CHAR(32) NOT NULL,
  name VARCHAR(40) NOT NULL,
  colour VARCHAR(10) NOT NULL,
  age_limit TINYINT UNSIGNED NULL,
  pin_hash VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_profiles PRIMARY KEY (profile_id),
  CONSTRAINT ck_profiles_profile_id CHECK (profile_id REGEXP '^[0-9a-f]{32}$'),
  CONSTRAINT ck_profiles_own CHECK (profile_id <> user_id OR age_limit IS NULL),
  CONSTRAINT ck_profiles_pin_hash CHECK (pin_hash = '' OR pin_hash LIKE '$argon2id$%'),
  INDEX ix_profiles_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

DELIMITER //

-- Returns the stored profiles of an account, its own first, then by age.
CREATE PROCEDURE list_profiles(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT profile_id, user_id, name, colour, age_limit, pin_hash, created_at
    FROM profiles WHERE user_id = p_user_id
   ORDER BY profile_id <> user_id, created_at, profile_id;
END //

-- Stores a profile; idempotent by its id. The account's row is locked, so that concurrent calls cannot exceed p_most,
-- the number of profiles besides the account's own. Returns whether the profile is stored: not for a deleted account.
CREATE PROCEDURE add_profile(
  p_profile_id CHAR(32), p_user_id CHAR(32), p_name VARCHAR(40), p_colour VARCHAR(10), p_age_limit TINYINT UNSIGNED,
  p_pin_hash VARCHAR(255), p_created_at DATETIME(6), p_most INT
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
  SELECT user_id INTO v_owner FROM profiles WHERE profile_id = p_profile_id FOR UPDATE;
  IF v_owner IS NOT NULL AND v_owner <> p_user_id THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30006, MESSAGE_TEXT = 'The profile belongs to another account.';
  END IF;
  IF v_login IS NOT NULL AND v_owner IS NULL THEN
    IF (SELECT COUNT(*) FROM profiles WHERE user_id = p_user_id AND profile_id <> user_id) >= p_most THEN
      SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30005, MESSAGE_TEXT = 'The account has as many profiles as allowed.';
    END IF;
    INSERT INTO profiles (profile_id, user_id, name, colour, age_limit, pin_hash, created_at)
    VALUES (p_profile_id, p_user_id, p_name, p_colour, p_age_limit, p_pin_hash, p_created_at);
  END IF;
  SELECT v_login IS NOT NULL AS stored;
  COMMIT;
END //

-- Changes a profile; the account's own is stored if it has no row yet. Returns whether the profile exists.
CREATE PROCEDURE change_profile(
  p_profile_id CHAR(32), p_user_id CHAR(32), p_name VARCHAR(40), p_colour VARCHAR(10), p_age_limit TINYINT UNSIGNED,
  p_pin_hash VARCHAR(255), p_created_at DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_login CHAR(32);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  SELECT user_id INTO v_login FROM logins WHERE user_id = p_user_id FOR UPDATE;
  IF v_login IS NOT NULL AND p_profile_id = p_user_id
     AND NOT EXISTS (SELECT 1 FROM profiles WHERE profile_id = p_profile_id) THEN
    INSERT INTO profiles (profile_id, user_id, name, colour, age_limit, pin_hash, created_at)
    VALUES (p_profile_id, p_user_id, p_name, p_colour, p_age_limit, p_pin_hash, p_created_at);
  END IF;
  UPDATE profiles SET name = p_name, colour = p_colour, age_limit = p_age_limit, pin_hash = p_pin_hash
   WHERE profile_id = p_profile_id AND user_id = v_login;
  SELECT EXISTS (SELECT 1 FROM profiles WHERE profile_id = p_profile_id AND user_id = v_login) AS changed;
  COMMIT;
END //

-- Deletes a profile of an account; idempotent.
CREATE PROCEDURE delete_profile(p_profile_id CHAR(32), p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM profiles WHERE profile_id = p_profile_id AND user_id = p_user_id;
END //

-- Returns whether a profile exists and its account does, too.
CREATE PROCEDURE find_profile_in_use(p_profile_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT EXISTS (
    SELECT 1 FROM profiles AS p JOIN logins AS l ON l.user_id = p.user_id WHERE p.profile_id = p_profile_id
  ) AS in_use;
END //

-- Deletes the profiles of a deleted account; does nothing while the account exists.
CREATE PROCEDURE forget_profiles(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM profiles
   WHERE user_id = p_user_id AND NOT EXISTS (SELECT 1 FROM logins AS l WHERE l.user_id = p_user_id);
END //

DELIMITER ;
