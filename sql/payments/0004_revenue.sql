-- What the owner's overview shows: revenue by day (UTC) and currency. A refund reduces the day of its payment.

CREATE INDEX ix_payments_paid ON payments (paid_at);

DELIMITER //

-- For each day since p_since and each currency: what was paid, and how much of it was refunded.
CREATE PROCEDURE count_revenue(p_since DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  SELECT DATE(paid_at) AS on_day, currency, SUM(amount_minor) AS amount_minor, SUM(refunded_minor) AS refunded_minor
    FROM payments
   WHERE paid_at >= p_since AND state IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED')
   GROUP BY DATE(paid_at), currency
   ORDER BY on_day, currency;
END //

DELIMITER ;
