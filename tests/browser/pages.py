"""Every kind of page that there is, by who reaches it from /: what the crawler must find, no more and no less.

A row for each new page: that is how a page that can no longer be reached is noticed.
Pages that only a form, an error or a link from elsewhere shows are rows of test_answers.py.
"""
MARKET = [
    "/",
    "/marketplace/collectors",
    "/marketplace/collectors?filter",
    "/marketplace/collectors/{id}",
    "/marketplace/collectors/{id}/releases/{version}",
]
# whose rows differ by person: each is judged as everybody, for it may be empty
LISTS = [
    "/audit",
    "/audit?filter",
    "/collector-instances",
    "/collectors",
    "/datasources",
    "/collectors/new",
    "/collectors/{id}/install",
    "/marketplace/collectors/{id}/rating",
]
# the same for everybody: judged once
SAME = [
    "/datasources/new",
    "/datasources/new/json",
    "/datasources/new?example",
    "/design",
    "/docs",
    "/docs/api",
    "/docs/api/{part}",
    "/invitations",
    "/members",
    "/members/{id}",
    "/profile",
    "/profile/password",
    "/sessions",
    "/tenant",
    "/tenant/delete",
    "/tenants",
    "/tokens",
    "/tokens/new",
]
MEMBER = MARKET + LISTS + SAME
ADMIN = [
    "/admin",
    "/admin/listings",
    "/admin/listings/{id}",
    "/admin/queue",
    "/admin/tenants",
    "/admin/tenants/{id}",
    "/admin/users",
    "/admin/users/{id}",
]
PAGES = {
    "visitor": MARKET + [
        "/sign-in",
        "/sign-in?back",
        "/sign-up",
    ],
    "creator": MEMBER + [
        "/collectors/new/json",
        "/collectors/new?dataSourceId",
        "/collectors/{id}",
        "/collectors/{id}/edit",
        "/collectors/{id}/json",
        "/collectors/{id}/publish",
        "/collectors/{id}/releases",
        "/collectors/{id}/releases/{version}",
        "/collectors/{id}/test",
        "/collectors/{id}/values",
        "/datasources/{id}",
        "/datasources/{id}/edit",
        "/datasources/{id}/json",
    ],
    "tenant": MEMBER + [
        "/collector-instances/{id}",
        "/collector-instances/{id}/configure",
        "/collector-instances/{id}/executions",
        "/collector-instances/{id}/records",
        "/collector-instances/{id}/records/{n}?stream",
        "/collector-instances/{id}/records?cursor",
        "/collector-instances/{id}/records?stream",
        "/collector-instances/{id}/uninstall",
        "/executions/{id}",
        "/executions/{id}/log",
    ],
    "newcomer": MEMBER,
    "administrator": MEMBER + ADMIN,
}
# There only when a stack has been used for long, or by other tests.
MAY_BE = [
    "/admin/listings?approval",
    "/admin/listings?cursor",
    "/admin/tenants?cursor",
    "/admin/users?cursor",
    "/admin/tenants?suspended",
    "/collector-instances/{id}/upgrade?version",
    "/audit?cursor",
    "/audit?cursor&filter",
    "/collector-instances/{id}/executions?cursor",
    "/executions/{id}/log?cursor",
    "/marketplace/collectors?cursor",
    "/marketplace/collectors?cursor&filter",
    "/marketplace/collectors/{id}/ratings",
]


def judged():
    """(person, pattern) of what is held against the measures."""
    seen, rows = set(), []
    for name, patterns in PAGES.items():
        rows += [(name, pattern) for pattern in patterns if pattern not in seen]
        seen |= set(patterns) if name == "newcomer" else set(SAME) & set(patterns)
    return rows
