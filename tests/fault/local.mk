# Whole runs against faults, over the stack that ./check starts; campaigns over stacks of their own.
.PHONY: check-fault
check-fault:
	$(srcdir)/tests/fault/campaign.py $(CAMPAIGN)

EXTRA_DIST += \
  tests/fault/campaign.py \
  tests/fault/campaign_code.py \
  tests/fault/campaign_database.py \
  tests/fault/campaign_exact.py \
  tests/fault/campaign_fair.py \
  tests/fault/campaign_stop.py \
  tests/fault/campaign_stuck.py \
  tests/fault/campaign_upstream.py \
  tests/fault/conftest.py \
  tests/fault/field.py \
  tests/fault/house.py \
  tests/fault/play.py \
  tests/fault/proof.py \
  tests/fault/results.json \
  tests/fault/sender.py \
  tests/fault/test_campaigns.py \
  tests/fault/test_exact.py \
  tests/fault/test_figures.py \
  tests/fault/test_guard.py \
  tests/fault/test_kept.py \
  tests/fault/test_oauth.py \
  tests/fault/test_pace.py \
  tests/fault/test_secrets.py \
  tests/fault/test_upstream_faults.py \
  tests/fault/upstream_rows.py \
  tests/fault/valgrind.supp \
  tests/fault/visitors.py
EXTRA_DIST += tests/http/test_story.py tests/http/test_trial.py tests/http/test_wait.py
