-- One payment of a payer, for its receipt.

DELIMITER //

CREATE PROCEDURE find_payment(p_user_id CHAR(32), p_payment_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT payment_id, subscription_id, user_id, state, amount_minor, refunded_minor, currency, paid_at
    FROM payments WHERE payment_id = p_payment_id AND user_id = p_user_id;
END //

DELIMITER ;
