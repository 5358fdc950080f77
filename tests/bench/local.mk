# How fast it is: make bench plays everything, make bench BENCH=name one, over stacks of its own. The bare
# programs, limits to compare with, are built when they are wanted.
.PHONY: bench
bench:
	$(srcdir)/tests/bench/bench.py $(BENCH)

EXTRA_PROGRAMS += tests/bench/bare_upstream tests/bench/bare_load tests/bench/bare_queue
CLEANFILES += tests/bench/bare_upstream$(EXEEXT) tests/bench/bare_load$(EXEEXT) tests/bench/bare_queue$(EXEEXT)
tests_bench_bare_upstream_SOURCES = tests/bench/bare_upstream.c tests/bench/bare_product.c tests/bench/bare_product.h
tests_bench_bare_upstream_LDADD =
tests_bench_bare_load_SOURCES = \
  tests/bench/bare_load.c tests/bench/bare_load.h \
  tests/bench/bare_check.c \
  tests/bench/bare_page.c tests/bench/bare_page.h \
  tests/bench/bare_write.c
tests_bench_bare_load_LDADD = $(CURL_LIBS) $(PQ_LIBS) $(CRYPTO_LIBS)
tests_bench_bare_queue_SOURCES = tests/bench/bare_queue.c
tests_bench_bare_queue_LDADD = $(PQ_LIBS)

EXTRA_DIST += \
  tests/bench/bare.sql \
  tests/bench/bench.py \
  tests/bench/bench_growth.py \
  tests/bench/bench_load.py \
  tests/bench/bench_queue.py \
  tests/bench/bench_rest.py \
  tests/bench/bench_runner.py \
  tests/bench/bench_small.py \
  tests/bench/performance.md \
  tests/bench/plant.py \
  tests/bench/report.py \
  tests/bench/results.json
