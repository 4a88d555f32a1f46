-- An account may have several links of one purpose, each valid until it expires: a stranger who requests another link
-- must not end the link that the account's owner has just received. `keep_link` of 0002 then adds a link instead of
-- replacing one.

ALTER TABLE links
  ADD INDEX ix_links_user_id (user_id, purpose),
  DROP PRIMARY KEY,
  ADD CONSTRAINT pk_links PRIMARY KEY (link_hash),
  DROP INDEX uq_links_link_hash;
