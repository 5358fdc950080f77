"""Every kind of page that there is, by who reaches it from /: what the crawler must find, no more and no less.

A row for each new page: that is how a page that can no longer be reached is noticed.
"""
PAGES = {
    "visitor": [],
    "creator": [],
    "tenant": [],
}
