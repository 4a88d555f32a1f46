-- Which of the emails that are not required an account receives.

ALTER TABLE logins ADD COLUMN payment_emails BOOLEAN NOT NULL DEFAULT TRUE;

DELIMITER //

-- Returns the choices of an account; no row for an unknown one.
CREATE PROCEDURE get_email_choices(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT payment_emails FROM logins WHERE user_id = p_user_id;
END //

-- Stores the choices of an account; does nothing for an unknown one.
CREATE PROCEDURE set_email_choices(p_user_id CHAR(32), p_payment_emails BOOLEAN)
SQL SECURITY DEFINER
BEGIN
  UPDATE logins SET payment_emails = p_payment_emails WHERE user_id = p_user_id;
END //

DELIMITER ;
