-- All access to the tables. Refusals are errors with numbers of our own:
-- 30001: the account is deleted; 30002: there is a subscription that has not ended.
-- Transactions use READ COMMITTED: with MariaDB's snapshots, a row that another transaction has changed is an error.

DELIMITER //

CREATE PROCEDURE keep_plan(
  p_plan_id VARCHAR(64), p_product_id VARCHAR(64), p_name VARCHAR(127), p_description VARCHAR(127),
  p_price_minor BIGINT, p_currency CHAR(3), p_interval_unit VARCHAR(5), p_interval_count SMALLINT,
  p_created_at DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO plans (plan_id, product_id, name, description, price_minor, currency, interval_unit, interval_count,
                     created_at)
  VALUES (p_plan_id, p_product_id, p_name, p_description, p_price_minor, p_currency, p_interval_unit,
          p_interval_count, p_created_at)
  ON DUPLICATE KEY UPDATE plan_id = plan_id;
END //

CREATE PROCEDURE retire_plan(p_plan_id VARCHAR(64), p_at DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  UPDATE plans SET retired_at = p_at WHERE plan_id = p_plan_id AND retired_at IS NULL;
END //

-- All plans, including retired ones, cheapest first.
CREATE PROCEDURE list_plans()
SQL SECURITY DEFINER
BEGIN
  SELECT plan_id, product_id, name, description, price_minor, currency, interval_unit, interval_count, created_at,
         retired_at
    FROM plans ORDER BY price_minor, plan_id;
END //

CREATE PROCEDURE find_plan(p_plan_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT plan_id, product_id, name, description, price_minor, currency, interval_unit, interval_count, created_at,
         retired_at
    FROM plans WHERE plan_id = p_plan_id;
END //

-- Start a checkout: return the id of the request to PayPal, and the address of the approval page if PayPal has already
-- answered the request. While a request is fresh and unapproved, the same viewer and plan get the same request.
CREATE PROCEDURE begin_subscription(
  p_user_id CHAR(32), p_plan_id VARCHAR(64), p_request_id CHAR(32), p_now DATETIME(6), p_fresh_since DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_plan_id VARCHAR(64);
  DECLARE v_request_id CHAR(32);
  DECLARE v_begun_at DATETIME(6);
  DECLARE v_forgotten_at DATETIME(6);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO subscribers (user_id) VALUES (p_user_id) ON DUPLICATE KEY UPDATE user_id = user_id;
  SELECT plan_id, request_id, begun_at, forgotten_at INTO v_plan_id, v_request_id, v_begun_at, v_forgotten_at
    FROM subscribers WHERE user_id = p_user_id FOR UPDATE;
  IF v_forgotten_at IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'the account is deleted';
  END IF;
  IF EXISTS (SELECT 1 FROM subscriptions
              WHERE user_id = p_user_id AND state IN ('APPROVED', 'ACTIVE', 'SUSPENDED')) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30002, MESSAGE_TEXT = 'there is a subscription that is not over';
  END IF;
  IF v_request_id IS NULL OR v_plan_id <> p_plan_id OR v_begun_at < p_fresh_since
     OR EXISTS (SELECT 1 FROM subscriptions WHERE request_id = v_request_id AND state <> 'APPROVAL_PENDING') THEN
    SET v_request_id = p_request_id;
    UPDATE subscribers SET plan_id = p_plan_id, request_id = p_request_id, begun_at = p_now WHERE user_id = p_user_id;
  END IF;
  COMMIT;
  SELECT v_request_id AS request_id, MAX(subscription_id) AS subscription_id, MAX(approve_url) AS approve_url
    FROM subscriptions WHERE request_id = v_request_id;
END //

-- Store PayPal's answer to a checkout; the first event of the subscription may have arrived earlier. Replaced by
-- store_checkout in 0004.
CREATE PROCEDURE keep_subscription(
  p_subscription_id VARCHAR(64), p_request_id CHAR(32), p_user_id CHAR(32), p_plan_id VARCHAR(64), p_state VARCHAR(16),
  p_state_since DATETIME(6), p_approve_url VARCHAR(500), p_created_at DATETIME(6), p_now DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_settlements INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO subscriptions (subscription_id, user_id, plan_id, request_id, state, state_since, approve_url, created_at,
                             settlements)
  VALUES (p_subscription_id, p_user_id, p_plan_id, p_request_id, p_state, p_state_since, p_approve_url, p_created_at, 1)
  ON DUPLICATE KEY UPDATE request_id = p_request_id, approve_url = p_approve_url, settlements = settlements + 1;
  SELECT settlements INTO v_settlements FROM subscriptions WHERE subscription_id = p_subscription_id;
  IF v_settlements = 1 THEN
    INSERT INTO subscription_changes (subscription_id, at, cause, state, state_since)
    VALUES (p_subscription_id, p_now, 'viewer', p_state, p_state_since);
  END IF;
  COMMIT;
END //

-- Set the pending flag of a subject; return whether a message must be sent, because the flag was not set, or was set so
-- long ago that its message may be lost. (Assignments are evaluated from left to right.)
CREATE PROCEDURE mark(p_subject VARCHAR(80), p_token CHAR(32), p_now DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO marks (subject, token, times, since) VALUES (p_subject, p_token, 1, p_now)
  ON DUPLICATE KEY UPDATE token = p_token, times = IF(since <= p_now - INTERVAL 1 MINUTE, 1, times + 1),
                          since = IF(times = 1, p_now, since);
  SELECT times = 1 AS is_new FROM marks WHERE subject = p_subject;
  COMMIT;
END //

-- Store an event and set the pending flag of its subject, in one transaction. A repeated event changes nothing, unless
-- its body differs; PayPal is then queried again.
CREATE PROCEDURE store_event(
  p_event_id VARCHAR(64), p_kind VARCHAR(64), p_subject VARCHAR(80), p_sent_at DATETIME(6), p_now DATETIME(6),
  p_body_hash CHAR(64), p_body LONGTEXT, p_token CHAR(32)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_deliveries INT;
  DECLARE v_body_hash CHAR(64);
  DECLARE v_is_new INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO events (event_id, kind, subject, sent_at, received_at, deliveries, body_hash, body)
  VALUES (p_event_id, p_kind, p_subject, p_sent_at, p_now, 1, p_body_hash, p_body)
  ON DUPLICATE KEY UPDATE deliveries = deliveries + 1;
  SELECT deliveries, body_hash INTO v_deliveries, v_body_hash FROM events WHERE event_id = p_event_id;
  IF v_deliveries = 1 AND EXISTS (SELECT 1 FROM subscriptions
                                   WHERE subscription_id = p_subject AND user_id IS NULL) THEN
    UPDATE events SET body = '{}' WHERE event_id = p_event_id;
  END IF;
  IF p_subject IS NOT NULL AND (v_deliveries = 1 OR v_body_hash <> p_body_hash) THEN
    INSERT INTO marks (subject, token, times, since) VALUES (p_subject, p_token, 1, p_now)
    ON DUPLICATE KEY UPDATE token = p_token, times = IF(since <= p_now - INTERVAL 1 MINUTE, 1, times + 1),
                            since = IF(times = 1, p_now, since);
    SELECT times = 1 INTO v_is_new FROM marks WHERE subject = p_subject;
  END IF;
  COMMIT;
  SELECT v_deliveries AS deliveries, v_is_new AS is_new;
END //

CREATE PROCEDURE list_marked(p_before DATETIME(6), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT subject FROM marks WHERE since <= p_before ORDER BY since LIMIT p_limit;
END //

-- The stored subscription, and the token of its pending flag; either may be missing. Replaced by
-- find_pending in 0004.
CREATE PROCEDURE find_subscription(p_subscription_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT wanted.subscription_id, marks.token, subscriptions.user_id, subscriptions.plan_id, subscriptions.state,
         subscriptions.state_since, subscriptions.next_charge_at, subscriptions.paid_through,
         subscriptions.approve_url, subscriptions.created_at, subscriptions.asked_at
    FROM (SELECT p_subscription_id AS subscription_id) AS wanted
    LEFT JOIN marks ON marks.subject = wanted.subscription_id
    LEFT JOIN subscriptions ON subscriptions.subscription_id = wanted.subscription_id;
END //

-- Store PayPal's answer unless a newer one is stored, and clear the pending flag with the token. Returns the subscriber
-- and whether anything changed and, if the subscription is ACTIVE, one row for every other ACTIVE subscription of the
-- subscriber, with whether it became active earlier. is_marked: an event arrived in the meantime.
CREATE PROCEDURE settle_subscription(
  p_subscription_id VARCHAR(64), p_token CHAR(32), p_user_id CHAR(32), p_plan_id VARCHAR(64), p_state VARCHAR(16),
  p_state_since DATETIME(6), p_next_charge_at DATETIME(6), p_paid_through DATETIME(6), p_created_at DATETIME(6),
  p_asked_at DATETIME(6), p_now DATETIME(6), p_cause VARCHAR(20)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_settlements INT;
  DECLARE v_user_id CHAR(32);
  DECLARE v_state VARCHAR(16);
  DECLARE v_state_since DATETIME(6);
  DECLARE v_next_charge_at DATETIME(6);
  DECLARE v_paid_through DATETIME(6);
  DECLARE v_asked_at DATETIME(6);
  DECLARE v_changed INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  IF EXISTS (SELECT 1 FROM subscribers WHERE user_id = p_user_id AND forgotten_at IS NOT NULL) THEN
    SET p_user_id = NULL;
  END IF;
  INSERT INTO subscriptions (subscription_id, user_id, plan_id, state, state_since, next_charge_at, paid_through,
                             approve_url, created_at, asked_at, settlements)
  VALUES (p_subscription_id, p_user_id, p_plan_id, p_state, p_state_since, p_next_charge_at, p_paid_through,
          '', p_created_at, p_asked_at, 1)
  ON DUPLICATE KEY UPDATE settlements = settlements + 1;
  SELECT settlements, user_id, state, state_since, next_charge_at, paid_through, asked_at
    INTO v_settlements, v_user_id, v_state, v_state_since, v_next_charge_at, v_paid_through, v_asked_at
    FROM subscriptions WHERE subscription_id = p_subscription_id;
  IF v_settlements = 1 THEN
    SET v_changed = 1;
    INSERT INTO subscription_changes (subscription_id, at, cause, state, state_since, next_charge_at, paid_through)
    VALUES (p_subscription_id, p_now, p_cause, p_state, p_state_since, p_next_charge_at, p_paid_through);
  ELSEIF p_state_since > v_state_since
         OR (p_state_since = v_state_since AND p_asked_at >= COALESCE(v_asked_at, p_asked_at)) THEN
    SET v_changed = NOT (v_state <=> p_state AND v_next_charge_at <=> p_next_charge_at
                         AND v_paid_through <=> p_paid_through);
    UPDATE subscriptions
       SET plan_id = p_plan_id, state = p_state, state_since = p_state_since, next_charge_at = p_next_charge_at,
           paid_through = p_paid_through, asked_at = p_asked_at
     WHERE subscription_id = p_subscription_id;
    IF v_changed THEN
      INSERT INTO subscription_changes (subscription_id, at, cause, state_before, state, state_since, next_charge_at,
                                        paid_through)
      VALUES (p_subscription_id, p_now, p_cause, v_state, p_state, p_state_since, p_next_charge_at, p_paid_through);
    END IF;
  END IF;
  DELETE FROM marks WHERE subject = p_subscription_id AND token = p_token;
  COMMIT;
  SELECT v_user_id AS user_id, v_changed AS changed, rivals.subscription_id AS rival, rivals.is_earlier,
         EXISTS (SELECT 1 FROM marks WHERE subject = p_subscription_id) AS is_marked
    FROM (SELECT 1 AS one) AS always
    LEFT JOIN (
      SELECT subscription_id,
             state_since < p_state_since
             OR (state_since = p_state_since AND subscription_id < p_subscription_id) AS is_earlier
        FROM subscriptions
       WHERE user_id = v_user_id AND state = 'ACTIVE' AND subscription_id <> p_subscription_id AND p_state = 'ACTIVE'
    ) AS rivals ON TRUE;
END //

-- Clear the pending flag with the token. Returns whether an event arrived in the meantime.
CREATE PROCEDURE unmark(p_subject VARCHAR(80), p_token CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM marks WHERE subject = p_subject AND token = p_token;
  SELECT EXISTS (SELECT 1 FROM marks WHERE subject = p_subject) AS is_marked;
END //

-- The subscriptions that may entitle a viewer, and the end of the longest grant. Replaced by coverage_of in 0004.
CREATE PROCEDURE access_of(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT state, paid_through AS until_at FROM subscriptions
   WHERE user_id = p_user_id AND paid_through IS NOT NULL
  UNION ALL
  SELECT 'GRANT', MAX(ends_at) FROM grants WHERE user_id = p_user_id HAVING MAX(ends_at) IS NOT NULL;
END //

CREATE PROCEDURE subscriptions_of(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT subscription_id, user_id, plan_id, state, state_since, next_charge_at, paid_through, approve_url, created_at,
         asked_at
    FROM subscriptions WHERE user_id = p_user_id ORDER BY created_at DESC;
END //

CREATE PROCEDURE list_subscriptions(p_before DATETIME(6), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT subscription_id, user_id, plan_id, state, state_since, next_charge_at, paid_through, approve_url, created_at,
         asked_at
    FROM subscriptions WHERE created_at < p_before ORDER BY created_at DESC LIMIT p_limit;
END //

CREATE PROCEDURE changes_of(p_subscription_id VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
  SELECT at, cause, state_before, state, state_since, next_charge_at, paid_through
    FROM subscription_changes WHERE subscription_id = p_subscription_id ORDER BY change_id;
END //

-- Subscriptions to query PayPal about without an event:
-- - unapproved ones that were last checked before p_waiting_before;
-- - running ones that were last checked before p_running_before, or before a charge that has become due;
-- - ones that ended after p_ended_since and were last checked before p_ended_before (a payment may be refunded late).
CREATE PROCEDURE list_unsure(
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
      OR (state IN ('CANCELLED', 'EXPIRED') AND asked_at <= p_ended_before AND state_since >= p_ended_since)
   ORDER BY asked_at LIMIT p_limit;
END //

CREATE PROCEDURE grant_access(
  p_grant_id CHAR(32), p_user_id CHAR(32), p_ends_at DATETIME(6), p_granted_at DATETIME(6), p_granted_by VARCHAR(64)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO grants (grant_id, user_id, ends_at, granted_at, granted_by)
  VALUES (p_grant_id, p_user_id, p_ends_at, p_granted_at, p_granted_by)
  ON DUPLICATE KEY UPDATE grant_id = grant_id;
END //

CREATE PROCEDURE list_grants(p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT grant_id, user_id, ends_at, granted_at, granted_by FROM grants ORDER BY granted_at DESC LIMIT p_limit;
END //

CREATE PROCEDURE list_events(p_before DATETIME(6), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT event_id, kind, subject, received_at, deliveries,
         NOT EXISTS (SELECT 1 FROM marks WHERE marks.subject = events.subject) AS is_settled
    FROM events WHERE received_at < p_before ORDER BY received_at DESC LIMIT p_limit;
END //

-- Clear the bodies of old events, which contain names and addresses that are no longer needed.
CREATE PROCEDURE empty_old_events(p_before DATETIME(6), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  UPDATE events SET body = '{}' WHERE received_at < p_before AND body <> '{}' LIMIT p_limit;
END //

-- Anonymise a subscriber: the rows are kept, user_id is cleared.
CREATE PROCEDURE forget_subscriber(p_user_id CHAR(32), p_now DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  INSERT INTO subscribers (user_id, forgotten_at) VALUES (p_user_id, p_now)
  ON DUPLICATE KEY UPDATE plan_id = NULL, request_id = NULL, begun_at = NULL,
                          forgotten_at = COALESCE(forgotten_at, p_now);
  UPDATE events SET body = '{}'
   WHERE subject IN (SELECT subscription_id FROM subscriptions WHERE user_id = p_user_id);
  UPDATE subscriptions SET user_id = NULL, approve_url = '' WHERE user_id = p_user_id;
  DELETE FROM grants WHERE user_id = p_user_id;
  COMMIT;
END //

DELIMITER ;
