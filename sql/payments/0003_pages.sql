-- Pagination of payments by time and id: p_at and p_id are those of the last payment shown; p_at is NULL on the first
-- page.

DELIMITER //

CREATE PROCEDURE page_payments(p_user_id CHAR(32), p_at DATETIME(6), p_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT payment_id, subscription_id, user_id, state, amount_minor, refunded_minor, currency, paid_at
    FROM payments
   WHERE user_id = p_user_id AND (p_at IS NULL OR paid_at < p_at OR (paid_at = p_at AND payment_id < p_id))
   ORDER BY paid_at DESC, payment_id DESC LIMIT p_limit;
END //

DELIMITER ;
