-- A second run of the same subject: what the first one met is history.
UPDATE collect.ledger SET execution_id = '00000000-0000-7000-8000-00000000000a';
UPDATE collect.collector_executions SET pages = 0;
