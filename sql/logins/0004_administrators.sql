-- The owner can list administrators and take their rights away.

DELIMITER //

CREATE PROCEDURE list_administrators()
SQL SECURITY DEFINER
BEGIN
  SELECT user_id, email, confirmed_at IS NOT NULL AS confirmed FROM logins WHERE admin ORDER BY email;
END //

-- Returns whether the account was an administrator.
CREATE PROCEDURE revoke_administrator(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  UPDATE logins SET admin = FALSE WHERE user_id = p_user_id AND admin;
  SELECT ROW_COUNT() AS revoked;
END //

DELIMITER ;
