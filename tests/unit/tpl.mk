# Templates: the compiler with shapes of the tests' own, pages that it made, and what it refuses.
check_PROGRAMS += tests/unit/tmplc
tests_unit_tmplc_SOURCES = tools/tmplc.c tools/tmplc.h tests/unit/tpl_shapes.c
tests_unit_tmplc_LDADD = lib/libcatchment.a $(JANSSON_LIBS) -lm
TPL_PAGES = tests/data/tpl/layout/page.html tests/data/tpl/part/badge.html \
  tests/data/tpl/rows/list.html tests/data/tpl/rows/plain.html
EXTRA_DIST += $(TPL_PAGES) tests/data/tpl/list.json tests/data/tpl/page.json \
  tests/data/tpl/list.golden
dist_check_SCRIPTS += tests/unit/tmplc.sh
TESTS += tests/unit/tmplc.sh

CLEANFILES += tests/unit/tpl_pages.c tests/unit/tpl_pages.h
tests/unit/tpl_pages.c: tests/unit/tmplc$(EXEEXT) $(TPL_PAGES)
	$(AM_V_GEN)pages=; for page in $(TPL_PAGES); do pages="$$pages $(srcdir)/$$page"; done; \
	  tests/unit/tmplc$(EXEEXT) --root $(srcdir)/tests/data/tpl --source $@.tmp \
	  --header tests/unit/tpl_pages.h --include tests/unit/tpl_pages.h \
	  --guard CATCHMENT_TESTS_TPL_PAGES_H $$pages && mv -f $@.tmp $@
tests/unit/tpl_pages.h: tests/unit/tpl_pages.c
	@test -f $@ || { rm -f tests/unit/tpl_pages.c && \
	  $(MAKE) $(AM_MAKEFLAGS) tests/unit/tpl_pages.c; }

# Not tests: how long a page of a hundred rows takes, and a page of records in the engine.
EXTRA_PROGRAMS = tests/bench/tpl tests/bench/page
CLEANFILES += tests/bench/tpl$(EXEEXT) tests/bench/page$(EXEEXT)
tests_bench_page_SOURCES = tests/bench/page.c tests/upstream/product.c
tests_bench_page_LDADD = $(ENGINE_ALL)
tests_bench_tpl_SOURCES = tests/bench/tpl.c
nodist_tests_bench_tpl_SOURCES = tests/unit/tpl_pages.c
tests_bench_tpl_LDADD = lib/libcatchment.a $(JANSSON_LIBS) -lm
tests/bench/tpl.$(OBJEXT): tests/unit/tpl_pages.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/tpl.tap
TESTS += tests/unit/tpl.tap
tests_unit_tpl_tap_SOURCES = tests/unit/tpl.c tests/unit/tpl_shapes.c
nodist_tests_unit_tpl_tap_SOURCES = tests/unit/tpl_pages.c tests/unit/tpl_pages.h
tests_unit_tpl_tap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\"
tests_unit_tpl_tap_LDADD = lib/libcatchment.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm
tests/unit/tests_unit_tpl_tap-tpl.$(OBJEXT): tests/unit/tpl_pages.h
endif
