-- A subscription entitles only if it was begun here, that is, by a checkout of ours, whose id is in request_id.
-- Otherwise anyone who knows the ids of a plan and an account could create a subscription at PayPal that refers to
-- both. The procedures find_subscription, keep_subscription and access_of in 0002 are kept until no running version
-- calls them.

DELIMITER //

-- Store PayPal's answer to a checkout; an event of the subscription may have arrived earlier. If the account was
-- deleted in the meantime, the subscription is stored without a user id, and cancelled once it is approved.
CREATE PROCEDURE store_checkout(
  p_subscription_id VARCHAR(64), p_request_id CHAR(32), p_user_id CHAR(32), p_plan_id VARCHAR(64), p_state VARCHAR(16),
  p_state_since DATETIME(6), p_approve_url VARCHAR(500), p_created_at DATETIME(6), p_now DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_settlements INT;
  DECLARE v_forgotten_at DATETIME(6);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT MAX(forgotten_at) INTO v_forgotten_at FROM subscribers WHERE user_id = p_user_id FOR UPDATE;
  IF v_forgotten_at IS NOT NULL THEN
    SET p_user_id = NULL;
  END IF;
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

-- The stored subscription of a subject, and the token of its pending flag; either may be missing.
CREATE PROCEDURE find_pending(p_subject VARCHAR(80))
SQL SECURITY DEFINER
BEGIN
  SELECT wanted.subject AS subscription_id, marks.token, subscriptions.user_id, subscriptions.plan_id,
         subscriptions.state, subscriptions.state_since, subscriptions.next_charge_at, subscriptions.paid_through,
         subscriptions.approve_url, subscriptions.created_at, subscriptions.asked_at,
         subscriptions.request_id IS NOT NULL AS is_begun_here
    FROM (SELECT p_subject AS subject) AS wanted
    LEFT JOIN marks ON marks.subject = wanted.subject
    LEFT JOIN subscriptions ON subscriptions.subscription_id = wanted.subject;
END //

-- The subscriptions that may entitle a viewer (begun here, and paid or active), and the end of the longest grant.
CREATE PROCEDURE coverage_of(p_user_id CHAR(32))
SQL SECURITY DEFINER
BEGIN
  SELECT state, paid_through AS until_at FROM subscriptions
   WHERE user_id = p_user_id AND request_id IS NOT NULL AND (paid_through IS NOT NULL OR state = 'ACTIVE')
  UNION ALL
  SELECT 'GRANT', MAX(ends_at) FROM grants WHERE user_id = p_user_id HAVING MAX(ends_at) IS NOT NULL;
END //

DELIMITER ;

-- Subscriptions that were stored before this rule and were not begun by a checkout of ours no longer count as paid.
UPDATE subscriptions SET paid_through = NULL WHERE request_id IS NULL;
