-- The emails about payments that were sent: a key names the kind of email and the payment or failure, but no person.

CREATE TABLE payment_notices (
  notice_key VARCHAR(190) NOT NULL,
  told_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_payment_notices PRIMARY KEY (notice_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

DELIMITER //

CREATE PROCEDURE find_notice(p_notice_key VARCHAR(190))
SQL SECURITY DEFINER
BEGIN
  SELECT told_at FROM payment_notices WHERE notice_key = p_notice_key;
END //

CREATE PROCEDURE record_notice(p_notice_key VARCHAR(190), p_told_at DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  INSERT INTO payment_notices (notice_key, told_at) VALUES (p_notice_key, p_told_at)
  ON DUPLICATE KEY UPDATE notice_key = notice_key;
END //

DELIMITER ;
