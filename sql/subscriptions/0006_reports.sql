-- What the owner's overview shows: subscribers and webhooks by day. Days are those of UTC. The index is for changes
-- since a time.

CREATE INDEX ix_subscription_changes_at ON subscription_changes (at);

DELIMITER //

-- One row without a day: how many subscriptions are active now. For each day since p_since with any change: how many
-- became active, and how many were active and are no longer. Only subscriptions that were begun here count.
CREATE PROCEDURE count_subscribers(p_since DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  SELECT NULL AS on_day, COUNT(*) AS gained, 0 AS lost
    FROM subscriptions WHERE state = 'ACTIVE' AND request_id IS NOT NULL
  UNION ALL
  SELECT DATE(subscription_changes.at), SUM(subscription_changes.state = 'ACTIVE'),
         SUM(subscription_changes.state <> 'ACTIVE')
    FROM subscription_changes
    JOIN subscriptions ON subscriptions.subscription_id = subscription_changes.subscription_id
   WHERE subscription_changes.at >= p_since AND subscriptions.request_id IS NOT NULL
     AND (subscription_changes.state = 'ACTIVE') <> (COALESCE(subscription_changes.state_before, '') = 'ACTIVE')
   GROUP BY DATE(subscription_changes.at);
END //

-- One row without a day: how many subjects PayPal has not been asked about yet, and since when. For each day since
-- p_since with any event: how many were received.
CREATE PROCEDURE count_events(p_since DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  SELECT NULL AS on_day, COUNT(*) AS events, MIN(since) AS since FROM marks
  UNION ALL
  SELECT DATE(received_at), COUNT(*), NULL FROM events WHERE received_at >= p_since GROUP BY DATE(received_at);
END //

DELIMITER ;
