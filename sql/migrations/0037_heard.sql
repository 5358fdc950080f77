-- A runner that has taken back what a dead one held wakes the others: those that have nothing to do look for work each
-- second and a half. Run again, a run that kills its runner would meet the dead one's successor each time.
-- Locks: none.
SET LOCAL ROLE catchment_owner;

GRANT EXECUTE ON FUNCTION work.wake TO catchment_run;
