dist_doc_DATA = README.md CHANGELOG.md LICENSE docs/ARCHITECTURE.md docs/OPERATING.md docs/PERFORMANCE.md docs/PROOFS.md \
  docs/STYLE.md
EXTRA_DIST += CONTRIBUTING.md .clang-format .ci/run start demo/demo.sh demo/datasource.json \
  demo/collector.json demo/shop.json tools/lint tools/packages.sh tools/stack.sh \
  tools/tree.sh tests/start.sh
# ./check has the name of a target: as a file to distribute it would run every test first.
dist-hook:
	cp -p $(srcdir)/check $(distdir)/check
dist_man_MANS = docs/man/catchment.1 docs/man/catchment-runner.8 docs/man/catchmentd.8
EXTRA_DIST += docs/screenshots/run.png docs/screenshots/test.png
