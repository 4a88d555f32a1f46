-- Pagination by time and id, so that entries with equal times are neither skipped nor repeated. p_at and p_id are
-- those of the last entry shown; p_at is NULL for the first page. The lists in 0002 are kept until no running version
-- calls them.

DELIMITER //

CREATE PROCEDURE page_subscriptions(p_at DATETIME(6), p_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT subscription_id, user_id, plan_id, state, state_since, next_charge_at, paid_through, approve_url, created_at,
         asked_at
    FROM subscriptions
   WHERE p_at IS NULL OR created_at < p_at OR (created_at = p_at AND subscription_id < p_id)
   ORDER BY created_at DESC, subscription_id DESC LIMIT p_limit;
END //

CREATE PROCEDURE page_grants(p_at DATETIME(6), p_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT grant_id, user_id, ends_at, granted_at, granted_by FROM grants
   WHERE p_at IS NULL OR granted_at < p_at OR (granted_at = p_at AND grant_id < p_id)
   ORDER BY granted_at DESC, grant_id DESC LIMIT p_limit;
END //

CREATE PROCEDURE page_events(p_at DATETIME(6), p_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT event_id, kind, subject, received_at, deliveries,
         NOT EXISTS (SELECT 1 FROM marks WHERE marks.subject = events.subject) AS is_settled
    FROM events
   WHERE p_at IS NULL OR received_at < p_at OR (received_at = p_at AND event_id < p_id)
   ORDER BY received_at DESC, event_id DESC LIMIT p_limit;
END //

DELIMITER ;
