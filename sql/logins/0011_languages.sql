-- The language in which an account receives emails: an ISO 639-1 code, or empty if none was chosen.

ALTER TABLE logins ADD COLUMN language CHAR(2) NOT NULL DEFAULT '';

DELIMITER //

-- Returns the language of an account; no row for an unknown one.
CREATE PROCEDURE get_language(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT language FROM logins WHERE user_id = p_user_id;
END //

-- Stores the language of an account; does nothing for an unknown one.
CREATE PROCEDURE set_language(p_user_id CHAR(32), p_language CHAR(2))
SQL SECURITY DEFINER
BEGIN
  UPDATE logins SET language = p_language WHERE user_id = p_user_id;
END //

DELIMITER ;
