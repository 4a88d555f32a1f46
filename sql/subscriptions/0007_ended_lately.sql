-- PayPal is asked about an ended subscription for a while after its stored state last changed, too. A long-running
-- subscription that PayPal did not know for a day has ended here, but keeps the time at which PayPal last changed its
-- state, which is that of its activation. The procedure list_unsure in 0002 is kept until no running version calls it.

DELIMITER //

-- Subscriptions to query PayPal about without an event: unapproved ones last checked before p_waiting_before, running
-- ones last checked before p_running_before or whose charge has become due since, and ones that ended, or whose stored
-- state last changed, after p_ended_since and were last checked before p_ended_before (a payment may be refunded late).
CREATE PROCEDURE list_stale(
  p_waiting_before DATETIME(6), p_running_before DATETIME(6), p_ended_before DATETIME(6), p_ended_since DATETIME(6),
  p_now DATETIME(6), p_limit INT
)
SQL SECURITY DEFINER
BEGIN
  SELECT subscription_id FROM subscriptions
   WHERE (state IN ('APPROVAL_PENDING', 'APPROVED') AND COALESCE(asked_at, created_at) <= p_waiting_before)
      OR (state IN ('ACTIVE', 'SUSPENDED')
          AND (COALESCE(asked_at, created_at) <= p_running_before
               OR (next_charge_at <= p_now AND asked_at <= next_charge_at)))
      OR (state IN ('CANCELLED', 'EXPIRED') AND asked_at <= p_ended_before
          AND (state_since >= p_ended_since
               OR EXISTS (SELECT 1 FROM subscription_changes
                           WHERE subscription_changes.subscription_id = subscriptions.subscription_id
                             AND subscription_changes.at >= p_ended_since)))
   ORDER BY asked_at LIMIT p_limit;
END //

DELIMITER ;
