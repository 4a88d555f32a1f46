-- A call whose answer was lost is repeated with the same token, and then has the same result as before: the caller is
-- told again that a message must be sent. The procedures mark and store_event in 0002 are kept until no running version
-- calls them.

DELIMITER //

-- Set the pending flag of a subject; return whether a message must be sent, because the flag was not set, or was set so
-- long ago that its message may be lost. (Assignments are evaluated from left to right.)
CREATE PROCEDURE set_mark(p_subject VARCHAR(80), p_token CHAR(32), p_now DATETIME(6))
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
  ON DUPLICATE KEY UPDATE
    times = IF(token = p_token, times, IF(since <= p_now - INTERVAL 1 MINUTE, 1, times + 1)),
    token = p_token,
    since = IF(times = 1, p_now, since);
  SELECT times = 1 AS is_new FROM marks WHERE subject = p_subject;
  COMMIT;
END //

-- Store an event and set the pending flag of its subject, in one transaction. A repeated event changes nothing, unless
-- its body differs; PayPal is then queried again. A repeated call counts as another delivery.
CREATE PROCEDURE record_event(
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
    ON DUPLICATE KEY UPDATE
      times = IF(token = p_token, times, IF(since <= p_now - INTERVAL 1 MINUTE, 1, times + 1)),
      token = p_token,
      since = IF(times = 1, p_now, since);
  END IF;
  SELECT COALESCE(MAX(times = 1), 0) INTO v_is_new FROM marks WHERE subject = p_subject AND token = p_token;
  COMMIT;
  SELECT v_deliveries AS deliveries, v_is_new AS is_new;
END //

DELIMITER ;
