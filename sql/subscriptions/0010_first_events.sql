-- A pending flag has the id of the event that set it. Only if PayPal delivers this event again while its subject is
-- pending may the message of the flag not have been sent: PayPal was answered with an error then. A repetition of
-- another event needs no message. The procedure receive_event in 0009 is kept until no running version calls it.

ALTER TABLE marks ADD COLUMN set_by VARCHAR(64) NULL;

DELIMITER //

-- Store an event and set the pending flag of its subject, in one transaction; return whether a message must be sent. A
-- repeated event changes nothing, unless its body differs; PayPal is then queried again. A repeated call counts as
-- another delivery.
CREATE PROCEDURE accept_event(
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
    INSERT INTO marks (subject, token, times, since, set_by) VALUES (p_subject, p_token, 1, p_now, p_event_id)
    ON DUPLICATE KEY UPDATE
      times = IF(token = p_token, times, IF(since <= p_now - INTERVAL 1 MINUTE, 1, times + 1)),
      token = p_token,
      since = IF(times = 1, p_now, since),
      set_by = IF(times = 1, p_event_id, set_by);
  END IF;
  -- another token: this delivery has set no flag, but an earlier delivery of the event may have
  SELECT COALESCE(MAX(IF(token = p_token, times = 1, set_by <=> p_event_id)), 0) INTO v_is_new
    FROM marks WHERE subject = p_subject;
  COMMIT;
  SELECT v_deliveries AS deliveries, v_is_new AS is_new;
END //

DELIMITER ;
