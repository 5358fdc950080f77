dist_doc_DATA = README.md CHANGELOG.md LICENSE docs/ARCHITECTURE.md docs/OPERATING.md docs/STYLE.md \
  docs/plan.md
EXTRA_DIST += CONTRIBUTING.md .clang-format start check demo/demo.sh demo/datasource.json \
  demo/collector.json tools/lint tools/packages.sh tools/stack.sh
