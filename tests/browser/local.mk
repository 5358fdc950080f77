# Pages in a real browser: judged, walked by keyboard, and photographed.
EXTRA_DIST += \
  tests/browser/chromium.py tests/browser/conftest.py tests/browser/crawl.py \
  tests/browser/README.md tests/browser/htmlvalidate.js tests/browser/judge.py tests/browser/keyboard.py \
  tests/browser/npmrc tests/browser/package-lock.json tests/browser/package.json \
  tests/browser/pages.py tests/browser/people.py tests/browser/screenshots.py tests/browser/self_site.py \
  tests/browser/self/basin.svg tests/browser/self/good.css tests/browser/self/good.html \
  tests/browser/self/good.js tests/browser/hand.py \
  tests/browser/test_answers.py tests/browser/test_journey_keyboard.py \
  tests/browser/test_journey_story.py tests/browser/test_journey_team.py \
  tests/browser/test_pages.py tests/browser/test_self.py \
  tests/browser/validate.js tests/browser/visitor.py
dist_noinst_SCRIPTS += tests/browser/install.sh tests/browser/screenshots.sh

.PHONY: screenshots
screenshots:
	$(top_srcdir)/tests/browser/screenshots.sh screenshots
