-- All operations on the tables. Error numbers: 30001, the address already has an account.
-- String comparison ignores trailing spaces, so lengths are also compared where that matters.

DELIMITER //

-- Idempotent by the id of the account.
CREATE PROCEDURE register_login(
  p_user_id CHAR(32), p_address VARCHAR(320), p_email VARCHAR(320), p_password_hash VARCHAR(255), p_admin BOOLEAN,
  p_confirmed_at DATETIME(6), p_created_at DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_user_id CHAR(32);

  INSERT INTO logins (user_id, address, email, password_hash, admin, confirmed_at, created_at)
  VALUES (p_user_id, p_address, p_email, p_password_hash, p_admin, p_confirmed_at, p_created_at)
  ON DUPLICATE KEY UPDATE user_id = user_id;
  SELECT user_id INTO v_user_id FROM logins WHERE address = p_address;
  IF v_user_id IS NULL OR v_user_id <> p_user_id THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'There is an account of that address already.';
  END IF;
END //

-- Always returns one row; for an unknown address, the row has no id and contains the given hash.
CREATE PROCEDURE find_login(p_address VARCHAR(320), p_dummy_hash VARCHAR(255))
SQL SECURITY DEFINER
BEGIN
  SELECT COALESCE(l.user_id, '') AS user_id, p_address AS address, COALESCE(l.email, '') AS email,
         COALESCE(l.password_hash, p_dummy_hash) AS password_hash, COALESCE(l.admin, FALSE) AS admin,
         l.confirmed_at AS confirmed_at, COALESCE(l.created_at, UTC_TIMESTAMP(6)) AS created_at
    FROM (SELECT 1 AS one) AS always
    LEFT JOIN logins AS l ON l.address = p_address AND CHAR_LENGTH(l.address) = CHAR_LENGTH(p_address);
END //

CREATE PROCEDURE get_login(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT user_id, address, email, password_hash, admin, confirmed_at, created_at
    FROM logins WHERE user_id = p_user_id;
END //

-- Sets the hash if it is still p_over, and deletes any reset link. Returns whether the hash is now p_new.
CREATE PROCEDURE replace_password_hash(p_user_id CHAR(32), p_over VARCHAR(255), p_new VARCHAR(255))
SQL SECURITY DEFINER
BEGIN
  DECLARE v_changed INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  START TRANSACTION;
  UPDATE logins SET password_hash = p_new WHERE user_id = p_user_id AND password_hash = p_over;
  SET v_changed = ROW_COUNT();
  IF v_changed > 0 THEN
    DELETE FROM links WHERE user_id = p_user_id AND purpose = 'reset';
  END IF;
  SELECT v_changed > 0
      OR EXISTS (SELECT 1 FROM logins WHERE user_id = p_user_id AND password_hash = p_new) AS replaced;
  COMMIT;
END //

CREATE PROCEDURE make_administrator(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  UPDATE logins SET admin = TRUE WHERE user_id = p_user_id;
END //

-- Stores a link, replacing an earlier one; does nothing for a deleted account.
CREATE PROCEDURE keep_link(
  p_link_hash CHAR(64), p_user_id CHAR(32), p_purpose VARCHAR(10), p_expires_at DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO links (user_id, purpose, link_hash, expires_at)
  SELECT user_id, p_purpose, p_link_hash, p_expires_at FROM logins WHERE logins.user_id = p_user_id
  ON DUPLICATE KEY UPDATE link_hash = p_link_hash, expires_at = p_expires_at;
END //

-- Returns the user id of a link and deletes the link; NULL if there is none. Only one of two concurrent calls finds it.
CREATE PROCEDURE use_link(p_link_hash CHAR(64), p_purpose VARCHAR(10), p_now DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  DECLARE v_user_id CHAR(32);

  SELECT user_id INTO v_user_id FROM links
   WHERE link_hash = p_link_hash AND purpose = p_purpose AND expires_at > p_now;
  DELETE FROM links
   WHERE user_id = v_user_id AND link_hash = p_link_hash AND purpose = p_purpose AND expires_at > p_now;
  SELECT CASE WHEN ROW_COUNT() = 1 THEN v_user_id END AS user_id;
END //

-- Records a confirmation; the time of the first one is kept.
CREATE PROCEDURE confirm_address(p_user_id CHAR(32), p_at DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  UPDATE logins SET confirmed_at = p_at WHERE user_id = p_user_id AND confirmed_at IS NULL;
END //

CREATE PROCEDURE delete_login(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM logins WHERE user_id = p_user_id;
END //

-- Deletes at most p_most expired links; returns their number.
CREATE PROCEDURE expire_links(p_now DATETIME(6), p_most INT)
SQL SECURITY DEFINER
BEGIN
  DELETE FROM links WHERE expires_at <= p_now ORDER BY expires_at LIMIT p_most;
  SELECT ROW_COUNT() AS expired;
END //

DELIMITER ;
