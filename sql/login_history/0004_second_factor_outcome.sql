-- A login may also fail because the second factor was wrong.

ALTER TABLE entries DROP CONSTRAINT ck_entries_outcome;
ALTER TABLE entries
  ADD CONSTRAINT ck_entries_outcome
  CHECK (outcome IN ('success', 'wrong_password', 'wrong_second_factor', 'limited'));
