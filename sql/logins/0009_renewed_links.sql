-- The life of a mailed link begins when its email is sent, which may be long after the link was made.

DELIMITER //

-- Lets a link expire later, even if it has expired already; does nothing for one that was used or deleted.
CREATE PROCEDURE renew_link(p_link_hash CHAR(64), p_expires_at DATETIME(6))
SQL SECURITY DEFINER
BEGIN
  UPDATE links SET expires_at = GREATEST(expires_at, p_expires_at) WHERE link_hash = p_link_hash;
END //

DELIMITER ;
