-- An email about a payment is claimed before it is sent, so that concurrent reconciliations do not send it twice. claim
-- is the token of the reconciliation that is sending it, and NULL once it was sent; told_at is the time of the claim.
-- The procedures find_notice and record_notice of 0006 are kept until no running version calls them.

ALTER TABLE payment_notices ADD COLUMN claim CHAR(32) NULL;

DELIMITER //

-- Claim an email, unless it was sent or was claimed by another one after p_stale_before; return whether the claim is
-- held. A repeated call with the same claim changes nothing. (Assignments are evaluated from left to right.)
CREATE PROCEDURE claim_notice(
  p_notice_key VARCHAR(190), p_claim CHAR(32), p_now DATETIME(6), p_stale_before DATETIME(6)
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO payment_notices (notice_key, told_at, claim) VALUES (p_notice_key, p_now, p_claim)
  ON DUPLICATE KEY UPDATE claim = IF(claim IS NOT NULL AND told_at <= p_stale_before, p_claim, claim),
                          told_at = IF(claim = p_claim, p_now, told_at);
  SELECT claim <=> p_claim AS is_held FROM payment_notices WHERE notice_key = p_notice_key;
END //

-- Record that a claimed email was sent.
CREATE PROCEDURE confirm_notice(p_notice_key VARCHAR(190))
SQL SECURITY DEFINER
BEGIN
  UPDATE payment_notices SET claim = NULL WHERE notice_key = p_notice_key;
END //

-- Give up a claim, so that the next reconciliation sends the email.
CREATE PROCEDURE release_notice(p_notice_key VARCHAR(190), p_claim CHAR(32))
SQL SECURITY DEFINER
BEGIN
  DELETE FROM payment_notices WHERE notice_key = p_notice_key AND claim = p_claim;
END //

DELIMITER ;
