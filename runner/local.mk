# The runner: claims due runs and performs them. runner/librunner.a is what tests link.
noinst_LIBRARIES += runner/librunner.a
runner_librunner_a_SOURCES = \
  runner/bucket.c runner/bucket.h \
  runner/commit.c runner/commit.h runner/commit_page.c runner/commit_token.c \
  runner/commit_kept.c runner/commit_rows.c runner/commit_rows.h \
  runner/committer.c \
  runner/held.c runner/held.h runner/held_parts.h \
  runner/held_begin.c runner/held_post.c runner/held_sink.c \
  runner/job.c runner/job.h \
  runner/keeper.c \
  runner/lease.c runner/lease.h \
  runner/mail.c runner/mail.h \
  runner/runner.h
pkglibexec_PROGRAMS += catchment-runner
catchment_runner_SOURCES = runner/main.c
RUNNER_ALL = runner/librunner.a $(DRIVE_ALL)
catchment_runner_LDADD = $(RUNNER_ALL)
