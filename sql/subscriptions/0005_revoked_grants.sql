-- The owner can revoke a grant. The grant then ends earlier, at ends_at, which is all that coverage_of reads; revoked_at
-- and revoked_by say when and by whom. The procedure page_grants of 0003 is kept until no running version calls it.

ALTER TABLE grants
  ADD COLUMN revoked_at DATETIME(6) NULL,
  ADD COLUMN revoked_by VARCHAR(64) NULL;

DELIMITER //

-- Let a grant end at p_ends_at, unless it ends earlier anyway, and return it; no row if there is no such grant.
CREATE PROCEDURE revoke_grant(
  p_grant_id CHAR(32), p_ends_at DATETIME(6), p_revoked_at DATETIME(6), p_revoked_by VARCHAR(64)
)
SQL SECURITY DEFINER
BEGIN
  UPDATE grants
     SET ends_at = GREATEST(p_ends_at, granted_at + INTERVAL 1 MICROSECOND), revoked_at = p_revoked_at,
         revoked_by = p_revoked_by
   WHERE grant_id = p_grant_id AND ends_at > p_ends_at;
  SELECT grant_id, user_id, ends_at, granted_at, granted_by, revoked_at, revoked_by
    FROM grants WHERE grant_id = p_grant_id;
END //

CREATE PROCEDURE list_grant_page(p_at DATETIME(6), p_id VARCHAR(64), p_limit INT)
SQL SECURITY DEFINER
BEGIN
  SELECT grant_id, user_id, ends_at, granted_at, granted_by, revoked_at, revoked_by FROM grants
   WHERE p_at IS NULL OR granted_at < p_at OR (granted_at = p_at AND grant_id < p_id)
   ORDER BY granted_at DESC, grant_id DESC LIMIT p_limit;
END //

DELIMITER ;
