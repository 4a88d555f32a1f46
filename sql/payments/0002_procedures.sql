-- All access to the tables.

DELIMITER //

-- Store a payment, or update it from PayPal's answer at p_asked_at; an older answer changes nothing, and the refunded
-- amount never decreases.
CREATE PROCEDURE record_payment(
  p_payment_id VARCHAR(64), p_subscription_id VARCHAR(64), p_user_id CHAR(32), p_state VARCHAR(20),
  p_amount_minor BIGINT, p_refunded_minor BIGINT, p_currency CHAR(3), p_paid_at DATETIME(6), p_asked_at DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_state VARCHAR(20);
  DECLARE v_refunded_minor BIGINT;
  DECLARE v_asked_at DATETIME(6);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO payments (payment_id, subscription_id, user_id, state, amount_minor, refunded_minor, currency, paid_at,
                        asked_at)
  VALUES (p_payment_id, p_subscription_id, p_user_id, p_state, p_amount_minor, p_refunded_minor, p_currency, p_paid_at,
          p_asked_at)
  ON DUPLICATE KEY UPDATE payment_id = payment_id;
  SELECT state, refunded_minor, asked_at INTO v_state, v_refunded_minor, v_asked_at
    FROM payments WHERE payment_id = p_payment_id FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM payment_changes WHERE payment_id = p_payment_id) THEN
    INSERT INTO payment_changes (payment_id, at, state, refunded_minor)
    VALUES (p_payment_id, p_asked_at, v_state, v_refunded_minor);
  END IF;
  SET p_refunded_minor = GREATEST(p_refunded_minor, v_refunded_minor);
  IF p_asked_at >= v_asked_at THEN
    UPDATE payments
       SET state = p_state, refunded_minor = p_refunded_minor, asked_at = p_asked_at
     WHERE payment_id = p_payment_id;
    IF v_state <> p_state OR v_refunded_minor <> p_refunded_minor THEN
      INSERT INTO payment_changes (payment_id, at, state, refunded_minor)
      VALUES (p_payment_id, p_asked_at, p_state, p_refunded_minor);
    END IF;
  END IF;
  COMMIT;
END //

CREATE PROCEDURE payments_of(p_user_id CHAR(32), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT payment_id, subscription_id, user_id, state, amount_minor, refunded_minor, currency, paid_at
    FROM payments WHERE user_id = p_user_id ORDER BY paid_at DESC LIMIT p_limit;
END //

CREATE PROCEDURE payments_for(p_subscription_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT payment_id, subscription_id, user_id, state, amount_minor, refunded_minor, currency, paid_at
    FROM payments WHERE subscription_id = p_subscription_id ORDER BY paid_at, payment_id;
END //

CREATE PROCEDURE payment_changes_of(p_payment_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT at, state, refunded_minor FROM payment_changes WHERE payment_id = p_payment_id ORDER BY change_id;
END //

-- Anonymise a payer: the payments are kept, user_id is cleared.
CREATE PROCEDURE forget_payer(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  UPDATE payments SET user_id = NULL WHERE user_id = p_user_id;
END //

DELIMITER ;
